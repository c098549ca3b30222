#include "serve/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sandbox.h"

/* Allowed with any arguments: none of them reaches beyond the process and its files. */
static const int confine_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pwritev),
	SCMP_SYS(pwritev2),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fadvise64),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(umask),
	SCMP_SYS(getcwd),
	SCMP_SYS(flock),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(pipe2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mincore),
	SCMP_SYS(msync),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(restart_syscall),
};

#define ANY_BIT UINT32_MAX
#define THREAD (CLONE_VM | CLONE_THREAD)
#define MAP_KIND (MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS)

/* clang-format off */
/* Not F_SETOWN and F_SETSIG: they make the kernel send signals to other processes. */
#define FCNTL(command) {.number = SCMP_SYS(fcntl), .when = {SANDBOX_BITS(1, ANY_BIT, command)}}
/* Only "is this a terminal, and how wide?". TIOCSTI, for one, would type for the user. */
#define IOCTL(request) {.number = SCMP_SYS(ioctl), .when = {SANDBOX_BITS(1, ANY_BIT, request)}}
/* Never executable: the program itself is already mapped. */
#define MMAP(kind) {.number = SCMP_SYS(mmap), \
	.when = {SANDBOX_BITS(2, PROT_EXEC, 0), SANDBOX_BITS(3, MAP_KIND, kind)}}
/* clang-format on */

static const struct sandbox_call confine_conditional[] = {
	FCNTL(F_DUPFD),
	FCNTL(F_DUPFD_CLOEXEC),
	FCNTL(F_GETFD),
	FCNTL(F_SETFD),
	FCNTL(F_GETFL),
	FCNTL(F_SETFL),
	FCNTL(F_GETLK),
	FCNTL(F_SETLK),
	FCNTL(F_SETLKW),
	IOCTL(TCGETS),
	IOCTL(TIOCGWINSZ),
	/* No shared anonymous memory: RLIMIT_DATA does not count it. */
	MMAP(MAP_PRIVATE),
	MMAP(MAP_PRIVATE | MAP_ANONYMOUS),
	MMAP(MAP_SHARED),
	{.number = SCMP_SYS(mprotect), .when = {SANDBOX_BITS(2, PROT_EXEC, 0)}},
	/* Reads limits only: root could raise its own and lower those of others. */
	{.number = SCMP_SYS(prlimit64), .when = {SANDBOX_IS(0, 0), SANDBOX_IS(2, 0)}},
	/* Signals to itself (abort), not to the server, which has the same user. */
	{.number = SCMP_SYS(tgkill), .own_process = true},
	/* Threads only: a child process could outlive the analysis. */
	{.number = SCMP_SYS(clone), .when = {SANDBOX_BITS(0, THREAD, THREAD)}},
	/* A filter cannot read its arguments; on ENOSYS the C library falls back to clone. */
	{.number = SCMP_SYS(clone3), .refused_with = ENOSYS},
};

/* The working directory is the incident's folder. */
static const struct sandbox_path confine_paths[] = {
	{.path = ".", .rights = SANDBOX_READ | SANDBOX_WRITE},
	{.path = "/proc/self", .rights = SANDBOX_READ},
	{.path = "/proc/meminfo", .rights = SANDBOX_READ_FILE},
	{.path = "/sys/devices/system/cpu", .rights = SANDBOX_READ},
	{.path = "/usr/share/zoneinfo", .rights = SANDBOX_READ},
};

static const struct sandbox confine_sandbox = {
	.calls = confine_calls,
	.call_count = sizeof(confine_calls) / sizeof(confine_calls[0]),
	.conditional = confine_conditional,
	.conditional_count = sizeof(confine_conditional) / sizeof(confine_conditional[0]),
	.paths = confine_paths,
	.path_count = sizeof(confine_paths) / sizeof(confine_paths[0]),
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
	struct error err = ERROR_INIT;
	struct sandbox_held held;

	if (sandbox_enter(&confine_sandbox, &held, &err))
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
