/* facts: any bytes as a comment and as a sidecar, into a database in memory. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "record/hostfacts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One database for all inputs: making it takes longer than any of them. */
static struct db *database(void)
{
	static struct db db;
	struct error err = ERROR_INIT;

	if (db.handle)
		return &db;
	if (db_create(&db, NULL, false, &err) ||
		db_run(&db, "fuzz",
			"INSERT INTO host VALUES (1, 'h');"
			"INSERT INTO vantage(id, host_id, name, kind, interface, trust, "
			"trust_reasons)"
			"VALUES (1, 1, 'h', 'nic', 'eth0', 'sound', '[]');",
			&err))
		abort();
	return &db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct db *db = database();
	struct error err = ERROR_INIT;
	struct hostfacts *hf = hostfacts_new(db, 1);
	CLEANUP_FREE char *text = mem_strndup((const char *)data, size);

	hostfacts_vantage(hf, "eth0", 1);
	(void)hostfacts_comment(hf, text);
	hostfacts_sidecar_bytes(hf, (const char *)data, size);
	hostfacts_finish(hf);
	assert(db_failed(db, &err) == 0);
	return 0;
}
