-- One capture
SELECT path, hash, vantage_id, bytes FROM capture_file WHERE id = :file;
