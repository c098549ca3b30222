#include "run/confinement.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sandbox_reader.h"
#include "read/agentfacts.h"

struct path_list {
	struct sandbox_path *paths;
	size_t count, cap;
	char **sidecars; /* among paths, and the list's own */
	size_t sidecar_count, sidecar_cap;
};

/* What the C library and libpcap look up (names of ports and protocols in filters, time zones), and
 * where libduckdb.so may lie. */
static const char *const confinement_system[] = {"/proc/self", "/proc/meminfo", "/dev/null",
	"/dev/urandom", "/sys/devices/system/cpu", "/usr/share/zoneinfo", "/etc/localtime",
	"/etc/services", "/etc/protocols", "/etc/hosts", "/etc/ethers", "/etc/nsswitch.conf",
	"/etc/ld.so.cache", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"};

static void confinement_allow(struct path_list *l, const char *path, unsigned rights)
{
	MEM_RESERVE(l->paths, l->count, l->cap);
	l->paths[l->count++] = (struct sandbox_path){.path = path, .rights = rights};
}

/* What an agent may have written beside a capture. */
static void confinement_allow_sidecar(struct path_list *l, const char *capture)
{
	MEM_RESERVE(l->sidecars, l->sidecar_count, l->sidecar_cap);
	l->sidecars[l->sidecar_count] = agentfacts_sidecar_path(capture);
	confinement_allow(l, l->sidecars[l->sidecar_count++], SANDBOX_READ_FILE);
}

static void confinement_release(struct path_list *l)
{
	for (size_t i = 0; i < l->sidecar_count; i++)
		free(l->sidecars[i]);
	free(l->sidecars);
	free(l->paths);
}

static void confinement_allow_inputs(struct path_list *l, const struct plan_list *inputs)
{
	for (int i = 0; i < inputs->count; i++) {
		const struct plan_argument *a = &inputs->arguments[i];

		confinement_allow(l, a->path, SANDBOX_READ);
		confinement_allow_sidecar(l, a->path);
		for (uint32_t k = 0; k < a->files.count; k++)
			if (a->files.files[k].link)
				confinement_allow(l, a->files.files[k].path, SANDBOX_READ_FILE);
	}
}

/* Folders of LD_LIBRARY_PATH; cuts the text. */
static void confinement_allow_libraries(struct path_list *l, char *folders)
{
	char *next;

	for (char *at = folders ? strtok_r(folders, ":", &next) : NULL; at;
		at = strtok_r(NULL, ":", &next))
		confinement_allow(l, at, SANDBOX_READ);
}

static void confinement_tell(const struct sandbox_held *held)
{
	if (!held->landlock && !held->seccomp)
		(void)fprintf(stderr, "confined: no network, no other programs, no other files\n");
	else
		(void)fprintf(stderr, "confined in part: this kernel lacks %s%s%s\n",
			held->landlock ? "Landlock (files)" : "",
			held->landlock && held->seccomp ? " and " : "",
			held->seccomp ? "seccomp (system calls)" : "");
}

int confinement_enter(
	const struct analyze_options *o, const struct plan_list *inputs, struct error *err)
{
	char *output CLEANUP_FREE = mem_strdup(o->output);
	const char *loader = getenv("LD_LIBRARY_PATH"), *duckdb = getenv("BOTHENDS_DUCKDB");
	char *libraries CLEANUP_FREE = loader ? mem_strdup(loader) : NULL;
	struct path_list l = {0};
	struct sandbox_held held;
	int r;

	for (size_t i = 0; i < sizeof(confinement_system) / sizeof(confinement_system[0]); i++)
		confinement_allow(&l, confinement_system[i], SANDBOX_READ);
	confinement_allow_inputs(&l, inputs);
	confinement_allow_libraries(&l, libraries);
	if (duckdb)
		confinement_allow(&l, duckdb, SANDBOX_READ_FILE);
	for (int i = 0; i < o->flow_logs.name_count; i++)
		confinement_allow(&l, o->flow_logs.names[i], SANDBOX_READ_FILE);
	if (o->rules_dir)
		confinement_allow(&l, o->rules_dir, SANDBOX_READ);
	confinement_allow(&l, dirname(output), SANDBOX_READ | SANDBOX_WRITE);
	r = sandbox_reader_enter(&(struct sandbox_reader){.paths = l.paths,
					 .path_count = l.count,
					 .libraries = true,
					 .links = true,
					 .keep_capabilities = true},
		&held, err);
	confinement_release(&l);
	if (r == 0 && o->verbose)
		confinement_tell(&held);
	return r;
}
