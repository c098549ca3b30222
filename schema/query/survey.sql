-- What each capture is and could have seen: whose addresses, in which order, in which directions, and by what evidence
SELECT about, place, what, ruling, evidence, detail FROM (
SELECT 1 AS rank, c.host_id AS n, c.rowid AS m, 'identity' AS about, coalesce(v.name, h.name) AS place,
	coalesce(c.ip || coalesce(' at ' || c.mac, ''), c.mac) AS what, c.ruling, c.strength || ': ' || c.evidence AS evidence,
	coalesce(c.contradiction, CASE WHEN c.frames > 0 THEN c.frames || ' frames, ' || iso(c.from_ns) || ' to ' || iso(c.to_ns) END, '') AS detail
FROM identity_claim c JOIN host h ON h.id = c.host_id LEFT JOIN vantage v ON v.id = c.vantage_id
UNION ALL
SELECT 1, h.id, 9223372036854775807, 'identity', h.name, 'its addresses', 'unknown', 'none',
	'settled by --host ' || h.name || '=ADDRESS'
FROM host h
WHERE EXISTS (SELECT 1 FROM vantage v WHERE v.host_id = h.id AND v.kind != 'flowlog')
	AND NOT EXISTS (SELECT 1 FROM identity_claim c WHERE c.host_id = h.id AND c.ip IS NOT NULL AND c.ruling = 'own')
UNION ALL
SELECT 2, o.nearer_vantage_id, o.farther_vantage_id, 'order', a.name, 'nearer to the client than ' || b.name,
	iif(o.known, 'known', 'unknown'), o.evidence, o.flows || iif(o.flows = 1, ' conversation', ' conversations')
FROM vantage_order o JOIN vantage a ON a.id = o.nearer_vantage_id JOIN vantage b ON b.id = o.farther_vantage_id
UNION ALL
SELECT 3, c.vantage_id, iif(c.direction = 'out', 1, 0), 'coverage', v.name,
	CASE c.direction WHEN 'in' THEN 'received' WHEN 'out' THEN 'sent' ELSE 'sent or received' END,
	CASE c.shows WHEN 'yes' THEN 'recorded' WHEN 'never' THEN 'left out' ELSE 'none' END,
	c.role, c.frames || iif(c.frames = 1, ' frame', ' frames')
		|| coalesce(', ' || iso(c.from_ns) || ' to ' || iso(c.to_ns) || iif(c.end_known, '', ' or longer'), '')
		|| iif(c.gaps > 0, ', paused ' || c.gaps || ' times', '')
		|| coalesce(', filter ' || c.filter, '') || coalesce(', stated ' || c.stated, '')
		|| coalesce(', but ' || c.contradiction, '') || coalesce(', cut at ' || c.snaplen || ' bytes', '')
		|| iif(c.dropped > 0, ', ' || c.dropped || ' frames dropped', '')
FROM coverage c JOIN vantage v ON v.id = c.vantage_id)
ORDER BY rank, n, m, what, evidence;
