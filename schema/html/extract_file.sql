-- One capture
SELECT path, hash, vantage_id, frames FROM capture_file WHERE id = :file;
