-- What else is on record for the survey: addresses that an agent listed, and what the capture files say of themselves.
INSERT INTO identity_claim
SELECT DISTINCT a.host_id, NULL, a.ip, a.mac, 'own', 'recorded', 'proven', NULL, NULL, NULL, 0
FROM host_address a
WHERE a.source = 'agent' AND NOT EXISTS (SELECT 1 FROM identity_claim c
	WHERE c.host_id = a.host_id AND c.ip IS a.ip AND c.mac IS a.mac AND c.evidence = 'recorded');

UPDATE coverage SET
	filter = (SELECT min(i.filter) FROM capture_interface i WHERE i.vantage_id = coverage.vantage_id AND i.filter != ''),
	snaplen = (SELECT min(i.snaplen) FROM capture_interface i WHERE i.vantage_id = coverage.vantage_id AND i.snaplen > 0),
	dropped = (SELECT sum(coalesce(d.dropped_kernel, 0) + coalesce(d.dropped_interface, 0)) FROM capture_drop_count d
		WHERE d.vantage_id = coverage.vantage_id AND (d.dropped_kernel IS NOT NULL OR d.dropped_interface IS NOT NULL));
