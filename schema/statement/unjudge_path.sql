-- ?1 flow, ?2 segments, ?3 bytes, ?4 SYNs, ?5 leg, ?6 direction: moves them from lost to unjudged
UPDATE path SET lost = lost - ?2, unjudged = unjudged + ?2, bytes_lost = bytes_lost - ?3,
	bytes_unjudged = bytes_unjudged + ?3, syn_lost = syn_lost - ?4
WHERE flow_id = ?1 AND leg = ?5 AND direction = ?6;
