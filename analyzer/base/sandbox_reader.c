#include "base/sandbox_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* Allowed with any arguments: none of them reaches beyond the process and its files. */
static const int sandbox_reader_calls[] = {
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
	SCMP_SYS(fchmod),
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
	SCMP_SYS(eventfd2),
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

static const struct sandbox_call sandbox_reader_conditional[] = {
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
	/* Signals to itself (abort), not to others of the same user. */
	{.number = SCMP_SYS(tgkill), .own_process = true},
	/* Threads only: a child process could outlive its parent. */
	{.number = SCMP_SYS(clone), .when = {SANDBOX_BITS(0, THREAD, THREAD)}},
	/* A filter cannot read its arguments; on ENOSYS the C library falls back to clone. */
	{.number = SCMP_SYS(clone3), .refused_with = ENOSYS},
};

/* What the loader maps of a shared library: from a file, and never writable as well. */
static const struct sandbox_call sandbox_reader_library = {.number = SCMP_SYS(mmap),
	.when = {SANDBOX_BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
		SANDBOX_BITS(3, MAP_KIND, MAP_PRIVATE)}};

/* What gives a file its name where the file system cannot rename without replacing. */
static const struct sandbox_call sandbox_reader_links[] = {
	{.number = SCMP_SYS(link)}, {.number = SCMP_SYS(linkat)}};

int sandbox_reader_enter(
	const struct sandbox_reader *r, struct sandbox_held *ret_held, struct error *err)
{
	enum { CONDITIONAL = sizeof(sandbox_reader_conditional) / sizeof(struct sandbox_call) };
	struct sandbox_call conditional[CONDITIONAL + 3];
	struct sandbox s = {.calls = sandbox_reader_calls,
		.call_count = sizeof(sandbox_reader_calls) / sizeof(sandbox_reader_calls[0]),
		.conditional = conditional,
		.conditional_count = CONDITIONAL,
		.paths = r->paths,
		.path_count = r->path_count,
		.keep_capabilities = r->keep_capabilities};

	memcpy(conditional, sandbox_reader_conditional, sizeof(sandbox_reader_conditional));
	if (r->libraries)
		conditional[s.conditional_count++] = sandbox_reader_library;
	for (int i = 0; i < 2 && r->links; i++)
		conditional[s.conditional_count++] = sandbox_reader_links[i];
	return sandbox_enter(&s, ret_held, err);
}
