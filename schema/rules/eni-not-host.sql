-- The ENI accepted packets for its host that the host's capture does not show
-- if: SELECT 1 FROM flow_log_delivery
-- Counted are records whose windows lie whole in the time of the capture, against everything that the
-- capture shows of that 5-tuple at any time: so missing is a lower bound. Merged frames (GRO) are fewer
-- than packets: then bytes decide. What the capture itself lost (drop counters, segments proven missed,
-- fragments) is subtracted. A capture with a filter says nothing; without a recorded one it must show
-- that it would have seen such packets: ARP, or the same peer and service at another time.
CREATE TEMP TABLE eni_host AS
SELECT e.id AS eni_id, e.host_id, v.id AS nic_id, v.trust, v.tcp_missed,
	(SELECT sum(coalesce(c.dropped_kernel, 0) + coalesce(c.dropped_interface, 0)) FROM capture_file c
		WHERE c.vantage_id = v.id) AS dropped,
	(SELECT min(c.dropped_kernel IS NOT NULL) FROM capture_file c WHERE c.vantage_id = v.id) AS drops_known,
	(SELECT coalesce(sum(a.frames), 0) FROM frame_account a JOIN capture_file c ON c.id = a.capture_file_id
		WHERE c.vantage_id = v.id AND a.disposition IN ('fragment', 'truncated', 'malformed')) AS unread,
	v.id IN (SELECT vantage_id FROM arp) AS shows_arp
FROM vantage e
JOIN vantage v ON v.host_id = e.host_id AND v.kind = 'nic' AND v.trust != 'unfit'
WHERE e.kind = 'flowlog' AND e.id IN (SELECT vantage_id FROM flow_log_delivery)
	AND NOT EXISTS (SELECT 1 FROM capture_interface i WHERE i.vantage_id = v.id AND i.filter IS NOT NULL);

-- What the capture shows, by direction of a 5-tuple; ports only where the protocol has them.
CREATE TEMP TABLE eni_shown AS
SELECT e.eni_id, f.protocol, s.src_ip, iif(f.protocol IN ('tcp', 'udp'), s.src_port, 0) AS src_port, s.dst_ip,
	iif(f.protocol IN ('tcp', 'udp'), s.dst_port, 0) AS dst_port, sum(s.packets) AS packets,
	sum(s.bytes) AS bytes
FROM eni_host e
CROSS JOIN (
	SELECT flow_id, vantage_id, client_ip AS src_ip, client_port AS src_port, server_ip AS dst_ip,
		server_port AS dst_port, packets_c2s AS packets, bytes_c2s AS bytes FROM flow_vantage
	UNION ALL
	SELECT flow_id, vantage_id, server_ip, server_port, client_ip, client_port, packets_s2c, bytes_s2c
	FROM flow_vantage) s ON s.vantage_id = e.nic_id
CROSS JOIN flow f ON f.id = s.flow_id
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE INDEX temp.eni_shown_by_tuple ON eni_shown(eni_id, protocol, src_ip, dst_ip, src_port, dst_port);
CREATE TEMP TABLE eni_shown_service AS
SELECT DISTINCT eni_id, protocol, src_ip, dst_port FROM eni_shown WHERE packets > 0
UNION
SELECT DISTINCT eni_id, protocol, dst_ip, src_port FROM eni_shown WHERE packets > 0;
CREATE INDEX temp.eni_shown_service_by_key ON eni_shown_service(eni_id, protocol, src_ip, dst_port);

-- low: surely missing; high: missing if nothing was merged.
CREATE TEMP TABLE eni_missing AS
SELECT d.*, coalesce(s.packets, 0) AS shown, max(0, d.packets - coalesce(s.packets, 0)) AS high,
	CASE WHEN coalesce(s.packets, 0) = 0 THEN d.packets
		WHEN d.packets <= s.packets THEN 0
		-- Control packets alone: nobody merges those.
		WHEN d.bytes <= 80 * d.packets THEN d.packets - s.packets
		-- 52 bytes of headers each (RFC 7323 timestamps), 60 for the SYN: what is beyond them and
		-- beyond the payload that the capture shows, in packets of the largest usual size.
		ELSE max(0, min(d.packets - s.packets, (d.bytes - s.bytes - 52 * d.packets - 8 + 1459)
			/ max(1460, d.bytes / d.packets))) END AS low,
	EXISTS (SELECT 1 FROM eni_shown_service k WHERE k.eni_id = d.vantage_id AND k.protocol = d.protocol
		AND k.src_ip = d.src_ip AND k.dst_port = iif(d.protocol IN ('tcp', 'udp'), d.dst_port, 0)) AS service_shown
