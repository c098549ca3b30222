-- Flow-log files and what became of every line
SELECT * FROM flow_log_files ORDER BY id;
