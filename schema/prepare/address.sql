-- Addresses of virtual routers: they move by design.
CREATE TEMP TABLE vrrp_vip AS
SELECT DISTINCT x.value AS ip
FROM (SELECT DISTINCT addresses FROM vrrp_advert) a,
	json_each('["' || replace(replace(a.addresses, '"', ''), ',', '","') || '"]') x
WHERE x.value != '';