FROM flow_log_delivery d
LEFT JOIN eni_shown s ON s.eni_id = d.vantage_id AND s.protocol = d.protocol AND s.src_ip = d.src_ip
	AND s.dst_ip = d.dst_ip AND s.src_port = iif(d.protocol IN ('tcp', 'udp'), d.src_port, 0)
	AND s.dst_port = iif(d.protocol IN ('tcp', 'udp'), d.dst_port, 0)
WHERE d.vantage_id IN (SELECT eni_id FROM eni_host);

CREATE TEMP TABLE eni_pair AS
SELECT vantage_id, src_ip, dst_ip, sum(packets) AS accepted, sum(low) AS low, sum(high) AS high,
	count(*) AS flows, sum(shown = 0) AS flows_missing, sum(low > 0) AS flows_short,
	min(first_ns) AS first_ns, max(last_ns) AS last_ns, max(service_shown) AS service_shown
FROM eni_missing
GROUP BY vantage_id, src_ip, dst_ip;

CREATE TEMP TABLE eni_alive AS
SELECT host_id, first_ns, last_ns FROM finding WHERE kind = 'host-dark' AND json_extract(detail, '$.alive');

CREATE TEMP TABLE eni_found AS
SELECT row_number() OVER (ORDER BY p.vantage_id, p.src_ip, p.dst_ip) AS key, p.*,
	e.host_id, e.nic_id, e.slack, e.sound, e.drops_known, e.shows_arp,
	EXISTS (SELECT 1 FROM activity a WHERE a.vantage_id = e.nic_id AND a.second_ns >= p.first_ns
		AND a.second_ns <= p.last_ns AND a.tx_frames > 0)
	-- captures that do not tell directions: host-dark knows frames of the host's own
	OR EXISTS (SELECT 1 FROM eni_alive h WHERE h.host_id = e.host_id
		AND h.first_ns <= p.last_ns AND h.last_ns >= p.first_ns) AS sending,
	EXISTS (SELECT 1 FROM activity a WHERE a.vantage_id = e.nic_id AND a.second_ns >= p.first_ns
		AND a.second_ns <= p.last_ns) AS recording
FROM eni_pair p
JOIN (SELECT eni_id, host_id, min(nic_id) AS nic_id, sum(dropped + tcp_missed + unread) AS slack,
		min(trust = 'sound') AS sound, min(drops_known) AS drops_known, max(shows_arp) AS shows_arp
	FROM eni_host GROUP BY eni_id, host_id) e ON e.eni_id = p.vantage_id
WHERE p.low - e.slack >= (SELECT value FROM setting WHERE key = 'loss_min_segments')
	AND (e.shows_arp OR p.service_shown);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'eni-not-host', CASE WHEN f.flows_missing > 0 OR f.low * 10 >= f.accepted THEN 'critical' ELSE 'warning' END,
	CASE WHEN NOT f.recording THEN 0.5 WHEN f.sound AND f.drops_known THEN 0.95 WHEN f.sound THEN 0.85
		ELSE 0.7 END,
	f.host_id, f.vantage_id, f.nic_id, f.src_ip, f.dst_ip, f.first_ns, f.last_ns, f.low, f.accepted,
	e.interface || ' accepted ' || f.accepted || ' packets from ' || f.src_ip || ' for ' || f.dst_ip || '; '
		|| CASE WHEN f.low = f.high THEN '' ELSE 'at least ' END || f.low
		|| ' of them are not in the capture of ' || h.name
		|| CASE WHEN NOT f.recording THEN ', which shows nothing at all in that time: host or capture was dead'
			WHEN f.sending THEN ', which was running and shows what the host sent' ELSE ', which was running' END,
	'the network delivered to the ENI: look at the driver of ' || h.name
		|| ' (ethtool -i, interrupts, ring drops), and the hypervisor',
	json_object('flows', f.flows, 'flows_missing', f.flows_missing, 'missing_low', f.low, 'missing_high', f.high,
		'capture_slack', f.slack, 'alive', json(CASE WHEN f.sending THEN 'true' ELSE 'null' END),
		'direction', 'rx', 'rule', 'eni-not-host')
FROM eni_found f
JOIN vantage e ON e.id = f.vantage_id
JOIN host h ON h.id = f.host_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT f.key, m.log_file_id, m.line, 'accepted for port ' || coalesce(m.dst_port, '-') || ' from port '
	|| coalesce(m.src_port, '-') || ': ' || m.packets || ' packets, ' || m.shown || ' in the capture'
FROM eni_found f
JOIN eni_missing m ON m.vantage_id = f.vantage_id AND m.src_ip = f.src_ip AND m.dst_ip = f.dst_ip
WHERE m.low > 0
ORDER BY f.key, m.log_file_id, m.line;
