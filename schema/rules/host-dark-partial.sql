-- A host received nothing of some flows (or of large packets), or nobody received it, while the others went on
-- if: SELECT 1 FROM partial_span WHERE scope = 'host'
-- prepare/partial.sql finds the spans. One finding for each host, direction and pattern.
CREATE TEMP TABLE hp_found AS
SELECT row_number() OVER (ORDER BY host_id, direction, partial) AS key,
	host_id, direction, partial, min(from_vantage_id) AS from_vantage_id, min(to_vantage_id) AS to_vantage_id,
	count(*) AS spans, sum(to_ns - from_ns) AS total_ns, max(to_ns - from_ns) AS longest_ns, min(from_ns) AS from_ns,
	max(to_ns) AS to_ns, max(flows_out) AS flows_out, max(flows_on) AS flows_on, max(peers) AS peers, sum(lost) AS lost,
	min(smallest_lost) AS smallest_lost, max(largest_arrived) AS largest_arrived, min(returned) AS returned
FROM partial_span WHERE scope = 'host' GROUP BY host_id, direction, partial;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'host-dark', CASE WHEN f.total_ns >= 5000000000 THEN 'critical' ELSE 'warning' END,
	CASE f.partial WHEN 'queue' THEN 0.9 ELSE 0.85 END, f.host_id,
	CASE f.direction WHEN 'tx' THEN f.from_vantage_id END, CASE f.direction WHEN 'rx' THEN f.to_vantage_id END,
	CASE f.direction WHEN 'tx' THEN a.ip END, CASE f.direction WHEN 'rx' THEN a.ip END,
	f.from_ns, f.to_ns, f.spans, NULL,
	h.name || CASE f.partial
		WHEN 'queue' THEN CASE f.direction WHEN 'rx' THEN ' received nothing of ' || f.flows_out || ' of its '
					|| (f.flows_out + f.flows_on) || ' flows from '
				ELSE ' sent, and nothing arrived, in ' || f.flows_out || ' of its ' || (f.flows_out + f.flows_on)
					|| ' flows to ' END || f.peers || iif(f.peers = 1, ' peer', ' peers')
		ELSE CASE f.direction WHEN 'rx' THEN ' received no packet of ' || f.smallest_lost
					|| ' bytes of payload or more from '
				ELSE ' sent packets of ' || f.smallest_lost || ' bytes of payload or more, and none arrived, to ' END
			|| f.peers || iif(f.peers = 1, ' peer', ' peers')
		END
		|| CASE f.spans WHEN 1 THEN ' for ' || span(f.longest_ns)
			ELSE ', ' || f.spans || ' times, for up to ' || span(f.longest_ns) || ', ' || span(f.total_ns) || ' in total' END
		|| CASE f.partial WHEN 'queue' THEN ', while the other ' || f.flows_on || ' went on: one '
				|| CASE f.direction WHEN 'rx' THEN 'receive' ELSE 'transmit' END || ' queue stood still'
			ELSE ', while those of up to ' || f.largest_arrived || ' bytes passed (' || f.flows_out || ' flows)' END
		|| CASE WHEN f.returned THEN '' ELSE '; none of them got through again' END,
	CASE WHEN f.partial = 'size' THEN 'on ' || h.name || ', look at the size of the ' || CASE f.direction WHEN 'rx' THEN 'receive buffers'
			ELSE 'transmit offloads (ethtool -k: tso, gso)' END
			|| ', at the MTU and that of the switch port, and at length errors (ethtool -S)'
		WHEN f.direction = 'rx' THEN 'on ' || h.name || ', look for a receive queue that stands still: /proc/interrupts, rx_queue '
			|| 'counters (ethtool -S); steer around it (ethtool -X, -L), then update or reload the driver'
		ELSE 'on ' || h.name || ', look for a transmit queue that stands still: `dmesg` ("transmit queue N timed out"), tx_queue '
			|| 'counters (ethtool -S), then update or reload the driver' END,
	json_object('direction', f.direction, 'partial', f.partial, 'alive', json('true'), 'alive_by', 'the other flows',
		'returned', f.returned, 'seconds', f.total_ns / 1e9, 'flows', f.flows_out, 'broken', f.flows_out,
		'flows_on', f.flows_on, 'peers', f.peers, 'lost', f.lost, 'smallest_lost', f.smallest_lost,
		'largest_arrived', f.largest_arrived, 'rule', 'host-dark-partial',
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', d.from_ns, 'to_ns', d.to_ns, 'flows', d.flows_out, 'flows_on', d.flows_on,
				'peers', d.peers, 'lost', d.lost) AS w
			FROM partial_span d WHERE d.host_id = f.host_id AND d.direction = f.direction AND d.partial = f.partial
				AND d.scope = 'host' ORDER BY d.from_ns LIMIT 500)))
FROM hp_found f JOIN host h ON h.id = f.host_id
LEFT JOIN (SELECT host_id, min(ip) AS ip FROM dk_ip GROUP BY host_id HAVING count(*) = 1) a ON a.host_id = f.host_id
ORDER BY f.key;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'sent in that time' FROM (
	SELECT p.key, p.event_id, row_number() OVER (PARTITION BY p.key ORDER BY p.sent_ns, p.event_id) AS n
	FROM (SELECT DISTINCT f.key, e.event_id, e.sent_ns
		FROM hp_found f
		CROSS JOIN pt_lost e ON e.host_id = f.host_id AND e.way = f.direction AND e.partial = f.partial) p)
WHERE n <= 20 ORDER BY key, n;

-- What went on in the meantime.
INSERT INTO new_evidence (key, flow_id, note)
SELECT key, flow_id, 'went on: ' || arrived || ' frames arrived in that time, from ' || iso(from_ns) FROM (
	SELECT f.key, o.flow_id, o.arrived, o.from_ns,
		row_number() OVER (PARTITION BY f.key ORDER BY o.from_ns, o.arrived DESC, o.flow_id) AS n
	FROM hp_found f
	CROSS JOIN pt_verdict v ON v.host_id = f.host_id AND v.way = f.direction AND v.partial = f.partial
	CROSS JOIN pt_flow o ON o.cluster = v.cluster AND o.state = 'on')
WHERE n <= 10 ORDER BY key, n;
