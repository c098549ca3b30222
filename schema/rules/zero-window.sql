-- A receiver announced window 0 and made its peer wait: the application does not read, no packet is lost
-- if: SELECT 1 FROM zero_window
-- Only spans that stalled: probed, or longer than zero_window_min_ms. Where several vantage points saw
-- one, the one nearest to the receiver speaks.
CREATE TEMP TABLE stall AS
SELECT z.flow_id, z.direction, z.vantage_id, z.probes, z.capture_file_id, z.frame,
	z.to_ns - z.from_ns AS length_ns,
	ref_ns(z.vantage_id, z.from_ns) AS from_ns,
	ref_ns(z.vantage_id, z.to_ns) AS to_ns,
	CASE z.direction WHEN 'c2s' THEN f.client_ip ELSE f.server_ip END AS src_ip,
	CASE z.direction WHEN 'c2s' THEN f.server_ip ELSE f.client_ip END AS dst_ip,
	CASE z.direction WHEN 's2c' THEN f.server_port END AS port,
	dense_rank() OVER (PARTITION BY z.flow_id, z.direction
		ORDER BY CASE z.direction WHEN 'c2s' THEN w.position ELSE -w.position END, z.vantage_id) AS near
FROM zero_window z
CROSS JOIN flow f ON f.id = z.flow_id
CROSS JOIN flow_vantage w ON w.flow_id = z.flow_id AND w.vantage_id = z.vantage_id
WHERE z.probes > 0 OR z.to_ns - z.from_ns
	>= 1e6 * (SELECT value FROM setting WHERE key = 'zero_window_min_ms');
DELETE FROM stall WHERE near > 1;

CREATE TEMP TABLE stall_pair AS
SELECT s.vantage_id, s.src_ip, CASE WHEN c.pairs <= (SELECT value FROM setting WHERE key = 'pairs_max')
		THEN s.dst_ip END AS dst_key, s.rowid AS stall_id
FROM stall s
JOIN (SELECT vantage_id, src_ip, count(DISTINCT dst_ip) AS pairs FROM stall GROUP BY vantage_id, src_ip) c
	USING (vantage_id, src_ip);

CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY p.vantage_id, p.src_ip, p.dst_key) AS key,
	p.vantage_id, p.src_ip, p.dst_key, count(*) AS spans, count(DISTINCT s.flow_id) AS flows,
	sum(s.probes) AS probes, max(s.length_ns) AS longest_ns, sum(s.length_ns) AS all_ns,
	min(s.from_ns) AS first_ns, max(s.to_ns) AS last_ns,
	CASE WHEN min(s.port) = max(s.port) THEN min(s.port) END AS port,
	count(DISTINCT s.dst_ip) AS peers
FROM stall_pair p JOIN stall s ON s.rowid = p.stall_id
GROUP BY p.vantage_id, p.src_ip, p.dst_key;

CREATE TEMP TABLE proof AS
SELECT v.key, s.*, row_number() OVER (PARTITION BY v.key ORDER BY s.length_ns DESC, s.from_ns, s.flow_id) AS n
FROM verdict v
JOIN stall_pair p ON p.vantage_id = v.vantage_id AND p.src_ip = v.src_ip AND p.dst_key IS v.dst_key
JOIN stall s ON s.rowid = p.stall_id;
CREATE INDEX temp.proof_by_id ON proof(key, n);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'zero-window',
	CASE WHEN v.longest_ns >= 1e9 * (SELECT value FROM setting WHERE key = 'zero_window_warning_s')
		THEN 'warning' ELSE 'notice' END,
	1, w.host_id, v.vantage_id, NULL, v.src_ip, v.dst_key, v.first_ns, v.last_ns, v.spans, NULL,
	endpoint(v.src_ip, v.port) || ' closed its window ' || iif(v.spans = 1, 'once', v.spans || ' times')
		|| ' and made ' || coalesce(v.dst_key, v.peers || ' peers') || ' wait for ' || iif(v.spans = 1, '', 'up to ')
		|| span(v.longest_ns) || iif(v.spans = 1, '', ', ' || span(v.all_ns) || ' in total') || ': the application there reads slowly; the '
		|| 'network is not the cause',
	'on ' || v.src_ip || ': see why the application does not read from its socket (`ss -tmi`, CPU, disk, locks)',
	json_object('flows', v.flows, 'probes', v.probes, 'longest_ns', v.longest_ns, 'total_ns', v.all_ns,
		'windows', (SELECT json_group_array(json_object('from_ns', from_ns, 'to_ns', to_ns,
				'flow_id', flow_id))
			FROM (SELECT * FROM proof p WHERE p.key = v.key AND p.n <= 20 ORDER BY p.from_ns, p.flow_id)))
FROM verdict v JOIN vantage w ON w.id = v.vantage_id;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, 'window 0 for ' || span(length_ns) || ', ' || probes || ' probes'
FROM proof WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
