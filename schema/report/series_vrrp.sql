-- Advertisements as seen from each vantage point
SELECT vantage_id, vrid, src_ip, at_ns, priority, interval_ns
FROM vrrp_advert ORDER BY vantage_id, vrid, src_ip, at_ns
LIMIT :limit;
