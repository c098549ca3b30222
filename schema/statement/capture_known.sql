-- ?1 hash: whether a capture with this content is in the database
SELECT count(*) FROM capture_file WHERE hash = ?1;
