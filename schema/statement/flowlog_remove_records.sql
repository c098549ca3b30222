-- What a killed run left behind.
DELETE FROM flow_log WHERE id >= ?1
