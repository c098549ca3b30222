-- A virtual address goes back and forth by keepalived's own logs (vrrp-flap)
-- if: SELECT 1 FROM service_log WHERE service = 'keepalived'
-- Three times or more a router became master and gave way again, none further from the next than ten minutes. A planned
-- takeover and the way back are one; a start of the program is none. Where adverts were captured, those tell.
CREATE TEMP TABLE vl_line AS
SELECT l.host_id, ref_ns(c.vantage_id, l.at_ns) AS at_ns, written, message, host_file_id, line,
	coalesce(nullif(substr(message, instr(message, '(') + 1, instr(message, ')') - instr(message, '(') - 1), ''), '?') AS instance,
	CASE WHEN message LIKE '%Entering MASTER STATE%' THEN 'master' ELSE 'backup' END AS state
FROM service_log l LEFT JOIN host_clock c ON c.host_id = l.host_id
WHERE service = 'keepalived' AND (message LIKE '%Entering MASTER STATE%' OR message LIKE '%Entering BACKUP STATE%');
-- Lines whose time is not known stand in the order of their file.
CREATE TEMP TABLE vl_change AS
SELECT *, sum(coalesce(at_ns - before_ns > 600000000000, 1)) OVER (PARTITION BY host_id, instance ORDER BY n) AS episode
FROM (
	SELECT *, lag(at_ns, 1, at_ns) OVER (PARTITION BY host_id, instance ORDER BY n) AS before_ns
	FROM (
		SELECT *, row_number() OVER (PARTITION BY host_id, instance ORDER BY at_ns, host_file_id, line) AS n,
			lag(state) OVER (PARTITION BY host_id, instance ORDER BY at_ns, host_file_id, line) AS state_before
		FROM vl_line)
	WHERE state_before != state);
CREATE TEMP TABLE vl_found AS
SELECT row_number() OVER (ORDER BY host_id, instance) AS key, host_id, instance, sum(takeovers) AS takeovers,
	min(from_ns) AS from_ns, max(to_ns) AS to_ns
FROM (
	SELECT host_id, instance, sum(state = 'master') AS takeovers, min(at_ns) AS from_ns, max(at_ns) AS to_ns
	FROM vl_change GROUP BY host_id, instance, iif(at_ns IS NULL, -1, episode)
	HAVING sum(state = 'master') >= 3 AND sum(state = 'backup') >= 2)
WHERE NOT EXISTS (SELECT 1 FROM vrrp_advert)
GROUP BY host_id, instance;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, first_ns, last_ns, count, summary, remedy, detail)
SELECT f.key, 'vrrp-flap', 'warning', 0.9, f.host_id, f.from_ns, f.to_ns, f.takeovers,
	h.name || ' became master of ' || f.instance || ' and gave way again, ' || f.takeovers || ' times'
		|| coalesce(' in ' || span(f.to_ns - f.from_ns), '') || ', by keepalived''s log',
	'capture the adverts (`proto vrrp`) on both routers: they tell whether adverts were late, lost or not sent; until the cause '
		|| 'is gone: a longer advert interval, or nopreempt, on both',
	json_object('instance', f.instance, 'rule', 'vrrp-log')
FROM vl_found f JOIN host h ON h.id = f.host_id ORDER BY f.key;
INSERT INTO new_evidence (key, host_file_id, line, note)
SELECT f.key, c.host_file_id, c.line, coalesce(iso(c.at_ns), c.written) || ': ' || c.message
FROM vl_found f JOIN vl_change c ON c.host_id = f.host_id AND c.instance = f.instance
ORDER BY f.key, c.n LIMIT 200;
