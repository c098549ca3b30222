-- One finding, for its evidence file
SELECT kind, severity, summary, cause_id FROM finding WHERE id = :finding;
