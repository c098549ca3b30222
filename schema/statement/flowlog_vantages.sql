-- Vantage points that flow logs made, with the name of the host.
SELECT v.id, v.interface, h.name FROM vantage v JOIN host h ON h.id = v.host_id WHERE v.kind = 'flowlog' ORDER BY v.id
