-- What counters of interfaces grew by, from sample to sample, and what sources of rates and sums say. Fills counter_change,
-- on the reference clock; what a cloud measured from outside has no clock of the host's.
-- if: SELECT 1 FROM nic_counter UNION ALL SELECT 1 FROM counter_interval
-- A counter that stands lower than before began again: with the host, the driver, or at its limit. Nothing is known of
-- that span then, for none of the host's counters of that source. Sources count at other places of a driver: each is a series of its own.
CREATE TEMP TABLE ct_step AS
SELECT host_id, interface, name, kind, before_ns AS from_ns, at_ns AS to_ns, value - before AS grew, before,
	host_file_id, line, before_file_id, before_line
FROM (
	SELECT s.*, lag(at_ns) OVER w AS before_ns, lag(value) OVER w AS before, lag(host_file_id) OVER w AS before_file_id,
		lag(line) OVER w AS before_line
	FROM (SELECT coalesce(n.host_id, v.host_id) AS host_id, coalesce(n.interface, v.interface) AS interface, n.name,
			coalesce(f.kind, 'agent') AS kind, ref_ns(c.vantage_id, n.at_ns) AS at_ns, n.value, n.host_file_id, n.line
		FROM nic_counter n
		LEFT JOIN vantage v ON v.id = n.vantage_id
		LEFT JOIN host_file f ON f.id = n.host_file_id
		LEFT JOIN host_clock c ON c.host_id = coalesce(n.host_id, v.host_id)
		WHERE n.at_ns IS NOT NULL AND n.name IN ('rx_packets', 'tx_packets', 'rx_bytes')) s
	WINDOW w AS (PARTITION BY host_id, interface, name, kind ORDER BY at_ns, value))
WHERE before_ns < at_ns AND interface IS NOT NULL AND interface != 'lo';
CREATE TEMP TABLE ct_reset AS
SELECT DISTINCT host_id, kind, from_ns, to_ns FROM ct_step WHERE grew < 0
UNION
SELECT b.host_id, NULL, ref_ns(c.vantage_id, CAST(b.value AS INTEGER)), ref_ns(c.vantage_id, CAST(b.value AS INTEGER))
FROM host_fact b LEFT JOIN host_clock c ON c.host_id = b.host_id WHERE b.key = 'host.boot_ns';
CREATE INDEX temp.ct_reset_by_host ON ct_reset(host_id, from_ns);

INSERT INTO counter_change (host_id, interface, name, kind, sampled, from_ns, to_ns, grew, host_file_id, line,
	before_file_id, before_line)
SELECT host_id, interface, name, kind, 1, from_ns, to_ns, grew, host_file_id, line, before_file_id, before_line
FROM ct_step s
WHERE NOT EXISTS (SELECT 1 FROM ct_reset r WHERE r.host_id = s.host_id AND coalesce(r.kind, s.kind) = s.kind
	AND r.from_ns < s.to_ns AND r.to_ns > s.from_ns)
UNION ALL
SELECT i.host_id, i.interface, i.name, coalesce(f.kind, ''), 0,
	iif(i.name LIKE 'cloud.%', i.from_ns, ref_ns(c.vantage_id, i.from_ns)),
	iif(i.name LIKE 'cloud.%', i.to_ns, ref_ns(c.vantage_id, i.to_ns)), i.amount, i.host_file_id, i.line, NULL, NULL
FROM counter_interval i LEFT JOIN host_file f ON f.id = i.host_file_id LEFT JOIN host_clock c ON c.host_id = i.host_id
WHERE i.interface IS NOT 'lo' AND i.name IN ('rx_packets', 'tx_packets', 'rx_bytes', 'cloud.NetworkPacketsIn');
CREATE INDEX temp.counter_change_by_host ON counter_change(host_id, name, from_ns);
