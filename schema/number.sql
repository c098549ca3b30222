-- After each rule: what it put into new_finding and new_evidence goes into finding and evidence, by number.
-- if: SELECT 1 FROM new_finding UNION ALL SELECT 1 FROM new_evidence
CREATE TEMP TABLE numbered AS
SELECT key, (SELECT coalesce(max(id), 0) FROM finding) + row_number() OVER (ORDER BY key) AS id
FROM new_finding;

INSERT INTO finding (id, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, cause_id, detail)
SELECT n.id, f.kind, f.severity, f.confidence, f.host_id, f.from_vantage_id, f.to_vantage_id, f.src_ip, f.dst_ip,
	f.first_ns, f.last_ns, f.count, f.total, f.summary, f.remedy, f.cause_id, f.detail
FROM numbered n JOIN new_finding f USING (key);

-- Evidence whose key is no finding's is a mistake, and finding_id may not be NULL.
INSERT INTO evidence (finding_id, capture_file_id, frame, log_file_id, line, flow_id, note, host_file_id)
SELECT n.id, e.capture_file_id, e.frame, e.log_file_id, e.line, e.flow_id, e.note, e.host_file_id
FROM new_evidence e LEFT JOIN numbered n USING (key)
WHERE e.event_id IS NULL
ORDER BY e.rowid;
INSERT INTO cite (finding_id, event_id, n, what)
SELECT n.id, e.event_id, row_number() OVER (PARTITION BY e.key ORDER BY e.rowid), e.note
FROM new_evidence e LEFT JOIN numbered n USING (key)
WHERE e.event_id IS NOT NULL;

DELETE FROM new_finding;
DELETE FROM new_evidence;
