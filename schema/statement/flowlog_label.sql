-- What an interface is called, by its own name or by its addresses.
SELECT label FROM flow_log_name WHERE interface = ?1 OR ip = ?2 OR ip = ?3 ORDER BY interface IS NOT ?1, label LIMIT 1
