-- ?1 vantage, ?2 TCP segments proven to have passed there that its capture lacks
UPDATE vantage SET tcp_missed = ?2 WHERE id = ?1;
