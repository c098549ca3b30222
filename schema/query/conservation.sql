-- Paths whose counts do not add up; no row is the right answer
SELECT * FROM path
WHERE sent != delivered + misaddressed + lost + capture_missed + unjudged
	OR bytes_sent != bytes_delivered + bytes_misaddressed + bytes_lost + bytes_capture_missed + bytes_unjudged
	OR received != delivered + misaddressed + duplicated + injected + sender_missed
	OR bytes_received != bytes_delivered + bytes_misaddressed + bytes_duplicated + bytes_injected
		+ bytes_sender_missed;
