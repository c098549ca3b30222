#include "privdrop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sandbox.h"

/* The system calls that the agent needs once its sources are open. */
static const int privdrop_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(pwrite64),
	SCMP_SYS(writev),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(open),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlinkat),
	SCMP_SYS(readlink),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_getres),
	SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(shutdown),
	SCMP_SYS(ioctl),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(fcntl),
	SCMP_SYS(tgkill),
	SCMP_SYS(sched_yield),
	SCMP_SYS(getrusage),
	SCMP_SYS(getcpu),
	SCMP_SYS(flock),
};

/* Memory, but never executable memory. */
static const struct sandbox_call privdrop_conditional[] = {
	{.number = SCMP_SYS(mmap), .when = {SANDBOX_BITS(2, PROT_EXEC, 0)}},
	{.number = SCMP_SYS(mprotect), .when = {SANDBOX_BITS(2, PROT_EXEC, 0)}},
};

static int privdrop_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct error *err)
{
	struct passwd *pw = getpwnam(name ? name : "bothends-agent");

	if (!pw && !name)
		pw = getpwnam("nobody");
	if (!pw)
		return error_set(err, -ENOENT,
			"no user '%s' on this host: useradd -r %s, or choose one with --user",
			name ? name : "nobody", name ? name : "bothends-agent");
	if (pw->pw_uid == 0)
		return error_set(err, -EPERM, "--user '%s' is root: choose an unprivileged user",
			pw->pw_name);
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

static int privdrop_change_user(const struct privdrop *p, struct error *err)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int r;

	if (geteuid() != 0)
		return 0;
	r = privdrop_find_user(p->user, &uid, &gid, err);
	if (r)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return error_errno(err, "cannot change to user %d", (int)uid);
	if (setresuid(0, 0, 0) == 0)
		return error_set(err, -EPERM, "cannot drop root: setuid(0) still works");
	return 0;
}

/* Facts are read again every interval, so /proc and /sys (or their copy) stay readable. */
static int privdrop_enter_sandbox(struct privdrop *p, struct error *err)
{
	const bool copied = p->root->dir;
	const struct sandbox_path paths[] = {
		{.fd = p->output_fd, .rights = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE_SOCKET},
		{.path = copied ? NULL : "/proc", .fd = p->root->fd, .rights = SANDBOX_READ},
		{.path = "/sys", .rights = SANDBOX_READ},
	};
	const struct sandbox s = {
		.calls = privdrop_calls,
		.call_count = sizeof(privdrop_calls) / sizeof(privdrop_calls[0]),
		.conditional = privdrop_conditional,
		.conditional_count = sizeof(privdrop_conditional) / sizeof(privdrop_conditional[0]),
		.paths = paths,
		.path_count = copied ? 2 : 3,
	};
	struct sandbox_held held;
	int r = sandbox_enter(&s, &held, err);

	p->landlock = !r && !held.landlock;
	p->seccomp = !r && !held.seccomp;
	return r;
}

int privdrop(struct privdrop *p, struct error *err)
{
	int r;

	sandbox_bound_capabilities(); /* needs CAP_SETPCAP, lost with the change of user */
	r = privdrop_change_user(p, err);
	if (r)
		return r;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a core dump would contain packets */
	return privdrop_enter_sandbox(p, err);
}
