-- ?1 path: whether the database has this file of a host, or archive
SELECT count(*) FROM host_file WHERE path = ?1 AND kind IS NOT NULL;
