#include "base/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- capabilities --- */

void sandbox_bound_capabilities(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int sandbox_drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {{0}, {0}};

	sandbox_bound_capabilities();
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* none before Linux 4.3 */
	if (syscall(SYS_capset, &head, none) < 0)
		return error_errno(err, "cannot drop capabilities");
	return 0;
}

/* --- files: Documentation/userspace-api/landlock.rst --- */

/* Newer than the headers of stable distributions. */
enum {
	FS_REFER = 1 << 13,	/* ABI 2 */
	FS_TRUNCATE = 1 << 14,	/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
	NET_TCP = 3,		/* ABI 4: bind, connect */
	SCOPE_ALL = 3,		/* ABI 6: abstract unix sockets, signals */
};

struct sandbox_ruleset {
	uint64_t fs, net, scoped;
};

/* All that this kernel can refuse, and the size of the structure as it knows it. */
static struct sandbox_ruleset sandbox_all_of(long abi, size_t *ret_size)
{
	const uint64_t abi1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	struct sandbox_ruleset all = {.fs = abi1};

	all.fs |= (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
		  (abi >= 5 ? FS_IOCTL_DEV : 0);
	all.net = abi >= 4 ? NET_TCP : 0;
	all.scoped = abi >= 6 ? SCOPE_ALL : 0;
	*ret_size = (abi >= 6 ? 3 : abi >= 4 ? 2 : 1) * sizeof(uint64_t);
	return all;
}

static uint64_t sandbox_landlock_rights(unsigned rights)
{
	return (rights & SANDBOX_READ_FILE ? LANDLOCK_ACCESS_FS_READ_FILE : 0) |
	       (rights & SANDBOX_READ_FOLDER ? LANDLOCK_ACCESS_FS_READ_DIR : 0) |
	       (rights & SANDBOX_WRITE
			       ? LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
					 LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE
			       : 0) |
	       (rights & SANDBOX_MAKE_SOCKET ? LANDLOCK_ACCESS_FS_MAKE_SOCK : 0);
}

#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

static int sandbox_add_path(int ruleset, const struct sandbox_path *p, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = sandbox_landlock_rights(p->rights) & handled, .parent_fd = p->fd};
	struct stat st;
	int r;

	if (p->path)
		rule.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (p->path && rule.parent_fd < 0)
		return 0; /* not there: nothing to allow */
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_RIGHTS; /* a file takes no others */
	r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (r < 0 && errno == EBADFD)
		r = 0; /* a pipe without a name: Landlock does not restrict it */
	if (p->path)
		close(rule.parent_fd);
	return r;
}

static int sandbox_restrict_files(const struct sandbox *s, int *ret_held, struct error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct sandbox_ruleset all;
	size_t size;
	int ruleset, r = 0;

	*ret_held = abi < 0 ? errno : 0;
	if (abi < 0)
		return 0;
	all = sandbox_all_of(abi, &size);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
	if (ruleset < 0)
		return error_errno(err, "cannot make a Landlock ruleset");
	for (size_t i = 0; i < s->path_count && r == 0; i++)
		r = sandbox_add_path(ruleset, &s->paths[i], all.fs);
	if (r == 0)
		r = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (r < 0)
		r = error_errno(err, "cannot restrict file access");
	close(ruleset);
	return r;
}

/* --- system calls --- */

static int sandbox_add_call(scmp_filter_ctx filter, const struct sandbox_call *c)
{
	uint32_t action =
		c->refused_with ? SCMP_ACT_ERRNO((uint32_t)c->refused_with) : SCMP_ACT_ALLOW;
	struct scmp_arg_cmp when[3];
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(c->when) / sizeof(c->when[0]); i++)
		if (c->when[i].op)
			when[n++] = c->when[i];
	if (c->own_process)
		when[n++] = (struct scmp_arg_cmp)SANDBOX_IS(0, (scmp_datum_t)getpid());
	assert(n <= sizeof(when) / sizeof(when[0]));
	return seccomp_rule_add_array(filter, action, c->number, n, when);
}

static int sandbox_fill_filter(scmp_filter_ctx filter, const struct sandbox *s)
{
	int r = 0;

	for (size_t i = 0; i < s->call_count && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, s->calls[i], 0);
	for (size_t i = 0; i < s->conditional_count && r == 0; i++)
		r = sandbox_add_call(filter, &s->conditional[i]);
	return r;
}

/* A kernel that knows filters says EFAULT to one at address 0, any other EINVAL (seccomp(2)). */
static bool sandbox_has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 || errno != EINVAL;
}

static int sandbox_restrict_calls(const struct sandbox *s, int *ret_held, struct error *err)
{
	scmp_filter_ctx filter;
	int r;

	*ret_held = sandbox_has_filters() ? 0 : EINVAL;
	if (*ret_held)
		return 0;
	/* EPERM, not a signal: a library that tries something new must not end the program. */
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	r = filter ? sandbox_fill_filter(filter, s) : -ENOMEM;
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r == 0)
		return 0;
	errno = -r;
	return error_errno(err, "cannot filter system calls");
}

int sandbox_enter(const struct sandbox *s, struct sandbox_held *ret_held, struct error *err)
{
	int r = s->keep_capabilities ? 0 : sandbox_drop_capabilities(err);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = error_errno(err, "cannot forbid new privileges");
	if (r == 0)
		r = sandbox_restrict_files(s, &ret_held->landlock, err);
	return r ? r : sandbox_restrict_calls(s, &ret_held->seccomp, err);
}
