#include "privdrop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int privdrop_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct error *err)
{
	struct passwd *pw = getpwnam(name ? name : "bothends-agent");

	if (!pw && !name)
		pw = getpwnam("nobody");
	if (!pw)
		return error_set(err, -ENOENT,
			"no user '%s' on this host: useradd -r %s, or name one with --user",
			name ? name : "nobody", name ? name : "bothends-agent");
	if (pw->pw_uid == 0)
		return error_set(
			err, -EPERM, "--user '%s' is root: name one without rights", pw->pw_name);
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

static int privdrop_change_user(struct privdrop *c, struct error *err)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int r;

	if (geteuid() != 0)
		return 0;
	r = privdrop_find_user(c->user, &uid, &gid, err);
	if (r)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return error_errno(err, "cannot become user %d", (int)uid);
	if (setresuid(0, 0, 0) == 0)
		return error_set(err, -EPERM, "could become root again");
	c->user_changed = true;
	return 0;
}

/* Needs CAP_SETPCAP, so before the user changes. Not being able to is fine: sets can't grow either.
 */
static void privdrop_empty_bounding_set(void)
{
	unsigned long cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int privdrop_drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
		0); /* kernels before 4.3 have none */
	if (syscall(SYS_capset, &head, none) < 0)
		return error_errno(err, "cannot drop capabilities");
	return 0;
}

int privdrop(struct privdrop *c, struct error *err)
{
	int r;

	privdrop_empty_bounding_set();
	r = privdrop_change_user(c, err);
	if (!r)
		r = privdrop_drop_capabilities(err);
	if (r)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "cannot forbid new privileges");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a core dump would hold packets */
	r = privdrop_landlock(c, err);
	return r ? r : privdrop_seccomp(c, err);
}
