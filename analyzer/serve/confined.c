#include "serve/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd.h"

extern char **environ;

#define ARGUMENTS_MAX 512
#define STDERR_NAME "stderr"

/* ---- the server's side ---- */

static int spawn(const char *folder, const char *const *arguments, const char *out, const struct confined_limits *l, pid_t *ret_pid)
{
	char memory[32], file[32], cpu[32];
	const char *argv[ARGUMENTS_MAX + 8] = {"bothends", "serve", "--confined", memory, file, cpu};
	const char *const env[] = {"LANG=C.UTF-8", "TMPDIR=.", "SQLITE_TMPDIR=.", NULL};
	posix_spawn_file_actions_t actions;
	int n = 6, r;

	(void)snprintf(memory, sizeof(memory), "%llu", (unsigned long long)l->memory);
	(void)snprintf(file, sizeof(file), "%llu", (unsigned long long)l->file);
	(void)snprintf(cpu, sizeof(cpu), "%u", l->cpu_s);
	for (int i = 0; arguments[i] && i < ARGUMENTS_MAX; i++)
		argv[n++] = arguments[i];
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addchdir_np(&actions, folder);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, out ? out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_addopen(&actions, 2, STDERR_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	r = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, (char *const *)argv, (char *const *)env);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Waits for pid, and ends it when its time is over. */
static int wait_for(pid_t pid, unsigned wall_s, bool *ret_late)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int status;

	*ret_late = false;
	for (unsigned i = 0;; i++) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
		if (i == wall_s * 50) {
			*ret_late = true;
			(void)kill(pid, SIGKILL);
		}
		(void)nanosleep(&pause, NULL);
	}
}

/* The first line that the command wrote to standard error. */
static void first_line(const char *folder, char line[400])
{
	CLEANUP_FREE char *path = mem_printf("%s/" STDERR_NAME, folder);
	FILE *f = fopen(path, "re");

	line[0] = '\0';
	if (f && fgets(line, 400, f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		(void)fclose(f);
	(void)unlink(path);
}

int confined_run(const char *folder, const char *const *arguments, const char *out,
	const struct confined_limits *limits, struct error *err)
{
	char line[400];
	bool late;
	pid_t pid;
	int status, r = spawn(folder, arguments, out, limits, &pid);

	if (r)
		return error_set(err, -r, "cannot start the analysis: %s", strerror(r));
	status = wait_for(pid, limits->wall_s, &late);
	first_line(folder, line);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (late)
		return error_set(err, CONFINED_LIMITED, "stopped after %u s: more than this server allows", limits->wall_s);
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return error_set(err, CONFINED_LIMITED, "stopped after %u s of processor time: more than this server allows",
			limits->cpu_s);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		return error_set(err, CONFINED_LIMITED, "stopped: its result is larger than this server allows");
	if (WIFSIGNALED(status))
		return error_set(err, CONFINED_FAILED, "stopped by signal %d", WTERMSIG(status));
	return error_set(err, CONFINED_FAILED, "%.390s", line[0] ? line : "failed without a word");
}

/* ---- the confined side ---- */

static void limit(int what, uint64_t value)
{
	const struct rlimit l = {.rlim_cur = value, .rlim_max = value};

	if (setrlimit(what, &l) < 0) {
		perror("bothends: setrlimit");
		_exit(EXIT_USAGE);
	}
}

static void allow_folder(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return; /* not there: nothing to allow */
	(void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	(void)close(rule.parent_fd);
}

/* Everything but the working directory is out of reach; a kernel without Landlock leaves the rest in place. */
static void confine_files(void)
{
	const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	const struct landlock_ruleset_attr all = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (ruleset < 0) {
		if (errno == ENOSYS || errno == EOPNOTSUPP)
			return;
		perror("bothends: landlock");
		_exit(EXIT_USAGE);
	}
	allow_folder(ruleset, ".", all.handled_access_fs & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
	allow_folder(ruleset, "/proc/self", read);
	allow_folder(ruleset, "/proc/meminfo", LANDLOCK_ACCESS_FS_READ_FILE);
	allow_folder(ruleset, "/sys/devices/system/cpu", read);
	allow_folder(ruleset, "/usr/share/zoneinfo", read);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		perror("bothends: landlock");
		_exit(EXIT_USAGE);
	}
	(void)close(ruleset);
}

/* Files, memory, threads and time; no sockets, no other programs, no other processes. */
static void confine_calls(void)
{
	static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
		SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(fstat),
		SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(lseek),
		SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(rename),
		SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir),
		SCMP_SYS(rmdir), SCMP_SYS(getdents64), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
		SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fadvise64),
		SCMP_SYS(copy_file_range), SCMP_SYS(fchmod), SCMP_SYS(chmod), SCMP_SYS(umask), SCMP_SYS(getcwd),
		SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe2),
		SCMP_SYS(ioctl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
		SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(msync), SCMP_SYS(brk),
		SCMP_SYS(clone), SCMP_SYS(futex), SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(exit),
		SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
		SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(tgkill), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
		SCMP_SYS(sched_getaffinity), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
		SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
		SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(restart_syscall)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	/* The C library falls back to clone, which stays the only way to start a thread. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_load(filter);
	if (r) {
		(void)fprintf(stderr, "bothends: seccomp: %s\n", strerror(-r));
		_exit(EXIT_USAGE);
	}
	seccomp_release(filter);
}

int confined_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} commands[] = {{"analyze", cmd_analyze}, {"report", cmd_report}, {"query", cmd_query}, {"extract", cmd_extract}};
	uint64_t cpu;

	if (argc < 6)
		return EXIT_USAGE;
	cpu = strtoull(argv[4], NULL, 10);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_DATA, strtoull(argv[2], NULL, 10));
	limit(RLIMIT_FSIZE, strtoull(argv[3], NULL, 10));
	limit(RLIMIT_CPU, cpu);
	limit(RLIMIT_NOFILE, 1024);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return EXIT_USAGE;
	confine_files();
	confine_calls();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[5], commands[i].name) == 0)
			return commands[i].run(argc - 5, argv + 5);
	return EXIT_USAGE;
}
