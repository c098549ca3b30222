#include "serve/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than Debian's headers; the kernel says which it knows. */
#define FS_REFER (UINT64_C(1) << 13)	 /* from version 2 on */
#define FS_TRUNCATE (UINT64_C(1) << 14)	 /* 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* 5 */

static void give_up(const char *what, int error)
{
	(void)fprintf(stderr, "bothends: cannot confine the analysis: %s: %s\n", what, strerror(error));
	_exit(2);
}

static void limit(int what, uint64_t value)
{
	const struct rlimit l = {.rlim_cur = value, .rlim_max = value};

	if (setrlimit(what, &l) < 0)
		give_up("setrlimit", errno);
}

/* A server that root started: the user stays root, and loses what makes root more than a user. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {{0}, {0}};

	if (syscall(SYS_capset, &header, none) < 0)
		give_up("capset", errno);
}

static void allow_folder(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return; /* not there: nothing to allow */
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		give_up("landlock", errno);
	(void)close(rule.parent_fd);
}

/* All that this kernel can refuse. */
static uint64_t file_rights(long version)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	return rights | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0) | (version >= 5 ? FS_IOCTL_DEV : 0);
}

static void confine_files(void)
{
	const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	const uint64_t work = read | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct landlock_ruleset_attr all = {.handled_access_fs = file_rights(version)};
	int ruleset;

	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		give_up("landlock", errno);
	allow_folder(ruleset, ".", work & all.handled_access_fs);
	allow_folder(ruleset, "/proc/self", read);
	allow_folder(ruleset, "/proc/meminfo", LANDLOCK_ACCESS_FS_READ_FILE);
	allow_folder(ruleset, "/sys/devices/system/cpu", read);
	allow_folder(ruleset, "/usr/share/zoneinfo", read);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		give_up("landlock", errno);
	(void)close(ruleset);
}

/* Calls that are let through whatever their arguments: none of them reaches beyond the process and its files. */
static const int harmless[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pwritev), SCMP_SYS(pwritev2), SCMP_SYS(open), SCMP_SYS(openat),
	SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(lseek),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fadvise64), SCMP_SYS(copy_file_range), SCMP_SYS(umask),
	SCMP_SYS(getcwd), SCMP_SYS(flock), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mincore),
	SCMP_SYS(msync), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(restart_syscall)};

/* fcntl can make the kernel send signals to others (F_SETOWN, F_SETSIG): these commands cannot. */
static const int locks_and_flags[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW};

/* Is this a terminal, and how wide: it never is. Other requests have no business here (TIOCSTI types for the user). */
static const int terminal[] = {TCGETS, TIOCGWINSZ};

/*
 * Memory is private or a file's: shared memory without a file is not counted by RLIMIT_DATA. It is
 * never executable: code comes from the program alone, which was mapped before.
 */
static const unsigned mappings[] = {MAP_PRIVATE, MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED};

static int allow_some(scmp_filter_ctx filter)
{
	const scmp_datum_t thread = CLONE_VM | CLONE_THREAD;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(locks_and_flags) / sizeof(locks_and_flags[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)locks_and_flags[i]));
	for (size_t i = 0; r == 0 && i < sizeof(terminal) / sizeof(terminal[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)terminal[i]));
	for (size_t i = 0; r == 0 && i < sizeof(mappings) / sizeof(mappings[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
			SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS, mappings[i]));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* Limits may be read, not set: root may raise its own, and lower those of others. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
	/* A signal to itself (abort); not to the server, which has the same user. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* Threads end with the process; processes would outlive it. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
	/* Its arguments are out of a filter's reach; told that it is not there, the C library takes clone. */
	return r ? r : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static void confine_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(harmless) / sizeof(harmless[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, harmless[i], 0);
	if (r == 0)
		r = allow_some(filter);
	if (r == 0)
		r = seccomp_load(filter);
	if (r)
		give_up("seccomp", -r);
	seccomp_release(filter);
}

void confine(uint64_t memory, uint64_t file, uint64_t cpu_s, pid_t parent)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_DATA, memory);
	limit(RLIMIT_FSIZE, file);
	limit(RLIMIT_CPU, cpu_s);
	limit(RLIMIT_NOFILE, 1024);
	/* A server that ends takes its analyses with it. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		give_up("prctl", errno);
	if (getppid() != parent) /* it ended before that was asked for */
		_exit(2);
	drop_capabilities();
	confine_files();
	confine_calls();
}
