/* sandbox: each test enters one in a process of its own and tries what must work and what must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/bothends-sandbox-XXXXXX";

/* What every test process needs to report and end. A build with sanitizers asks for the alternate
 * stack before each function that does not return. */
static const int calls[] = {SCMP_SYS(exit_group), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(openat),
	SCMP_SYS(close), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(capget),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack)};
static const struct sandbox_call conditional[] = {
	{.number = SCMP_SYS(mmap), .when = {SANDBOX_BITS(2, PROT_EXEC, 0)}},
	{.number = SCMP_SYS(prctl), .when = {SANDBOX_IS(0, PR_GET_NO_NEW_PRIVS), SANDBOX_IS(1, 0)}},
	{.number = SCMP_SYS(tgkill), .own_process = true},
	{.number = SCMP_SYS(getpriority), .refused_with = ENOSYS},
};

/* Steps are numbered by line: a child ends with 1 and says which did not hold. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)dprintf(2, "line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define REFUSED(call, number)                                                                      \
	do {                                                                                       \
		errno = 0;                                                                         \
		HOLDS((long)(call) == -1 && errno == (number));                                    \
	} while (0)

static void in_child(void (*steps)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		HOLDS(chdir(folder) == 0);
		steps();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static struct sandbox_held enter(const struct sandbox_path *paths, size_t n)
{
	const struct sandbox s = {.calls = calls,
		.call_count = COUNT(calls),
		.conditional = conditional,
		.conditional_count = COUNT(conditional),
		.paths = paths,
		.path_count = n};
	struct sandbox_held held;
	struct error err = ERROR_INIT;

	if (sandbox_enter(&s, &held, &err)) {
		(void)dprintf(2, "%s\n", err.text);
		_exit(1);
	}
	return held;
}

static void try_calls(void)
{
	pid_t parent = getppid();
	struct sandbox_held held = enter(NULL, 0);

	HOLDS(held.seccomp == 0);
	REFUSED(socket(AF_INET, SOCK_STREAM, 0), EPERM);
	REFUSED(syscall(SYS_fork), EPERM);
	REFUSED(syscall(SYS_getpriority, 0, 0), ENOSYS);
	HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	REFUSED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EPERM);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	REFUSED(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EPERM); /* the second condition */
	REFUSED(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), EPERM);	/* the first */
	REFUSED(syscall(SYS_tgkill, parent, parent, 0), EPERM);
	REFUSED(syscall(SYS_tgkill, 0, 0, 0), EPERM); /* by the filter: the kernel says EINVAL */
}

static void test_calls(void **state)
{
	(void)state;
	in_child(try_calls);
}

static void own_signal(void)
{
	pid_t self = getpid();

	(void)signal(SIGUSR1, SIG_IGN);
	(void)enter(NULL, 0);
	HOLDS(syscall(SYS_tgkill, self, self, SIGUSR1) == 0);
}

static void test_own_process(void **state)
{
	(void)state;
	in_child(own_signal);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static void try_paths(void)
{
	const bool landlock = has_landlock();
	const int before = open("elsewhere/file", O_RDONLY),
		  kept = open("kept", O_RDONLY | O_DIRECTORY);
	const struct sandbox_path paths[] = {
		{.path = "read", .rights = SANDBOX_READ},
		{.path = "one", .rights = SANDBOX_READ_FILE},
		{.path = "not there", .rights = SANDBOX_READ},
		{.fd = kept, .rights = SANDBOX_READ | SANDBOX_WRITE},
	};
	struct sandbox_held held;
	char byte;

	HOLDS(before >= 0 && kept >= 0);
	held = enter(paths, COUNT(paths));
	if (!landlock) {
		HOLDS(held.landlock == ENOSYS || held.landlock == EOPNOTSUPP);
		return;
	}
	HOLDS(held.landlock == 0);
	HOLDS(open("read/file", O_RDONLY) >= 0);
	HOLDS(open("read", O_RDONLY | O_DIRECTORY) >= 0);
	REFUSED(open("read/file", O_WRONLY), EACCES);
	REFUSED(open("read/new", O_WRONLY | O_CREAT, 0600), EACCES);
	HOLDS(open("one", O_RDONLY) >= 0);
	REFUSED(open("elsewhere/file", O_RDONLY), EACCES);
	REFUSED(open("/etc/hostname", O_RDONLY), EACCES);
	REFUSED(open(".", O_RDONLY | O_DIRECTORY), EACCES);
	HOLDS(openat(kept, "new", O_WRONLY | O_CREAT | O_TRUNC, 0600) >= 0);
	HOLDS(open("kept/new", O_RDONLY) >= 0);
	HOLDS(unlinkat(kept, "new", 0) == 0);
	REFUSED(unlink("read/file"), EACCES);
	HOLDS(read(before, &byte, 1) ==
		0); /* what is open stays usable: the end of an empty file */
}

static void test_paths(void **state)
{
	(void)state;
	in_child(try_paths);
}

static void try_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[2] = {{1, 1, 1}, {1, 1, 1}};

	(void)enter(NULL, 0);
	HOLDS(syscall(SYS_capget, &head, now) == 0);
	for (int i = 0; i < 2; i++)
		HOLDS(now[i].effective == 0 && now[i].permitted == 0 && now[i].inheritable == 0);
}

static void test_capabilities(void **state)
{
	(void)state;
	in_child(try_capabilities);
}

/* A filter that answers as a kernel without seccomp and Landlock does. */
static void pretend_old_kernel(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	HOLDS(seccomp_rule_add(
		      filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) == 0);
	HOLDS(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0) == 0);
	HOLDS(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
		      SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)) == 0);
	HOLDS(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static void try_old_kernel(void)
{
	struct sandbox_held held;

	pretend_old_kernel();
	held = enter(NULL, 0);
	HOLDS(held.landlock == ENOSYS);
	HOLDS(held.seccomp == EINVAL);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	HOLDS(open("elsewhere/file", O_RDONLY) >= 0);
}

static void test_old_kernel(void **state)
{
	(void)state;
	in_child(try_old_kernel);
}

static void try_bad_path(void)
{
	const struct sandbox_path paths[] = {{.fd = -1, .rights = SANDBOX_READ}};
	const struct sandbox s = {.calls = calls,
		.call_count = COUNT(calls),
		.paths = paths,
		.path_count = COUNT(paths)};
	struct sandbox_held held;
	struct error err = ERROR_INIT;

	HOLDS(!has_landlock() || (sandbox_enter(&s, &held, &err) < 0 && err.text[0]));
}

static void test_bad_path(void **state)
{
	(void)state;
	in_child(try_bad_path);
}

static void make_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	assert_int_equal(mkdir("read", 0700) | mkdir("kept", 0700) | mkdir("elsewhere", 0700), 0);
	make_file("read/file");
	make_file("elsewhere/file");
	make_file("one");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink("read/file");
	(void)unlink("elsewhere/file");
	(void)unlink("one");
	return rmdir("read") | rmdir("kept") | rmdir("elsewhere") | rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_own_process),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_old_kernel),
		cmocka_unit_test(test_bad_path),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
