-- Some flows between two hosts lost everything while others went on: one of several parallel paths
-- if: SELECT 1 FROM partial_span WHERE scope = 'path'
-- The pattern of host-dark-partial, seen with one peer only, or at several hosts at once, or both ways:
-- then a member of a bundle, or one of several routes (ECMP), is as likely as a queue of the host. Where something
-- simpler than a hash parts those that died from those that lived (loss-pattern), it is neither.
CREATE TEMP TABLE pp_simpler AS
SELECT DISTINCT f.from_vantage_id, f.to_vantage_id
FROM finding f JOIN trait t ON t.name = json_extract(f.detail, '$.trait') AND t.family != 'member'
WHERE f.kind = 'loss-pattern' AND json_extract(f.detail, '$.died_without') = 0 AND json_extract(f.detail, '$.lived_with') = 0;
CREATE TEMP TABLE pp_found AS
SELECT row_number() OVER (ORDER BY host_id, direction, peer_ip) AS key,
	host_id, direction, peer_ip, min(from_vantage_id) AS from_vantage_id, min(to_vantage_id) AS to_vantage_id,
	count(*) AS spans, sum(to_ns - from_ns) AS total_ns, max(to_ns - from_ns) AS longest_ns, min(from_ns) AS from_ns,
	max(to_ns) AS to_ns, max(flows_out) AS flows_out, max(flows_on) AS flows_on, max(peers) AS peers, sum(lost) AS lost,
	min(returned) AS returned
FROM partial_span
WHERE scope = 'path' AND (from_vantage_id, to_vantage_id) NOT IN (SELECT from_vantage_id, to_vantage_id FROM pp_simpler)
GROUP BY host_id, direction, peer_ip;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'path-partial', CASE WHEN f.total_ns >= 5000000000 THEN 'critical' ELSE 'warning' END, 0.8,
	CASE WHEN f.peer_ip IS NULL THEN f.host_id END, f.from_vantage_id, f.to_vantage_id,
	CASE f.direction WHEN 'rx' THEN f.peer_ip ELSE a.ip END, CASE f.direction WHEN 'rx' THEN a.ip ELSE f.peer_ip END,
	f.from_ns, f.to_ns, f.spans, NULL,
	'nothing of ' || f.flows_out || ' of ' || (f.flows_out + f.flows_on) || ' flows '
		|| CASE f.direction WHEN 'rx' THEN 'from ' || coalesce(p.name, f.peer_ip, f.peers || ' peers') || ' to ' || h.name
			ELSE 'from ' || h.name || ' to ' || coalesce(p.name, f.peer_ip, f.peers || ' peers') END
		|| ' arrived' || CASE f.spans WHEN 1 THEN ' for ' || span(f.longest_ns)
			ELSE ', ' || f.spans || ' times, for up to ' || span(f.longest_ns) || ', ' || span(f.total_ns) || ' in total' END
		|| ', while the other ' || f.flows_on || ' went on: one of several parallel paths, '
		|| CASE WHEN f.peer_ip IS NOT NULL THEN 'or one queue at either end' ELSE 'for it is so with other hosts or both ways' END
		|| CASE WHEN f.returned THEN '' ELSE '; none of them got through again' END,
	'look at the members of bundles and the equal routes between the two (a member that is up but passes nothing)'
		|| CASE WHEN f.peer_ip IS NOT NULL THEN '; a capture of another peer of ' || h.name || ' in such a time tells whether it is '
			|| h.name || '''s queue' ELSE '' END,
	json_object('direction', f.direction, 'partial', 'path', 'returned', f.returned, 'seconds', f.total_ns / 1e9,
		'flows', f.flows_out, 'broken', f.flows_out, 'flows_on', f.flows_on, 'peers', f.peers, 'lost', f.lost,
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', d.from_ns, 'to_ns', d.to_ns, 'flows', d.flows_out, 'flows_on', d.flows_on,
				'lost', d.lost) AS w
			FROM partial_span d WHERE d.host_id = f.host_id AND d.direction = f.direction AND d.peer_ip IS f.peer_ip
				AND d.scope = 'path' ORDER BY d.from_ns LIMIT 500)))
FROM pp_found f JOIN host h ON h.id = f.host_id
LEFT JOIN (SELECT host_id, min(ip) AS ip FROM dk_ip GROUP BY host_id HAVING count(*) = 1) a ON a.host_id = f.host_id
LEFT JOIN dk_ip i ON i.ip = f.peer_ip
LEFT JOIN host p ON p.id = i.host_id
ORDER BY f.key;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'sent in that time' FROM (
	SELECT p.key, p.event_id, row_number() OVER (PARTITION BY p.key ORDER BY p.sent_ns, p.event_id) AS n
	FROM (SELECT DISTINCT f.key, e.event_id, e.sent_ns
		FROM pp_found f
		CROSS JOIN pt_lost e ON e.host_id = f.host_id AND e.way = f.direction AND e.partial = 'queue') p)
WHERE n <= 20 ORDER BY key, n;
