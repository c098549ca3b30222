-- Segments arrived at their host and were not taken: with a wrong checksum (bad-checksum), or though nothing is wrong with them (host-drop)
-- if: SELECT 1 FROM flow_untaken
-- A wrong checksum that the receiver acknowledges all the same was left to a NIC that the segment never passed (offload); so
-- those that were not taken must be many more than those. One that was right where it was sent was damaged on the way.
CREATE TEMP TABLE ut_row AS
SELECT u.*, u.wrong_checksum + u.wrong_outer > 0 AS is_wrong, f.outcome, f.protocol, v.host_id, v.trust,
	iif(u.direction = 'c2s', x.client_ip, x.server_ip) AS src_ip, iif(u.direction = 'c2s', x.server_ip, x.client_ip) AS dst_ip,
	x.server_port, iif(u.direction = 'c2s',
		(SELECT y.vantage_id FROM flow_vantage y WHERE y.flow_id = u.flow_id AND y.vantage_id != u.vantage_id ORDER BY y.position LIMIT 1),
		(SELECT y.vantage_id FROM flow_vantage y WHERE y.flow_id = u.flow_id AND y.vantage_id != u.vantage_id ORDER BY y.position DESC LIMIT 1)) AS from_id
FROM flow_untaken u
JOIN flow f ON f.id = u.flow_id AND f.pairing NOT IN ('ambiguous', 'proxy')
JOIN vantage v ON v.id = u.vantage_id AND v.kind = 'nic' AND v.trust != 'unfit'
CROSS JOIN flow_vantage x ON x.flow_id = u.flow_id AND x.vantage_id = u.vantage_id
WHERE NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = u.vantage_id AND d.from_ns < u.last_ns AND d.to_ns > u.first_ns);

CREATE TEMP TABLE ut_found AS
SELECT row_number() OVER (ORDER BY vantage_id, is_wrong, src_ip, dst_ip, server_port) AS key, vantage_id, host_id, is_wrong, src_ip, dst_ip,
	iif(count(DISTINCT server_port) = 1, min(server_port), NULL) AS server_port, min(from_id) AS from_id, min(trust) AS trust,
	count(*) AS flows, sum(segments) AS segments, sum(iif(wrong_checksum, wrong_checksum, wrong_outer)) AS wrong,
	sum(wrong_outer) AS wrong_outer, sum(asked_again) AS asked_again, sum(unverified) AS unverified, sum(sent_right) AS sent_right, max(taken_wrong) AS taken_wrong, min(first_ns) AS first_ns,
	max(last_ns) AS last_ns, sum(outcome IN ('reset', 'half_open', 'unanswered')
		OR outcome NOT IN ('closed', 'datagram') AND sent_right = 0 AND segments >= 3) AS broken, min(protocol) AS protocol
FROM ut_row GROUP BY vantage_id, is_wrong, src_ip, dst_ip;
-- Damaged on the way is certain; else nobody must have taken such, and there must be several.
DELETE FROM ut_found WHERE is_wrong AND sent_right = 0 AND (wrong < 3 OR wrong < 10 * taken_wrong);
-- What was asked for again is one story where it is all there is, and several of it.
DELETE FROM ut_found WHERE NOT is_wrong AND asked_again = segments AND segments < 3;
-- What arrives and gets no answer at all, or none after the SYN-ACK, has its finding by another rule.
DELETE FROM ut_found WHERE NOT is_wrong AND NOT EXISTS (SELECT 1 FROM ut_row r WHERE r.vantage_id = ut_found.vantage_id
	AND NOT r.is_wrong AND r.src_ip = ut_found.src_ip AND r.dst_ip = ut_found.dst_ip AND r.outcome NOT IN ('unanswered', 'half_open'));

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns,
	count, summary, remedy, detail)
