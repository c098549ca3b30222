-- ENIs, their own addresses and what their flow logs hold
SELECT * FROM flow_log_enis ORDER BY host, interface;
