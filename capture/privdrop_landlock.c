/* Landlock (Documentation/userspace-api/landlock.rst): files by folder, no TCP, no signals. */
#include "privdrop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers of stable distributions. */
enum {
	FS_REFER = 1 << 13,	/* ABI 2 */
	FS_TRUNCATE = 1 << 14,	/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
	NET_TCP = 3,		/* ABI 4: bind, connect */
	SCOPE_ALL = 3,		/* ABI 6: abstract unix sockets, signals */
};

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE                                                                                      \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                             \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define ALL_ABI1 ((UINT64_C(1) << 13) - 1)

static int allow(int ruleset, int folder, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = folder};

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* Facts are read anew every interval: /proc and /sys, or the copy, stay readable. */
static int allow_reading(int ruleset, const struct rootfs *root)
{
	static const char *const folders[] = {"proc", "sys"};
	int fd, r = 0;
	unsigned i;

	if (root->dir)
		return allow(ruleset, root->fd, READ);
	for (i = 0; i < 2 && !r; i++) {
		fd = rootfs_fd(root, O_PATH | O_DIRECTORY, folders[i]);
		if (fd < 0)
			continue;
		r = allow(ruleset, fd, READ);
		close(fd);
	}
	return r;
}

int privdrop_landlock(struct privdrop *c, struct error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr attr = {.fs = ALL_ABI1};
	uint64_t write = READ | WRITE;
	size_t size = sizeof(attr.fs);
	int ruleset, r = 0;

	if (abi < 1)
		return 0; /* an older kernel, or switched off: the flag tells */
	attr.fs |= (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
		   (abi >= 5 ? FS_IOCTL_DEV : 0);
	write |= abi >= 3 ? FS_TRUNCATE : 0;
	if (abi >= 4) {
		attr.net = NET_TCP;
		size = 2 * sizeof(uint64_t);
	}
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size = sizeof(attr);
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return error_errno(err, "cannot make a Landlock ruleset");
	if (allow(ruleset, c->output_fd, write) < 0 || allow_reading(ruleset, c->root) < 0 ||
		syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = error_errno(err, "cannot confine file access");
	close(ruleset);
	c->landlock = !r;
	return r;
}
