#include "serve/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sandbox_reader.h"

/* The working directory is the incident's folder. */
static const struct sandbox_path confine_paths[] = {
	{.path = ".", .rights = SANDBOX_READ | SANDBOX_WRITE},
	{.path = "/proc/self", .rights = SANDBOX_READ},
	{.path = "/proc/meminfo", .rights = SANDBOX_READ_FILE},
	{.path = "/sys/devices/system/cpu", .rights = SANDBOX_READ},
	{.path = "/usr/share/zoneinfo", .rights = SANDBOX_READ},
};

static void confine_give_up(const char *why)
{
	(void)fprintf(stderr, "bothends: cannot confine the analysis: %s\n", why);
	_exit(2);
}

static void confine_limit(int resource, uint64_t value)
{
	const struct rlimit l = {.rlim_cur = value, .rlim_max = value};

	if (setrlimit(resource, &l) < 0)
		confine_give_up(strerror(errno));
}

/* Continues without Landlock if the kernel does not have it; everything else is required. */
static void confine_enter_sandbox(void)
{
	const struct sandbox_reader reader = {.paths = confine_paths,
		.path_count = sizeof(confine_paths) / sizeof(confine_paths[0])};
	struct error err = ERROR_INIT;
	struct sandbox_held held;

	if (sandbox_reader_enter(&reader, &held, &err))
		confine_give_up(err.text);
	if (held.landlock && held.landlock != ENOSYS && held.landlock != EOPNOTSUPP)
		confine_give_up(strerror(held.landlock));
	if (held.seccomp)
		confine_give_up(strerror(held.seccomp));
}

void confine(uint64_t memory, uint64_t file, uint64_t cpu_s, pid_t parent)
{
	confine_limit(RLIMIT_CORE, 0);
	confine_limit(RLIMIT_DATA, memory);
	confine_limit(RLIMIT_FSIZE, file);
	confine_limit(RLIMIT_CPU, cpu_s);
	confine_limit(RLIMIT_NOFILE, 1024);
	/* The analysis ends with the server. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		confine_give_up(strerror(errno));
	if (getppid() != parent) /* the server ended before the prctl */
		_exit(2);
	confine_enter_sandbox();
}
