#include "flowlog/format/duckdb_api.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

static const char remedy[] =
	"Parquet needs DuckDB's library: install libduckdb.so (duckdb.org, \"C/C++\"; or "
	"npm install @duckdb/node-bindings-linux-x64, which has it) and give its path in "
	"BOTHENDS_DUCKDB";

bool duckdb_api_load(struct duckdb_api *ret, const char *library, struct error *err)
{
	struct duckdb_api api = {0};
	const char *missing = NULL;

	if (!library)
		library = getenv("BOTHENDS_DUCKDB");
	if (!library || !*library)
		library = "libduckdb.so";
	api.handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!api.handle) {
		(void)error_set(err, -ENOENT, "%s (cannot load '%.80s')", remedy, library);
		return false;
	}
	/* POSIX: what dlsym returns for a function may be stored in a pointer to one. */
#define DUCKDB_FIND(result, name, arguments)                                                       \
	*(void **)&api.name = dlsym(api.handle, #name);                                            \
	if (!api.name)                                                                             \
		missing = #name;
	DUCKDB_FUNCTIONS(DUCKDB_FIND)
#undef DUCKDB_FIND
	if (missing) {
		(void)error_set(err, -ENOENT, "%s ('%.80s' lacks %s)", remedy, library, missing);
		(void)dlclose(api.handle);
		return false;
	}
	*ret = api;
	return true;
}

void duckdb_api_unload(struct duckdb_api *api)
{
	if (api->handle)
		(void)dlclose(api->handle);
	*api = (struct duckdb_api){0};
}
