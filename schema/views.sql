-- Views for people: names instead of numbers, and one clock.

CREATE VIEW loss AS -- loss by pair of vantage points and direction
SELECT f.name AS from_vantage, t.name AS to_vantage, p.from_vantage_id, p.to_vantage_id,
	sum(p.sent) AS sent, sum(p.delivered) AS delivered, sum(p.lost) AS lost,
	sum(p.misaddressed) AS misaddressed, sum(p.capture_missed) AS capture_missed,
	sum(p.unjudged) AS unjudged
FROM path p
JOIN vantage f ON f.id = p.from_vantage_id
JOIN vantage t ON t.id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id;

CREATE VIEW capture_drop_count AS -- frames that each capture file says were dropped at a vantage point: by interface where it says so, else of the file
SELECT c.id AS capture_file_id, i.vantage_id, -- of which file, where
	CASE WHEN max(i.dropped_kernel) IS NOT NULL THEN sum(i.dropped_kernel)
		WHEN i.vantage_id = c.vantage_id THEN c.dropped_kernel END AS dropped_kernel, -- by the kernel; NULL: not said
	CASE WHEN max(i.dropped_interface) IS NOT NULL THEN sum(i.dropped_interface)
		WHEN i.vantage_id = c.vantage_id THEN c.dropped_interface END AS dropped_interface -- by the interface; NULL: not said
FROM capture_file c JOIN capture_interface i ON i.capture_file_id = c.id
GROUP BY c.id, i.vantage_id;

CREATE VIEW clock_piece AS -- each vantage's clock model without holes: the piece with valid_from <= t < valid_to says that the reference clock showed t - offset_ns - (t - from_ns) * skew_ppm / 1e6; ref_ns(vantage_id, t) computes it, and gives t unchanged where the vantage point has no row in clock
SELECT v.id AS vantage_id, coalesce(c.from_ns, 0) AS from_ns,
	coalesce(c.offset_ns, c.offset_low_ns, c.offset_high_ns, 0) AS offset_ns,
	coalesce(c.skew_ppm, 0) AS skew_ppm,
	CASE WHEN lag(c.from_ns) OVER pieces IS NULL THEN -9223372036854775808 ELSE c.from_ns END AS valid_from,
	coalesce(lead(c.from_ns) OVER pieces, 9223372036854775807) AS valid_to
FROM vantage v
LEFT JOIN clock c ON c.vantage_id = v.id
WINDOW pieces AS (PARTITION BY v.id ORDER BY c.from_ns);

CREATE VIEW host_clock AS -- which vantage point's clock a host's own times (its logs, facts and counters) are of: ref_ns(vantage_id, t) puts them on the reference clock; no row: it has no capture of its own
SELECT host_id, min(id) AS vantage_id FROM vantage WHERE kind != 'flowlog' GROUP BY host_id;

CREATE VIEW event AS -- segment events with at_ns, their time on the reference clock: when it was sent, else received
SELECT s.*, CASE WHEN s.sent_ns IS NOT NULL THEN ref_ns(s.from_vantage_id, s.sent_ns)
	ELSE ref_ns(s.to_vantage_id, s.received_ns) END AS at_ns
FROM segment_event s;

CREATE VIEW story AS -- findings by story: head (what happened), because (what explains it), also (what else the cause did)
WITH RECURSIVE
	up(finding_id, root_id) AS (
		SELECT id, id FROM finding WHERE cause_id IS NULL
		UNION
		SELECT f.id, up.root_id FROM up JOIN finding f ON f.cause_id = up.finding_id),
	head(root_id, head_id) AS (SELECT root_id, min(finding_id) FROM up GROUP BY root_id),
	because(head_id, finding_id, depth) AS (
		SELECT head_id, head_id, 0 FROM head
		UNION
		SELECT b.head_id, f.cause_id, b.depth + 1
		FROM because b JOIN finding f ON f.id = b.finding_id WHERE f.cause_id IS NOT NULL)
SELECT h.head_id AS story_id, u.root_id, u.finding_id,
	CASE WHEN b.depth IS NULL THEN 'also' WHEN b.depth = 0 THEN 'head' ELSE 'because' END AS role,
	coalesce(b.depth, 0) AS depth
FROM up u
JOIN head h ON h.root_id = u.root_id
LEFT JOIN because b ON b.head_id = h.head_id AND b.finding_id = u.finding_id;

CREATE VIEW flow_community -- flows at each vantage point with their Community ID (version 1, seed 0), as Zeek, Suricata, Arkime and Wireshark name them
AS SELECT f.id AS flow_id, v.vantage_id, f.protocol, v.client_ip, v.client_port, v.server_ip, v.server_port, -- as in flow and flow_vantage
	-- the ports are type and code of ICMP: an echo request. NULL: ICMP without an identifier, which may be another message
	CASE WHEN f.protocol NOT IN ('icmp', 'icmp6')
			THEN community_id(f.protocol, v.client_ip, v.server_ip, v.client_port, v.server_port)
		WHEN v.client_port > 0 THEN community_id(f.protocol, v.client_ip, v.server_ip,
			CASE f.protocol WHEN 'icmp' THEN 8 ELSE 128 END, 0) END AS community_id
FROM flow_vantage v JOIN flow f ON f.id = v.flow_id;
