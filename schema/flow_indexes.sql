-- Indexes of the tables that have rows for every flow or lost packet. A run makes them empty and writes
-- them together with the rows (analyzer/record/flowindex.c, which has to agree with every line here);
-- elsewhere SQLite makes them afterwards. The partial ones hold what rules look for among all flows.

CREATE INDEX IF NOT EXISTS flow_by_client ON flow(client_ip, server_ip);
CREATE INDEX IF NOT EXISTS flow_by_outcome ON flow(outcome) WHERE outcome NOT IN ('established', 'closed');
CREATE INDEX IF NOT EXISTS flow_by_pairing ON flow(pairing) WHERE pairing IN ('ambiguous', 'proxy');
CREATE INDEX IF NOT EXISTS path_missed ON path(flow_id) WHERE capture_missed > 0 OR sender_missed > 0;
CREATE INDEX IF NOT EXISTS path_syn_lost ON path(flow_id) WHERE syn_lost > 0;
CREATE INDEX IF NOT EXISTS segment_event_by_flow ON segment_event(flow_id);
CREATE INDEX IF NOT EXISTS segment_event_by_kind
	ON segment_event(kind, from_vantage_id, to_vantage_id, sent_ns);
CREATE INDEX IF NOT EXISTS segment_event_syn
	ON segment_event(kind, from_vantage_id, to_vantage_id, sent_ns) WHERE tcp_flags & 2;