SELECT f.key, iif(f.is_wrong, 'bad-checksum', 'host-drop'), iif(f.broken > 0 AND f.segments >= 3, 'critical', 'warning'),
	CASE f.trust WHEN 'sound' THEN 1.0 ELSE 0.8 END * CASE WHEN f.sent_right > 0 THEN 0.97 WHEN f.is_wrong THEN 0.9 ELSE 0.85 END,
	f.host_id, iif(f.is_wrong, f.from_id, f.vantage_id), iif(f.is_wrong, f.vantage_id, NULL), f.src_ip, f.dst_ip,
	ref_ns(f.vantage_id, f.first_ns), ref_ns(f.vantage_id, f.last_ns), iif(f.is_wrong, f.wrong, f.segments),
	iif(f.is_wrong, f.wrong, f.segments) || iif(f.protocol = 'udp', ' datagram', ' segment')
		|| iif(iif(f.is_wrong, f.wrong, f.segments) = 1, '', 's') || ' of ' || f.flows || iif(f.protocol = 'udp', iif(f.flows = 1, ' flow', ' flows'),
			iif(f.flows = 1, ' connection', ' connections')) || ' from ' || f.src_ip || ' arrived at ' || h.name || ' for '
		|| endpoint(f.dst_ip, f.server_port)
		|| CASE WHEN f.asked_again = f.segments AND f.unverified > 0 THEN ' and were asked for again, while later ones were taken: '
				|| 'damaged on the way (a capture of whole packets tells), or dropped between its interface and the socket'
			WHEN f.asked_again = f.segments THEN ' with a right checksum and were asked for again, while later ones were taken: dropped '
				|| 'between its interface and the socket'
			WHEN NOT f.is_wrong THEN ' again and again and were never acknowledged: dropped between its interface and the socket'
			WHEN f.wrong_outer > 0 THEN ' in a tunnel packet with a wrong UDP checksum and were not taken: the sender left the checksum of the tunnel to a NIC that did not finish it'
			WHEN f.sent_right = f.wrong THEN ' with a wrong checksum that was right where they were sent: damaged on the way, lost for the receiver'
			WHEN f.protocol = 'udp' THEN ' with a wrong checksum'
			ELSE ' with a wrong TCP checksum and were never acknowledged: the sender''s checksum offload was not finished on the way' END,
	CASE WHEN f.asked_again = f.segments AND f.unverified > 0 THEN 'on ' || h.name || ': `nstat -az | grep -Ei "csum|drop|prune"`; '
			|| 'capture there with `-s 0`, which shows whether checksums are wrong'
		WHEN NOT f.is_wrong THEN 'on ' || h.name || ': `nstat -az`, `nft list ruleset`; `ss -tmi` shows whether the socket''s buffer is full'
		WHEN f.wrong_outer > 0 THEN 'on the sending node: ethtool -K <tunnel interface> tx-checksum-ip-generic off (VXLAN: also <NIC> tx-udp_tnl-csum-segmentation off)'
		WHEN f.sent_right > 0 THEN 'look for the damage hop by hop: `ethtool -S` error counters, cables, optics, memory of switches and middleboxes; '
			|| 'on ' || h.name || ': `nstat -az TcpInCsumErrors UdpInCsumErrors` counts them'
		ELSE 'on the sender: ethtool -K <interface> tx off; on ' || h.name || ': `nstat -az TcpInCsumErrors` counts them' END,
	json_patch('{}', json_object('flows', f.flows, 'broken', f.broken, 'port', f.server_port, 'segments', f.segments,
		'sent_right', iif(f.is_wrong, f.sent_right, NULL), 'taken_wrong', iif(f.is_wrong, f.taken_wrong, NULL),
		'outer', iif(f.is_wrong, f.wrong_outer, NULL),
		'reason', CASE WHEN f.asked_again = f.segments THEN 'asked for again' WHEN NOT f.is_wrong THEN 'never acknowledged' WHEN f.sent_right > 0 THEN 'damaged on the way' ELSE 'checksum not finished' END))
FROM ut_found f
JOIN host h ON h.id = f.host_id
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, note
FROM (SELECT f.key, r.capture_file_id, r.frame, r.flow_id, CASE WHEN r.asked_again = r.segments THEN 'arrived, asked for again' WHEN NOT r.is_wrong THEN 'arrived, never acknowledged'
			WHEN r.wrong_outer > 0 THEN 'wrong UDP checksum of the tunnel' ELSE 'wrong checksum' END AS note,
		row_number() OVER (PARTITION BY f.key ORDER BY r.first_ns, r.flow_id) AS n
	FROM ut_found f
	JOIN ut_row r ON r.vantage_id = f.vantage_id AND r.is_wrong = f.is_wrong AND r.src_ip = f.src_ip AND r.dst_ip = f.dst_ip)
WHERE n <= 20
ORDER BY key, n;
