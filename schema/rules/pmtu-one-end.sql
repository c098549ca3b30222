-- Full segments of a sender never come, smaller ones do, as one capture shows (pmtu-blackhole)
-- if: SELECT 1 FROM unfilled_hole
-- With both ends captured the sizes of what was lost are known (pmtu-blackhole.sql). From one end it takes connections whose
-- receiver asks to the end for bytes that would fill full segments, while no segment of that size ever came from that
-- sender: with random loss full ones come, and holes are filled. Where the capture holds the missing ones (the sender's
-- end), each of them must be larger than all that came.
CREATE TEMP TABLE po_hole AS
SELECT h.*, v.host_id
FROM unfilled_hole h
JOIN vantage v ON v.id = h.vantage_id AND v.kind = 'nic' AND v.trust != 'unfit'
JOIN flow f ON f.id = h.flow_id AND f.pairing = 'alone'
WHERE NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = h.vantage_id AND d.from_ns < h.to_ns AND d.to_ns > h.from_ns - 1000000000);
CREATE TEMP TABLE po_found AS
SELECT row_number() OVER (ORDER BY vantage_id, src_ip, dst_ip) AS key, vantage_id, src_ip, dst_ip, count(*) AS flows,
	sum(bytes) AS bytes, sum(acks) AS acks, sum(sent) AS sent, min(full) AS full, max(largest_passed) AS passed,
	min(coalesce(smallest_sent, full)) AS smallest, min(from_ns) AS first_ns, max(to_ns) AS last_ns, max(to_ns - from_ns) AS longest_ns,
	min(bytes % full) = 0 AND max(bytes % full) = 0 AS whole, min(host_id) AS host_id
FROM po_hole
GROUP BY vantage_id, src_ip, dst_ip
-- one connection may have met its end in another way: then the hole must be of full segments, and asked for a second long
HAVING max(largest_passed) < min(coalesce(smallest_sent, full)) AND max(largest_passed) > 0 AND sum(acks) >= 2
	AND (count(*) >= 2 OR (max(bytes % full) = 0 AND max(to_ns - from_ns) >= 1000000000));

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'pmtu-blackhole', iif(f.flows >= 3, 'critical', 'warning'),
	-- a filter on content, or a capture that lost just these, may look so
	min(0.85, 0.5 + 0.05 * min(f.flows, 5) + 0.1 * f.whole), NULL, f.vantage_id, NULL, f.src_ip, f.dst_ip,
	ref_ns(f.vantage_id, f.first_ns), ref_ns(f.vantage_id, f.last_ns), f.flows, NULL,
	f.bytes || ' bytes of ' || f.flows || iif(f.flows = 1, ' connection', ' connections') || ' from ' || f.src_ip || ' to ' || f.dst_ip
		|| ' never arrived, though the receiver asked for them ' || f.acks || ' times and later ones came: no segment of '
		|| f.smallest || ' bytes of payload or more came from there, ' || iif(f.sent > 0, 'though it sent ' || f.sent || ', ', '')
		|| 'those of up to ' || f.passed || ' did (seen from one end)',
	'capture at ' || iif(f.sent > 0, f.dst_ip, f.src_ip) || ' as well: it shows which sizes are lost; `tracepath '
		|| iif(f.sent > 0, f.dst_ip, f.src_ip) || '` finds the MTU of the way; let ICMP "fragmentation needed" (IPv6: "packet too big") reach '
		|| f.src_ip || ', or clamp the MSS on the way',
	json_object('flows', f.flows, 'broken', f.flows, 'bytes', f.bytes, 'smallest_payload', f.smallest, 'largest_payload', f.passed,
		'one_end', iif(f.sent > 0, 'sender', 'receiver'), 'acks', f.acks, 'whole_segments', f.whole)
FROM po_found f
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, file_id, frame, flow_id, note FROM (
	SELECT key, file_id, frame, flow_id, note, row_number() OVER (PARTITION BY key ORDER BY at_ns, flow_id, note) AS n FROM (
		SELECT f.key, h.from_ns AS at_ns, h.first_file_id AS file_id, h.first_frame AS frame, h.flow_id,
			'asks for ' || h.bytes || ' bytes that are missing below its SACK' AS note
		FROM po_found f JOIN po_hole h ON h.vantage_id = f.vantage_id AND h.src_ip = f.src_ip AND h.dst_ip = f.dst_ip
		UNION ALL
		SELECT f.key, h.to_ns, h.last_file_id, h.last_frame, h.flow_id, 'still asks for them, the last of ' || h.acks
		FROM po_found f JOIN po_hole h ON h.vantage_id = f.vantage_id AND h.src_ip = f.src_ip AND h.dst_ip = f.dst_ip
		WHERE h.acks > 1))
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
