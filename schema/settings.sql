-- Thresholds and their defaults.
INSERT INTO setting (key, value, comment) VALUES
	('delay_max_s', 2, 'a packet that has not arrived after this many seconds counts as not arrived'),
	('loss_min_segments', 5, 'loss findings need at least this many lost segments'),
	('loss_min_rate', 0.0005, 'loss findings need at least this rate of lost segments'),
	('events_max', 1000000, 'most rows in segment_event'),
	('packets_max', 20000, 'most rows in packet with --packets events'),
	('packets_per_flow', 64, 'most rows in packet for one flow with --packets events'),
	('evidence_max', 50, 'most proof rows for one finding');
