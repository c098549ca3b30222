-- How many proof rows one finding has
SELECT count(*) FROM evidence WHERE finding_id = :finding;
