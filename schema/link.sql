-- After all rules: frames for cited events, causes, severity by effect, and the order of the stories.
-- Everything here is deterministic: ties end at kind, addresses and time, never at insertion order.

-- 1. Cited segment events become frames: the segments first, then the frames that prove what became of
-- them; those get a third of the room at most.
CREATE TEMP TABLE cited AS
SELECT c.finding_id, x.file_id, x.frame, x.flow_id, c.what || x.shows AS note, x.part = 3 AS is_proof,
	row_number() OVER (PARTITION BY c.finding_id, x.part = 3 ORDER BY c.n, x.part) AS n
FROM cite c
CROSS JOIN (
	SELECT id, 1 AS part, sent_file_id AS file_id, sent_frame AS frame, flow_id,
		CASE kind WHEN 'lost' THEN ', never arrived'
			WHEN 'misaddressed' THEN ', sent to a MAC that is not the receiver''s'
			WHEN 'capture_missed' THEN ', arrived although the receiving capture lacks it'
			ELSE ', as sent' END AS shows
	FROM segment_event WHERE sent_frame IS NOT NULL
	UNION ALL
	SELECT id, 2, received_file_id, received_frame, flow_id,
		CASE kind WHEN 'misaddressed' THEN ', seen there under a foreign MAC'
			WHEN 'duplicated' THEN ', an extra copy'
			WHEN 'sender_missed' THEN ', received although the sending capture lacks it'
			WHEN 'reordered' THEN ', arrived after later ones'
			WHEN 'injected' THEN ', never sent by the peer'
			ELSE ', as received' END || coalesce(': ' || detail, '')
	FROM segment_event WHERE received_frame IS NOT NULL
	UNION ALL
	SELECT id, 3, proof_file_id, proof_frame, flow_id, ': this frame proves it (' || reason || ')'
	FROM segment_event WHERE proof_frame IS NOT NULL) x ON x.id = c.event_id;
INSERT INTO evidence (finding_id, capture_file_id, frame, flow_id, note)
SELECT d.finding_id, d.file_id, d.frame, d.flow_id, d.note
FROM cited d
JOIN (SELECT finding_id, min(sum(is_proof), (SELECT value FROM setting WHERE key = 'evidence_max') / 3)
		AS proofs FROM cited GROUP BY finding_id) p USING (finding_id)
WHERE d.n <= CASE WHEN d.is_proof THEN p.proofs
	ELSE (SELECT value FROM setting WHERE key = 'evidence_max') - p.proofs END
ORDER BY d.finding_id, d.is_proof, d.n;

