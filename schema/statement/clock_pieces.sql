-- The clock model, in the order in which a time is looked up
SELECT vantage_id, valid_from, from_ns, offset_ns, skew_ppm FROM main.clock_piece
WHERE valid_from < valid_to
ORDER BY vantage_id, valid_from
