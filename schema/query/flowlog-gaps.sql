-- Spans of a flow log with SKIPDATA, with NODATA alone, and without any record
SELECT * FROM flow_log_gaps ORDER BY interface, "from", state;