-- 2. What explains what. A row: findings of this kind are explained by findings of that kind, when
-- both have the same key of that scope and their times touch. The lowest rank wins, then the higher
-- confidence. Scopes: to_ip (the same host, or address, sends to the same address), path (the same two hosts, the
-- same way), pair (the same two hosts), host (the host the cause speaks of takes part), ip (an address
-- in common), whole (path, where the pattern is that of all that died), idle and reuse (pair, where the pattern is
-- silence, or ports that were used before), vrid (the same virtual router), rate (lost
-- handshakes that a loss rate explains: not those that are a story of their own), service (an address and port that no
-- socket listens on, by the kernel's word).
CREATE TEMP TABLE cause_rule (symptom TEXT, cause TEXT, scope TEXT, rank INTEGER);
INSERT INTO cause_rule VALUES
	('synack-lost', 'mac-mismatch', 'to_ip', 1),
	('syn-lost', 'mac-mismatch', 'to_ip', 1),
	('handshake-ack-lost', 'mac-mismatch', 'to_ip', 1),
	('pmtu-blackhole', 'mac-mismatch', 'to_ip', 9),
	('asymmetric-loss', 'mac-mismatch', 'to_ip', 1),
	('symmetric-loss', 'mac-mismatch', 'to_ip', 1),
	('syn-lost', 'arp-conflict', 'ip', 2),
	('synack-lost', 'arp-conflict', 'ip', 2),
	('mac-mismatch', 'arp-conflict', 'ip', 1),
	('asymmetric-loss', 'arp-conflict', 'ip', 2),
	('syn-lost', 'host-dark', 'host', 3),
	('synack-lost', 'host-dark', 'host', 3),
	('handshake-ack-lost', 'host-dark', 'host', 3),
	('asymmetric-loss', 'host-dark', 'host', 3),
	('symmetric-loss', 'host-dark', 'host', 3),
	('arp-unanswered', 'host-dark', 'host', 1),
	('arp-unanswered', 'host-dark', 'ip', 2),
	('eni-not-host', 'host-dark', 'host', 1),
	('flowlog-one-way', 'host-dark', 'host', 2),
	('vrrp-gap-source', 'host-dark', 'host', 1),
	('vrrp-gap-path', 'host-dark', 'host', 1),
	('syn-lost', 'path-partial', 'path', 4),
	('synack-lost', 'path-partial', 'path', 4),
	('handshake-ack-lost', 'path-partial', 'path', 4),
	('asymmetric-loss', 'path-partial', 'path', 4),
	('symmetric-loss', 'path-partial', 'pair', 4),
	('reset', 'path-partial', 'pair', 4),
	('syn-lost', 'path-partial', 'host', 5),
	('asymmetric-loss', 'path-partial', 'host', 5),
	('symmetric-loss', 'path-partial', 'host', 5),
	('syn-lost', 'arp-unanswered', 'ip', 4),
	('syn-lost', 'firewall-drop', 'path', 5),
	('synack-lost', 'firewall-drop', 'path', 5),
	('syn-lost', 'flowlog-reject', 'ip', 4),
	('synack-lost', 'flowlog-reject', 'ip', 4),
	('flowlog-one-way', 'flowlog-reject', 'ip', 1),
	('refused', 'injected-segment', 'pair', 1),
	('reset', 'injected-segment', 'pair', 1),
	('reset', 'reply-untranslated', 'pair', 1),
	('reset', 'pmtu-blackhole', 'pair', 2),
	('reset', 'host-dark', 'host', 3),
	('reset', 'asymmetric-loss', 'pair', 4),
	('reset', 'symmetric-loss', 'pair', 4),
	('syn-lost', 'asymmetric-loss', 'rate', 8),
	('synack-lost', 'asymmetric-loss', 'rate', 8),
	('handshake-ack-lost', 'asymmetric-loss', 'path', 8),
	('syn-lost', 'symmetric-loss', 'rate', 8),
	('synack-lost', 'symmetric-loss', 'rate', 8),
	('handshake-ack-lost', 'symmetric-loss', 'pair', 8),
	('syn-lost', 'loss-pattern', 'whole', 6),
	('synack-lost', 'loss-pattern', 'whole', 6),
	('handshake-ack-lost', 'loss-pattern', 'whole', 9),
	('asymmetric-loss', 'loss-pattern', 'path', 6),
	('symmetric-loss', 'loss-pattern', 'pair', 6),
	('injected-segment', 'loss-pattern', 'pair', 6),
	('path-partial', 'loss-pattern', 'path', 1),
	('loss-pattern', 'idle-timeout', 'idle', 1),
	('injected-segment', 'idle-timeout', 'pair', 1),
	('reset', 'idle-timeout', 'ip', 1),
	('loss-pattern', 'port-reuse', 'reuse', 1),
	('reset', 'port-reuse', 'pair', 5),
	('vrrp-flap', 'vrrp-misconfig', 'vrid', 1),
	('vrrp-dual-master', 'vrrp-misconfig', 'vrid', 1),
	('vrrp-dual-master', 'vrrp-gap-source', 'vrid', 2),
	('vrrp-dual-master', 'vrrp-gap-path', 'vrid', 2),
	('vrrp-flap', 'vrrp-gap-source', 'vrid', 2),
	('mac-mismatch', 'vrrp-no-garp', 'vrid', 1),
	('reset', 'arp-conflict', 'ip', 3),
	('host-drop', 'bad-checksum', 'to_ip', 1),
	('modified-in-path', 'bad-checksum', 'path', 1),
	('l2-asymmetric', 'arp-flux', 'ip', 1),
	('mac-mismatch', 'arp-flux', 'ip', 2),
	('refused', 'firewall-drop', 'ip', 2),
	('refused', 'host-drop', 'service', 1),
	('host-drop', 'arp-unanswered', 'host', 1),
	('host-drop', 'host-dark', 'host', 2),
	('eni-not-host', 'firewall-drop', 'host', 3),
	('vrrp-gap-path', 'advisory', 'guest', 8),
	('vrrp-gap-source', 'advisory', 'guest', 8),
	('vrrp-flap', 'advisory', 'guest', 8),
	('flowlog-unreachable', 'host-dark', 'host', 1),
	('flowlog-failed', 'host-dark', 'host', 2),
	('vrrp-flap', 'vrrp-gap-path', 'vrid', 2);
-- A known defect explains what its row says, on the host that it is found on.
INSERT INTO cause_rule
SELECT DISTINCT k.value, 'advisory', 'defect', 9
FROM defect d, json_each('["' || replace(replace(d.explains, ' ', ''), ',', '","') || '"]') k
WHERE d.explains IS NOT NULL;

CREATE TEMP TABLE finding_end AS
SELECT f.id, f.kind, f.src_ip, f.dst_ip, f.first_ns, f.last_ns, f.confidence, f.host_id,
	vf.host_id AS from_host, vt.host_id AS to_host,
	coalesce(json_extract(f.detail, '$.ip'), f.dst_ip) AS to_ip,
	json_extract(f.detail, '$.vrid') AS vrid, coalesce(json_extract(f.detail, '$.takeovers'), 0) AS takeovers, json_extract(f.detail, '$.own') AS own,
	(SELECT explains FROM defect d WHERE d.id = coalesce(json_extract(f.detail, '$.defect'),
		json_extract(f.detail, '$.rule'))) AS explains
FROM finding f
LEFT JOIN vantage vf ON vf.id = f.from_vantage_id
LEFT JOIN vantage vt ON vt.id = f.to_vantage_id;

-- role: s where the finding may be explained by that key, c where it may explain.
CREATE TEMP TABLE finding_key AS
SELECT id, kind, 'to_ip' AS scope, r.column1 AS role,
	coalesce(from_host, host_id) || '>' || to_ip AS key
FROM finding_end, (VALUES ('s'), ('c')) r
UNION
-- and by the sender's address: a place on the way may stand for it
SELECT id, kind, 'to_ip', r.column1, src_ip || '>' || to_ip FROM finding_end, (VALUES ('s'), ('c')) r
UNION ALL
SELECT id, kind, 'path', r.column1, from_host || '>' || to_host FROM finding_end, (VALUES ('s'), ('c')) r
UNION ALL
SELECT id, kind, 'pair', r.column1, min(from_host, to_host) || '-' || max(from_host, to_host)
FROM finding_end, (VALUES ('s'), ('c')) r
UNION ALL
SELECT id, kind, 'rate', 'c', iif(kind = 'asymmetric-loss', from_host || '>' || to_host,
	min(from_host, to_host) || '-' || max(from_host, to_host))
FROM finding_end WHERE kind IN ('asymmetric-loss', 'symmetric-loss')
UNION ALL
SELECT id, kind, 'rate', 's', from_host || '>' || to_host FROM finding_end WHERE own = 0
UNION ALL
SELECT id, kind, 'rate', 's', min(from_host, to_host) || '-' || max(from_host, to_host)
FROM finding_end WHERE own = 0
UNION ALL
SELECT id, kind, 'host', 'c', host_id FROM finding_end
UNION ALL
SELECT id, kind, 'host', 's', host_id FROM finding_end
UNION
SELECT id, kind, 'host', 's', from_host FROM finding_end
UNION
SELECT id, kind, 'host', 's', to_host FROM finding_end
UNION
SELECT id, kind, 'ip', r.column1, src_ip FROM finding_end, (VALUES ('s'), ('c')) r
UNION
SELECT id, kind, 'ip', r.column1, dst_ip FROM finding_end, (VALUES ('s'), ('c')) r
UNION
SELECT id, kind, 'ip', r.column1, to_ip FROM finding_end, (VALUES ('s'), ('c')) r
UNION ALL
SELECT id, kind, 'whole', 's', from_host || '>' || to_host FROM finding_end WHERE coalesce(own, 1)
UNION ALL
SELECT e.id, e.kind, 'whole', 'c', e.from_host || '>' || e.to_host
FROM finding_end e JOIN finding f ON f.id = e.id AND json_extract(f.detail, '$.died_without') = 0
WHERE e.kind = 'loss-pattern'
UNION ALL
SELECT e.id, e.kind, 'idle', r.column1, min(e.from_host, e.to_host) || '-' || max(e.from_host, e.to_host)
FROM finding_end e JOIN finding f ON f.id = e.id, (VALUES ('s'), ('c')) r
WHERE e.kind = 'idle-timeout' OR json_extract(f.detail, '$.cause') LIKE 'idle-timeout%'
UNION ALL
SELECT id, kind, 'reuse', 'c', min(from_host, to_host) || '-' || max(from_host, to_host)
FROM finding_end WHERE kind = 'port-reuse'
UNION ALL
SELECT e.id, e.kind, 'reuse', 's', min(e.from_host, e.to_host) || '-' || max(e.from_host, e.to_host)
FROM finding_end e JOIN finding f ON f.id = e.id AND json_extract(f.detail, '$.cause') IN ('old-connection', 'port-reused')
WHERE e.kind = 'loss-pattern'
UNION ALL
SELECT id, kind, 'vrid', r.column1, vrid FROM finding_end, (VALUES ('s'), ('c')) r
UNION ALL
SELECT id, kind, 'defect', 's', kind || '@' || host_id FROM finding_end
UNION
SELECT id, kind, 'defect', 's', kind || '@' || from_host FROM finding_end
UNION
SELECT id, kind, 'defect', 's', kind || '@' || to_host FROM finding_end
UNION ALL
SELECT e.id, e.kind, 'defect', 'c', k.value || '@' || e.host_id
FROM finding_end e, json_each('["' || replace(replace(e.explains, ' ', ''), ',', '","') || '"]') k
WHERE e.explains IS NOT NULL;
-- guest: a qemu guest takes part (its MAC or a fact says so), and a host of qemu guests has vhost_net off.
INSERT INTO finding_key
SELECT e.id, e.kind, 'guest', 's', 'qemu' FROM finding_end e
WHERE e.kind IN ('vrrp-gap-path', 'vrrp-gap-source', 'vrrp-flap') AND (EXISTS (
		SELECT 1 FROM (SELECT host_id, mac FROM vantage UNION ALL SELECT host_id, mac FROM host_address) v
		WHERE v.host_id IN (e.from_host, e.to_host, e.host_id) AND (v.mac LIKE 'fa:16:3e:%' OR v.mac LIKE '52:54:00:%'))
	OR EXISTS (SELECT 1 FROM host_fact k WHERE k.host_id IN (e.from_host, e.to_host, e.host_id)
		AND k.key = 'hypervisor.type' AND k.value = 'kvm'))
UNION ALL
SELECT f.id, f.kind, 'guest', 'c', 'qemu' FROM finding f
WHERE f.kind = 'advisory' AND json_extract(f.detail, '$.defect') LIKE 'vhost-net%';
INSERT INTO finding_key
SELECT id, kind, 'service', iif(kind = 'refused', 's', 'c'),
	iif(kind = 'refused', src_ip, dst_ip) || ' ' || json_extract(detail, '$.port')
FROM finding WHERE kind = 'refused' OR (kind = 'host-drop' AND json_extract(detail, '$.reason') = 'NO_SOCKET');
-- Why its kernel dropped a packet is known: that another host is silent explains it only where the kernel waited for that one.
DELETE FROM finding_key WHERE scope = 'host' AND role = 's' AND id IN (SELECT id FROM finding
	WHERE kind = 'host-drop' AND json_extract(detail, '$.way') IS NOT NULL AND json_extract(detail, '$.reason') NOT LIKE 'NEIGH%');
-- Several addresses that two interfaces answer for.
INSERT INTO finding_key
SELECT f.id, f.kind, 'ip', 'c', a.value FROM finding f, json_each(f.detail, '$.addresses') a
WHERE f.kind = 'arp-flux' AND json_extract(f.detail, '$.ips') > 1;
DELETE FROM finding_key WHERE key IS NULL;
CREATE INDEX temp.finding_key_by_key ON finding_key(key, scope, kind, role);
CREATE INDEX temp.finding_end_by_id ON finding_end(id);

-- Times touch within two seconds (detection of either takes a moment); no time touches all.
CREATE TEMP TABLE cause_choice AS
SELECT symptom_id, cause_id FROM (
	SELECT s.id AS symptom_id, c.id AS cause_id, row_number() OVER (PARTITION BY s.id
		-- of adverts that were not sent and adverts that were lost: what cost the master's place more often
		ORDER BY r.rank, ce.takeovers DESC, ce.confidence DESC, ce.first_ns, ce.kind, ce.src_ip, ce.dst_ip, c.id) AS n
	FROM finding_key s
	CROSS JOIN cause_rule r ON r.symptom = s.kind AND r.scope = s.scope
	CROSS JOIN finding_key c ON c.key = s.key AND c.scope = r.scope AND c.kind = r.cause
		AND c.role = 'c'
	CROSS JOIN finding_end se ON se.id = s.id
	CROSS JOIN finding_end ce ON ce.id = c.id
	WHERE s.role = 's' AND s.id != c.id
		AND (se.first_ns IS NULL OR ce.last_ns IS NULL OR se.first_ns <= ce.last_ns + 2000000000)
		AND (ce.first_ns IS NULL OR se.last_ns IS NULL OR ce.first_ns <= se.last_ns + 2000000000))
WHERE n = 1;
CREATE INDEX temp.cause_choice_by_symptom ON cause_choice(symptom_id);
UPDATE finding SET cause_id = (SELECT cause_id FROM cause_choice WHERE symptom_id = finding.id)
WHERE cause_id IS NULL;

-- Findings that explain each other in a ring would be in no story: none of them has a cause then.
UPDATE finding SET cause_id = NULL WHERE id NOT IN (
	WITH RECURSIVE up(id) AS (
		SELECT id FROM finding WHERE cause_id IS NULL
		UNION
		SELECT f.id FROM up JOIN finding f ON f.cause_id = up.id)
	SELECT id FROM up);

-- One remedy for silence is enough.
UPDATE finding SET remedy = NULL
WHERE kind = 'loss-pattern' AND cause_id IN (SELECT id FROM finding WHERE kind = 'idle-timeout');

-- A pattern that explains nothing is told only where nothing else is said of that way.
CREATE TEMP TABLE idle_pattern AS
SELECT id FROM finding
WHERE kind = 'loss-pattern' AND id NOT IN (SELECT cause_id FROM finding WHERE cause_id IS NOT NULL)
	AND (from_vantage_id, to_vantage_id) IN (
		SELECT from_vantage_id, to_vantage_id FROM finding WHERE kind != 'loss-pattern');
DELETE FROM evidence WHERE finding_id IN (SELECT id FROM idle_pattern);
DELETE FROM finding WHERE id IN (SELECT id FROM idle_pattern);

-- 3. A cause weighs what its effects weigh. ends: effects below it that explain nothing further.
CREATE TEMP TABLE caused AS
SELECT DISTINCT cause_id AS id FROM finding WHERE cause_id IS NOT NULL;
CREATE INDEX temp.caused_by_id ON caused(id);
CREATE TEMP TABLE effect AS
WITH RECURSIVE up(leaf_id, id) AS (
	SELECT id, id FROM finding
	UNION
	SELECT up.leaf_id, f.cause_id FROM up JOIN finding f ON f.id = up.id WHERE f.cause_id IS NOT NULL)
SELECT up.id, min(CASE l.severity WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END) AS severity,
	max(coalesce(json_extract(l.detail, '$.broken'), 0)) AS broken,
	max(coalesce(json_extract(l.detail, '$.flows'), 0)) AS flows,
	sum(NOT EXISTS (SELECT 1 FROM caused c WHERE c.id = l.id)) AS ends
FROM up JOIN finding l ON l.id = up.leaf_id
GROUP BY up.id;
CREATE INDEX temp.effect_by_id ON effect(id);
UPDATE finding SET severity = (
	SELECT CASE e.severity WHEN 1 THEN 'critical' WHEN 2 THEN 'warning' ELSE 'notice' END
	FROM effect e WHERE e.id = finding.id);

-- What the run before told (analyze --since last): the same subject at the same time, or what began with it and is not
-- about another address. It goes on if it does at the end of what the log can show.
CREATE TEMP TABLE news AS
SELECT id, iif(runs IS NULL, 'new', iif(last_ns >= judged_ns, 'still', 'over')) AS news, coalesce(runs, 0) AS runs
FROM (SELECT f.id, f.last_ns, e.judged_ns, max(b.runs) AS runs
	FROM (SELECT max(last_ns) - (SELECT value + 600 FROM setting WHERE key = 'flowlog_edge_s') * 1000000000 AS judged_ns
		FROM flow_log_interface WHERE EXISTS (SELECT 1 FROM analysis WHERE key = 'runs')) e
	CROSS JOIN finding_subject f
	LEFT JOIN finding_before b ON b.rule = f.rule
		AND (f.first_ns IS NULL OR f.first_ns <= b.last_ns + 1800000000000 AND f.last_ns >= b.first_ns - 1800000000000)
		AND (b.subject = f.subject OR abs(f.first_ns - b.first_ns) <= 300000000000
			AND (b.dst_ip IS f.dst_ip OR b.dst_ip IS NULL OR f.dst_ip IS NULL))
	WHERE e.judged_ns IS NOT NULL
	GROUP BY f.id);
CREATE INDEX temp.news_by_id ON news(id);

-- 4. Order: what is new, what goes on, what is over; of each the heaviest story first. Its head is what happened; where that is several things, the
-- nearest cause of them all; or a cause that weighs more than its effect. Then what explains the head,
-- then the rest by time.
CREATE TEMP TABLE root AS
WITH RECURSIVE up(id, root_id, depth) AS (
	SELECT id, id, 0 FROM finding WHERE cause_id IS NULL
	UNION
	SELECT f.id, up.root_id, up.depth + 1 FROM up JOIN finding f ON f.cause_id = up.id)
SELECT up.id, up.root_id, up.depth, f.cause_id, row_number() OVER (PARTITION BY up.root_id
	ORDER BY e.ends DESC, CASE f.severity WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END,
		up.depth DESC, e.broken DESC, e.flows DESC, f.confidence DESC, f.first_ns,
		f.kind, f.src_ip, f.dst_ip, f.from_vantage_id, f.to_vantage_id, f.id) AS head
FROM up JOIN finding f ON f.id = up.id JOIN effect e ON e.id = up.id;
CREATE INDEX temp.root_by_id ON root(id);
CREATE TEMP TABLE chain AS
WITH RECURSIVE because(root_id, id, depth) AS (
	SELECT root_id, id, 0 FROM root WHERE head = 1
	UNION
	SELECT b.root_id, r.cause_id, b.depth + 1 FROM because b JOIN root r ON r.id = b.id
	WHERE r.cause_id IS NOT NULL)
SELECT * FROM because;
CREATE INDEX temp.chain_by_id ON chain(id);
CREATE TEMP TABLE numbering AS
SELECT r.id AS old_id, row_number() OVER (
	ORDER BY CASE n.news WHEN 'still' THEN 1 WHEN 'over' THEN 2 ELSE 0 END, s.severity, s.broken DESC, s.flows DESC, h.kind, h.first_ns, h.src_ip, h.dst_ip,
		h.from_vantage_id, h.to_vantage_id, h.id,
		c.depth IS NULL, c.depth, f.first_ns, f.kind, f.src_ip, f.dst_ip, f.from_vantage_id,
		f.to_vantage_id, f.id) AS new_id
FROM root r
JOIN finding f ON f.id = r.id
JOIN effect s ON s.id = r.root_id
JOIN root hr ON hr.root_id = r.root_id AND hr.head = 1
JOIN finding h ON h.id = hr.id
LEFT JOIN chain c ON c.id = r.id
LEFT JOIN news n ON n.id = h.id;
CREATE INDEX temp.numbering_by_old ON numbering(old_id);

UPDATE finding SET cause_id = (SELECT new_id FROM numbering WHERE old_id = cause_id)
WHERE cause_id IS NOT NULL;
UPDATE finding SET id = -(SELECT new_id FROM numbering WHERE old_id = finding.id);
UPDATE finding SET id = -id;
UPDATE evidence SET finding_id = (SELECT new_id FROM numbering WHERE old_id = finding_id);

DELETE FROM finding_news;
INSERT INTO finding_news SELECT o.new_id, n.news, n.runs FROM news n JOIN numbering o ON o.old_id = n.id ORDER BY o.new_id;

-- 5. Proof in order of the findings, no more than evidence_max for each.
CREATE TEMP TABLE kept_evidence AS
SELECT finding_id, capture_file_id, frame, log_file_id, line, flow_id, note, host_file_id FROM (
	SELECT e.*, e.rowid AS entered,
		row_number() OVER (PARTITION BY finding_id ORDER BY e.rowid) AS n FROM evidence e)
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY finding_id, entered;
DELETE FROM evidence;
INSERT INTO evidence SELECT * FROM kept_evidence;
