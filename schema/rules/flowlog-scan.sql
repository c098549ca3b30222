-- Senders outside that nothing answers: scans, all of them together (flowlog-scan)
-- if: SELECT 1 FROM flow_log_request
-- Requests that failed, of clients outside that the service never answered. Each sender with many targets is in flow_log_source; the finding names the first.
CREATE TEMP TABLE turned_away AS
SELECT dst_ip AS server_ip, json_extract(detail, '$.port') AS port FROM finding
WHERE json_extract(detail, '$.rule') = 'flowlog-request' AND json_extract(detail, '$.outside') = 1 AND severity != 'notice';

CREATE TEMP TABLE scan_total AS
SELECT sum(r.strange) AS n, sum(r.packets) AS packets, count(DISTINCT r.server_ip) AS servers,
	count(DISTINCT r.protocol || coalesce(' ' || r.server_port, '')) AS services, max(r.clients) AS clients,
	min(r.failed_first_ns) AS first_ns, max(r.failed_last_ns) + 60000000000 AS last_ns
FROM flow_log_request r
WHERE r.strange > 0
	-- who tries again, or is let in and gets no answer out, is none
	AND NOT (r.answered + r.half_open = 0 AND (r.reply_rejected > 0 OR 2 * r.packets >= 5 * r.asked
		AND (r.clients <= 3 OR r.rejected_out + r.rejected_in = 0)))
	-- nor is who is turned away with everybody else
	AND NOT EXISTS (SELECT 1 FROM turned_away t WHERE t.server_ip = r.server_ip AND t.port IS r.server_port);

CREATE TEMP TABLE scan_source AS
SELECT *, row_number() OVER (ORDER BY packets DESC, ip) AS place, count(*) OVER () AS sources
FROM flow_log_source
WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets')
	-- who was answered and is cut off reaches for many places too
	AND ip NOT IN (SELECT client_ip FROM flow_log_request WHERE answered > 0 AND client_ip IS NOT NULL);

INSERT INTO new_finding (key, kind, severity, confidence, src_ip, first_ns, last_ns, count, summary, detail)
SELECT 1, 'flowlog-scan', 'notice', 0.8, iif(s.sources = 1, s.ip, NULL), coalesce(min(t.first_ns, s.first_ns), t.first_ns, s.first_ns),
	coalesce(max(t.last_ns, s.last_ns), t.last_ns, s.last_ns), coalesce(nullif(t.n, 0), s.records),
	coalesce(nullif(t.n, 0), s.records) || ' requests'
		|| coalesce(' of ' || CASE WHEN t.clients >= 60 THEN 'many' WHEN t.clients > 1 THEN 'at least ' || t.clients END || ' senders outside', '')
		|| ' were rejected or not answered' || coalesce(' at ' || nullif(t.servers, 0) || iif(t.servers = 1, ' address', ' addresses') || ' and '
			|| t.services || iif(t.services = 1, ' port', ' ports'), '')
		|| ': it looks like scans'
		|| coalesce('; ' || s.sources || iif(s.sources = 1, ' sender', ' senders') || ' reached for many places, first ' || s.ip, ''),
	json_object('sources', coalesce(s.sources, 0), 'services', t.services, 'servers', t.servers, 'packets', t.packets, 'rule', 'flowlog-scan')
FROM scan_total t
LEFT JOIN scan_source s ON s.place = 1
WHERE t.n >= 20 OR s.ip IS NOT NULL;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT 1, log_file_id, line, 'the first of ' || ip FROM scan_source
WHERE log_file_id IS NOT NULL AND place <= (SELECT value FROM setting WHERE key = 'evidence_max') / 2;
INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT 1, log_file_id, line, 'not answered: ' || r.protocol || coalesce(' port ' || server_port, '') || ' of ' || coalesce(server_ip, 'an address outside')
FROM flow_log_request r
WHERE strange > 0 AND log_file_id IS NOT NULL AND EXISTS (SELECT 1 FROM new_finding)
ORDER BY strange DESC, server_ip, protocol, server_port
LIMIT (SELECT CAST(value AS INTEGER) / 2 FROM setting WHERE key = 'evidence_max');
