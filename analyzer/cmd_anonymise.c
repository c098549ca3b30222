/* bothends anonymise: a capture as a pcapng file that can be shared. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "anonymise/anonymise.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "cmd.h"

#define KEY_SIZE_MAX 4096
#define THREAD (CLONE_VM | CLONE_THREAD)

enum { KEY_KEY = 256, KEY_FORCE };

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "pcapng to write (-: standard output)", 0},
	{"key", KEY_KEY, "FILE", 0,
		"secret of at least 16 bytes; the same key for the captures of both ends. Make one "
		"with: head -c 32 /dev/urandom > FILE",
		0},
	{"force", KEY_FORCE, NULL, 0, "replace the output if bothends anonymise wrote it", 0},
	{0},
};

struct request {
	const char *input, *output, *key;
	bool force;
};

static error_t cmd_anonymise_parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case 'o':
		r->output = arg;
		return 0;
	case KEY_KEY:
		r->key = arg;
		return 0;
	case KEY_FORCE:
		r->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (r->input)
			argp_error(state, "unexpected argument '%s': one capture at a time", arg);
		r->input = arg;
		return 0;
	case ARGP_KEY_END:
		if (!r->input || !r->output || !r->key)
			argp_error(state,
				"missing %s (try: bothends anonymise a.pcapng -o "
				"shared.pcapng --key FILE)",
				!r->input    ? "capture"
				: !r->output ? "--output"
					     : "--key");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int cmd_anonymise_read_key(const char *path, struct disguise **ret, struct error *err)
{
	uint8_t key[KEY_SIZE_MAX];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return error_errno(err, "cannot open '%s'", path);
	n = fread(key, 1, sizeof(key), f);
	(void)fclose(f);
	if (n < DISGUISE_KEY_MIN)
		return error_set(err, -EINVAL,
			"the key in '%s' is shorter than %d bytes; make one with: head -c 32 "
			"/dev/urandom > FILE",
			path, DISGUISE_KEY_MIN);
	*ret = disguise_new(key, n, err);
	explicit_bzero(key, sizeof(key));
	return *ret ? 0 : -ENOTSUP;
}

/* clang-format off */
/* Reading one file, writing beside another, memory, and the thread that decompresses. */
static const int cmd_anonymise_calls[] = {
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(open),
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(fsync),
	SCMP_SYS(fchmod), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fcntl), SCMP_SYS(fadvise64), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getrandom), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sysinfo), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(restart_syscall), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(sigaltstack),
	SCMP_SYS(getrusage), SCMP_SYS(umask),
};

static const struct sandbox_call cmd_anonymise_conditional[] = {
	{.number = SCMP_SYS(mmap), .when = {SANDBOX_BITS(2, PROT_EXEC, 0)}},
	{.number = SCMP_SYS(mprotect), .when = {SANDBOX_BITS(2, PROT_EXEC, 0)}},
	{.number = SCMP_SYS(prlimit64), .when = {SANDBOX_IS(0, 0), SANDBOX_IS(2, 0)}},
	{.number = SCMP_SYS(tgkill), .own_process = true},
	{.number = SCMP_SYS(clone), .when = {SANDBOX_BITS(0, THREAD, THREAD)}},
	{.number = SCMP_SYS(clone3), .refused_with = ENOSYS},
	{.number = SCMP_SYS(ioctl), .refused_with = ENOTTY},
};
/* clang-format on */

/* From here on only the capture can be read, and only its folder's neighbours can be written. On a
 * kernel without Landlock or seccomp the rest of the protection holds. */
static int cmd_anonymise_confine(const struct request *r, struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(r->output);
	const struct sandbox_path paths[] = {
		{.path = r->input, .rights = SANDBOX_READ_FILE},
		{.path = dirname(copy), .rights = SANDBOX_READ | SANDBOX_WRITE},
		{.path = "/sys/devices/system/cpu", .rights = SANDBOX_READ},
		{.path = "/proc/self", .rights = SANDBOX_READ},
	};
	const struct sandbox sandbox = {
		.calls = cmd_anonymise_calls,
		.call_count = sizeof(cmd_anonymise_calls) / sizeof(cmd_anonymise_calls[0]),
		.conditional = cmd_anonymise_conditional,
		.conditional_count =
			sizeof(cmd_anonymise_conditional) / sizeof(cmd_anonymise_conditional[0]),
		.paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
	};
	struct sandbox_held held;

	return sandbox_enter(&sandbox, &held, err);
}

struct writing {
	const struct request *request;
	struct disguise *disguise;
	struct anonymise_counts counts;
};

static int cmd_anonymise_write(void *context, FILE *f, struct error *err)
{
	struct writing *w = context;

	return anonymise_write(
		w->disguise, w->request->input, BOTHENDS_VERSION, f, &w->counts, err);
}

static int cmd_anonymise_to_file(struct writing *w, struct error *err)
{
	const char *path = w->request->output;

	if (strcmp(path, "-") == 0)
		return cmd_anonymise_write(w, stdout, err);
	if (!w->request->force && access(path, F_OK) == 0)
		return error_set(err, -EEXIST,
			"'%s' exists; use --force to replace it, or another --output", path);
	return outfile_write(&(struct outfile){.path = path,
				     .mode = 0644,
				     .what = "a file that bothends anonymise wrote",
				     .is_what = anonymise_is_ours,
				     .write = cmd_anonymise_write,
				     .context = w},
		err);
}

static void cmd_anonymise_say(const struct writing *w)
{
	const struct anonymise_counts *c = &w->counts;

	(void)fprintf(stderr, "%s: %llu frames", w->request->output, (unsigned long long)c->frames);
	if (c->facts_dropped)
		(void)fprintf(stderr, ", %llu comments and facts left out",
			(unsigned long long)c->facts_dropped);
	if (c->filters_dropped)
		(void)fprintf(stderr, ", %llu capture filters left out (they hold names)",
			(unsigned long long)c->filters_dropped);
	(void)fprintf(stderr, "\n");
	if (c->damaged)
		(void)fprintf(stderr,
			"bothends anonymise: the capture is damaged, so its rest is "
			"missing: %s\n",
			c->damaged);
}

int cmd_anonymise(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_anonymise_parse, "CAPTURE",
		"Writes a capture that can be shared: addresses, MACs and names are disguised by a "
		"key, payload is replaced, comments, facts and secrets are left out. Lengths, "
		"times, IDs, ports and sequence numbers stay, so bothends analyze says the same of "
		"it.",
		NULL, NULL, NULL};
	struct request r = {0};
	struct writing w = {.request = &r};
	struct error err = ERROR_INIT;
	int result;

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	result = cmd_anonymise_read_key(r.key, &w.disguise, &err);
	if (result == 0)
		result = cmd_anonymise_confine(&r, &err);
	if (result == 0)
		result = cmd_anonymise_to_file(&w, &err);
	if (result == 0)
		cmd_anonymise_say(&w);
	disguise_free(w.disguise);
	free(w.counts.damaged);
	return result == 0 ? EXIT_SUCCESS : cmd_failed("anonymise", &err);
}
