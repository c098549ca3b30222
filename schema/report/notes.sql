-- What a reader must know before trusting the silence: one line each. is_open: it tells of packets that
-- were not judged; these come first, the most important at the top
SELECT text, rank NOT IN (5, 6, 9) AS is_open FROM (
	SELECT 1 AS rank, v.id AS n, 'the capture of ' || v.name || ' is unusable ('
		|| coalesce((SELECT group_concat(value, '; ') FROM json_each(CASE
			WHEN json_valid(v.trust_reasons) THEN v.trust_reasons ELSE json_array(v.trust_reasons) END)),
			'no reason given')
		|| '): no finding uses it' AS text
	FROM vantage v WHERE v.trust = 'unfit'
		-- where no capture has a frame that was used, the verdict says why
		AND EXISTS (SELECT 1 FROM vantage w WHERE w.first_ns IS NOT NULL)
	UNION ALL
	SELECT 2, c.id, 'damaged: ' || c.path || ': ' || c.damaged || '; ' || c.frames
		|| ' frames before the damage were used'
	FROM capture_file c WHERE c.damaged IS NOT NULL
	UNION ALL
	SELECT 2, l.id, 'damaged: ' || l.path || ': ' || l.damaged FROM log_file l WHERE l.damaged IS NOT NULL
	UNION ALL
	SELECT 2, h.id, 'damaged: ' || h.path || ': ' || h.damaged FROM host_file h WHERE h.damaged IS NOT NULL
	UNION ALL
	-- Files of a host: what was not understood is named once, with its number.
	SELECT 9, min(f.id), h.name || ': ' || count(*) || iif(count(*) = 1, ' file', ' files') || ' not understood, so not used: '
		|| (SELECT group_concat(path, ', ') FROM (SELECT path FROM host_file x
			WHERE x.host_id = h.id AND x.kind IS NULL ORDER BY x.id LIMIT 3))
		|| iif(count(*) > 3, ' ...', '')
	FROM host_file f JOIN host h ON h.id = f.host_id WHERE f.kind IS NULL GROUP BY h.id
	UNION ALL
	SELECT 9, f.id, f.path || ': ' || f.malformed || iif(f.kind = 'archive',
		iif(f.malformed = 1, ' member is', ' members are') || ' links, devices or lead out of the archive, and were not read',
		' of ' || f.lines || ' lines not understood, so not used')
	FROM host_file f WHERE f.malformed > 0
	UNION ALL
	SELECT 9, h.id, h.name || ': ' || f.value || iif(f.value = '1', ' line or fact', ' lines or facts')
		|| ' of its agent or neighbor listing not understood, so not used'
	FROM host_fact f JOIN host h ON h.id = f.host_id WHERE f.key = 'facts.malformed'
	UNION ALL
	SELECT 9, f.id, f.path || ': ' || f.cut || iif(f.cut = 1, ' line was', ' lines were') || ' longer than 64 KiB and cut'
	FROM host_file f WHERE f.cut > 0
	UNION ALL
	SELECT 9, f.id, f.path || ': the times of ' || f.undated || iif(f.undated = 1, ' line', ' lines')
		|| ' are not known: nothing tells the year, the time zone (--log-year, --log-zone) or the boot (a copy of /proc/stat)'
	FROM host_file f WHERE f.undated > 0
	UNION ALL
	SELECT 2, c.id, a.frames || iif(a.frames = 1, ' frame', ' frames') || ' of ' || c.path || ' found no room'
		|| ' (too many connections or interfaces): no loss is judged from then on; give more --memory, or fewer hosts (--filter, --from, --to)'
	FROM frame_account a JOIN capture_file c ON c.id = a.capture_file_id WHERE a.disposition = 'flow_table_full'
	UNION ALL
	-- Flow-log lines that could not be used, in short; log_problem has the rest.
	SELECT 2, l.id, l.path || ': ' || a.lines || iif(a.lines = 1, ' line', ' lines') || ' could not be used'
		|| coalesce((SELECT ', the first is line ' || p.line || ': ' || p.reason FROM log_problem p
			WHERE p.log_file_id = l.id AND p.line IS NOT NULL ORDER BY p.line LIMIT 1), '')
	FROM log_file l JOIN log_account a ON a.log_file_id = l.id AND a.disposition = 'malformed'
	UNION ALL
	-- The other end is named where this host spoke with a single address.
	SELECT 3, v.id, 'one capture alone shows that a packet got no answer, not where it was lost: add the other end''s capture'
		|| coalesce((SELECT ' (' || min(m.ip) || ')' FROM mac_use m
			WHERE m.vantage_id = v.id AND m.role = 'source'
				AND m.ip NOT IN (SELECT ip FROM host_address WHERE host_id = v.host_id AND ip IS NOT NULL)
				AND EXISTS (SELECT 1 FROM host_address WHERE host_id = v.host_id AND ip IS NOT NULL)
			HAVING count(DISTINCT m.ip) = 1), '')
	FROM vantage v WHERE v.kind NOT IN ('flowlog', 'kernel') AND (SELECT count(*) FROM vantage WHERE kind NOT IN ('flowlog', 'kernel')) = 1
		AND EXISTS (SELECT 1 FROM flow)
	UNION ALL
	-- Unanswered connections that were not lost between two places: where they were seen last, and which capture would
	-- settle it. Many ports of one server are one line, and so are many servers.
	SELECT 4, min(id), sum(n) || iif(sum(n) = 1, ' connection', ' connections') || ' to '
		|| CASE WHEN servers > most THEN servers || ' servers' WHEN ports > most THEN server_ip || ' (' || ports || ' ports)'
			ELSE endpoint(server_ip, server_port) END
		|| ' got no answer, seen ' || iif(places = 1, 'by ' || name || ' only', 'last by ' || name)
		|| coalesce((SELECT '; ' || i.src_ip || ' says about them: ' || CASE i.type WHEN 11 THEN 'hop limit exceeded (a routing loop, '
				|| 'or a way that is too long)' ELSE 'unreachable (ICMP code ' || i.code || ')' END
			FROM icmp_error i WHERE i.version = 4 AND i.type IN (3, 11) AND i.quoted_dst_ip = server_ip AND servers <= most
			ORDER BY i.type DESC, i.at_ns, i.frame LIMIT 1),
			'; a capture on ' || iif(servers > most, 'one of these', server_ip)
			|| ' would show in which direction the packets were lost')
	FROM (
	SELECT *, max(nth_server) OVER (PARTITION BY place) AS servers, (SELECT value FROM setting WHERE key = 'pairs_max') AS most
	FROM (
	SELECT min(f.id) AS id, count(*) AS n, a.server_ip, a.server_port, v.id AS place, v.name,
		count(*) OVER (PARTITION BY a.server_ip, v.id) AS ports, max(a.position > 0) + 1 AS places,
		dense_rank() OVER (PARTITION BY v.id ORDER BY a.server_ip) AS nth_server
	FROM flow f
	CROSS JOIN flow_vantage a ON a.flow_id = f.id
	CROSS JOIN vantage v ON v.id = a.vantage_id
	WHERE f.outcome = 'unanswered' AND f.pairing != 'ambiguous' AND f.outcome NOT IN ('established', 'closed') -- in the index
		AND f.protocol = 'tcp' AND a.syn_c2s > 0
		AND NOT EXISTS (SELECT 1 FROM flow_vantage b WHERE b.flow_id = f.id AND b.position > a.position)
		AND NOT EXISTS (SELECT 1 FROM path p WHERE p.flow_id = f.id AND p.lost + p.misaddressed + p.unjudged > 0)
		AND NOT EXISTS (SELECT 1 FROM finding d WHERE d.kind IN ('host-drop', 'firewall-drop') AND d.dst_ip = a.server_ip)
		AND NOT EXISTS (SELECT 1 FROM finding d WHERE d.kind = 'hairpin' AND d.src_ip = f.client_ip
			AND f.server_ip IN (d.src_ip, d.dst_ip))
	GROUP BY a.server_ip, a.server_port, v.id))
	GROUP BY place, iif(servers > most, '', server_ip), iif(servers > most OR ports > most, 0, server_port)
	UNION ALL
	-- Answered, and the client's ACK never came: the same from the server's side. Many clients are one line.
	SELECT 4, min(id), sum(n) || iif(sum(n) = 1, ' connection', ' connections') || ' from '
		|| iif(clients > most, clients || ' clients', client_ip) || ' stayed half open: ' || name
		|| ' saw SYN-ACKs for ' || iif(clients > most, 'them', 'it') || ' and nothing came back; a capture on '
		|| iif(clients > most, 'one of these', client_ip) || ' would show whether they arrived'
	FROM (
	SELECT min(f.id) AS id, count(*) AS n, f.client_ip, v.id AS place, v.name, count(*) OVER (PARTITION BY v.id) AS clients,
		(SELECT value FROM setting WHERE key = 'pairs_max') AS most
	FROM flow f
	CROSS JOIN flow_vantage a ON a.flow_id = f.id
	CROSS JOIN vantage v ON v.id = a.vantage_id
	WHERE f.outcome = 'half_open' AND f.outcome NOT IN ('established', 'closed') -- in the index
		AND f.protocol = 'tcp' AND a.syn_s2c > 0 AND a.packets_c2s <= a.syn_c2s
		AND NOT EXISTS (SELECT 1 FROM path p WHERE p.flow_id = f.id)
	GROUP BY f.client_ip, v.id)
	GROUP BY place, iif(clients > most, '', client_ip)
	UNION ALL
	-- Answered, and what the client sent then was never acknowledged: the same.
	SELECT 4, min(f.id), count(*) || iif(count(*) = 1, ' connection', ' connections') || ' to '
		|| endpoint(f.server_ip, f.server_port) || ' got a SYN-ACK and no answer to anything after it, seen by ' || v.name
		|| ' only; a capture on ' || f.server_ip || ' would show whether the later segments arrived'
	FROM flow f
	CROSS JOIN flow_vantage a ON a.flow_id = f.id
	CROSS JOIN vantage v ON v.id = a.vantage_id
	WHERE f.outcome = 'half_open' AND f.outcome NOT IN ('established', 'closed') -- in the index
		AND f.protocol = 'tcp' AND a.syn_s2c > 0 AND a.packets_c2s > a.syn_c2s
		AND NOT EXISTS (SELECT 1 FROM path p WHERE p.flow_id = f.id)
		AND NOT EXISTS (SELECT 1 FROM finding d WHERE d.kind = 'host-drop' AND d.dst_ip = f.server_ip)
	GROUP BY f.server_ip, f.server_port, v.id
	UNION ALL
	-- What the user said, and the packets deny.
	SELECT 5, c.rowid, '--host ' || h.name || '=' || coalesce(c.ip, c.mac) || ' does not agree with the packets: '
		|| c.contradiction || iif(c.ruling = 'own', '; it was used all the same', '; it was not used')
	FROM identity_claim c JOIN host h ON h.id = c.host_id
	WHERE c.evidence = 'stated' AND c.contradiction IS NOT NULL
	UNION ALL
	SELECT 5, min(c.vantage_id), '--scope ' || h.name || '=''' || c.stated || ''' does not agree with the packets: '
		|| c.contradiction || '; it was not used'
	FROM coverage c JOIN vantage v ON v.id = c.vantage_id JOIN host h ON h.id = v.host_id
	WHERE c.contradiction IS NOT NULL
	GROUP BY h.id
	UNION ALL
	-- The survey: an order that is not known matters where packets were lost in between.
	SELECT 4, o.nearer_vantage_id, 'nothing tells for certain whether ' || a.name || ' or ' || b.name || ' is nearer to '
		|| p.client_ip || '; packets were lost between them, in this direction or the other'
		|| coalesce((SELECT ' (' || group_concat(ip, ', ') || ' may be either''s)' FROM (
			SELECT DISTINCT x.ip FROM identity_claim x JOIN identity_claim y ON y.ip = x.ip AND y.ruling = 'open'
				AND y.host_id = b.host_id
			WHERE x.host_id = a.host_id AND x.ruling = 'open' ORDER BY x.ip LIMIT 4)), '')
		|| '; --host ' || ha.name || '=ADDRESS or --host ' || hb.name || '=ADDRESS settles it'
	FROM (SELECT nearer_vantage_id, farther_vantage_id FROM vantage_order WHERE known = 0
		UNION
		-- what goes to a group goes from the first place to each: of these pairs not all stand beside each other in the order
		SELECT t.from_vantage_id, t.to_vantage_id FROM path_total t
		WHERE t.lost + t.misaddressed > 0
			AND NOT EXISTS (SELECT 1 FROM vantage_order k WHERE (k.nearer_vantage_id = t.from_vantage_id AND k.farther_vantage_id = t.to_vantage_id)
				OR (k.nearer_vantage_id = t.to_vantage_id AND k.farther_vantage_id = t.from_vantage_id))
			AND EXISTS (SELECT 1 FROM vantage_order k WHERE k.known = 0 AND t.from_vantage_id IN (k.nearer_vantage_id, k.farther_vantage_id))
			AND EXISTS (SELECT 1 FROM vantage_order k WHERE k.known = 0 AND t.to_vantage_id IN (k.nearer_vantage_id, k.farther_vantage_id))) o
	JOIN vantage a ON a.id = o.nearer_vantage_id JOIN host ha ON ha.id = a.host_id
	JOIN vantage b ON b.id = o.farther_vantage_id JOIN host hb ON hb.id = b.host_id
	JOIN path_total p ON p.lost + p.misaddressed > 0 AND ((p.from_vantage_id = a.id AND p.to_vantage_id = b.id)
		OR (p.from_vantage_id = b.id AND p.to_vantage_id = a.id))
	WHERE a.host_id != b.host_id
		AND NOT EXISTS (SELECT 1 FROM vantage_order k WHERE k.known = 1
			AND k.nearer_vantage_id = a.id AND k.farther_vantage_id = b.id)
	GROUP BY o.nearer_vantage_id, o.farther_vantage_id
	UNION ALL
	SELECT 4, c.vantage_id, 'the capture of ' || v.name || ' leaves out what it '
		|| iif(c.direction = 'in', 'received', 'sent') || ': no loss of that direction is judged there; capture both directions'
	FROM coverage c JOIN vantage v ON v.id = c.vantage_id
	WHERE c.shows = 'never'
	UNION ALL
	SELECT 5, rowid, table_name || ' reached its row limit: ' || kept || ' of ' || total || ' rows were kept; '
		|| 'the counts in path and in the findings are complete'
	FROM (SELECT table_name, kept, total, row_number() OVER (ORDER BY table_name) AS rowid
		FROM limit_reached)
	UNION ALL
	SELECT 6, 0, 'of ' || (SELECT sum(records) FROM flow_log_interface) || ' flow records the sums by pair and hour are kept, and the '
		|| (SELECT count(*) FROM flow_log) || ' that findings cite; --keep all keeps each'
	FROM analysis WHERE key = 'flowlog.keep' AND value = 'proof'
	UNION ALL
	SELECT 6, v.id, 'matching packets of one direction only: the clock offset of ' || v.name
		|| ' has one bound, so no delays are reported for it'
	FROM clock c JOIN vantage v ON v.id = c.vantage_id AND v.kind != 'kernel'
	WHERE c.offset_low_ns IS NULL OR c.offset_high_ns IS NULL
	GROUP BY v.id
	UNION ALL
	SELECT 6, 0, 'the agents of ' || group_concat(name, ', ') || ' hashed payload under different keys: no content is compared between them, '
		|| 'and datagrams without IP ID are told apart by length and time alone; give all agents the same --payload-key'
	FROM (SELECT DISTINCT h.name FROM host_fact k JOIN host h ON h.id = k.host_id
		WHERE k.key GLOB 'source.*.payload_key' AND k.key > 'source.' AND k.key < 'source/' ORDER BY h.id)
	WHERE (SELECT count(DISTINCT k.value) FROM host_fact k
		WHERE k.key GLOB 'source.*.payload_key' AND k.key > 'source.' AND k.key < 'source/') > 1
	HAVING count(*) > 1
	UNION ALL
	-- Clocks may be years off: times that do not overlap are a reason to look, and no proof.
	SELECT 7, 0, 'no packet was seen at two places, so none can be judged: '
		|| CASE WHEN (SELECT max(v.first_ns) >= min(v.last_ns) FROM vantage v WHERE v.kind NOT IN ('flowlog', 'kernel'))
			THEN 'by their own clocks the captures were not made at the same time; '
			WHEN NOT EXISTS (SELECT 1 FROM mac_use a JOIN mac_use b ON b.ip = a.ip AND b.vantage_id > a.vantage_id)
				AND EXISTS (SELECT 1 FROM mac_use)
			THEN 'the captures have no address in common; '
			ELSE 'check what their filters leave out; ' END
		|| 'capture one conversation at both of its ends at the same time'
	WHERE (SELECT count(*) FROM vantage WHERE kind NOT IN ('flowlog', 'kernel')) > 1
		AND EXISTS (SELECT 1 FROM flow) AND NOT EXISTS (SELECT 1 FROM path WHERE received > 0)
	UNION ALL
	SELECT 8, min(f.id), count(*) || ' flows could not be paired unambiguously; no loss is computed for them'
	FROM flow f WHERE f.pairing = 'ambiguous' AND f.pairing IN ('ambiguous', 'proxy') HAVING count(*) > 0
	UNION ALL
	SELECT 9, min(f.id), count(*) || ' flows are two connections joined by a proxy; each connection is judged on its own'
	FROM flow f WHERE f.pairing = 'proxy' AND f.pairing IN ('ambiguous', 'proxy') HAVING count(*) > 0)
ORDER BY is_open DESC, rank, n, text
LIMIT :limit;
