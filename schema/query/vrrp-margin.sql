-- How close each router came to a takeover: longest silence heard against the listener's limit
SELECT v.name AS listener, w.vrid, w.src_ip AS router, w.adverts, span(w.interval_ns) AS interval,
	coalesce(w.priority, 'unknown') AS priority, span(w.longest_ns) AS longest_silence,
	span(w.limit_ns) AS 'limit', span(w.limit_ns - w.longest_ns) AS margin, w.beyond,
	iso(w.longest_from_ns) AS longest_from
FROM vrrp_watch w JOIN vantage v ON v.id = w.vantage_id
ORDER BY w.limit_ns - w.longest_ns, v.name, w.vrid, w.src_ip;
