/* What analyze cannot do any more once it is confined, and what it must: tried from inside, in a
 * process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/confinement.h"

static char folder[] = "/tmp/bothends-confinement-XXXXXX";

/* A child ends with 1 and says which step did not hold. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)dprintf(2, "line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define REFUSED(call) HOLDS((long)(call) < 0 && (errno == EPERM || errno == EACCES))

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static void *return_context(void *context)
{
	return context;
}

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	HOLDS(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static int chmod_open(const char *path)
{
	int fd = open(path, O_RDWR), r = fd < 0 ? -1 : fchmod(fd, 0644);

	(void)close(fd);
	return r;
}

/* in/a.pcap, in/link -> elsewhere/linked, elsewhere/secret; the output goes to out/. */
static void confine_here(bool with_link)
{
	char *inputs[] = {(char *)(with_link ? "h=in" : "h=in/a.pcap")};
	const struct analyze_options o = {
		.inputs = inputs, .input_count = 1, .output = "out/incident.db"};
	struct error err = ERROR_INIT;
	struct plan_list l;

	HOLDS(chdir(folder) == 0);
	HOLDS(plan_list(&l, inputs, 1, &err) == 0);
	if (confinement_enter(&o, &l, &err)) {
		(void)dprintf(2, "%s\n", err.text);
		_exit(1);
	}
	plan_list_release(&l);
}

static void try_what_it_needs(void)
{
	pthread_t thread;
	void *result;

	confine_here(true);
	HOLDS(open("in/a.pcap", O_RDONLY) >= 0);
	HOLDS(open("in/link", O_RDONLY) >= 0);
	write_file("out/new");
	HOLDS(chmod_open("out/new") == 0);
	HOLDS(link("out/new", "out/second") == 0 && unlink("out/second") == 0);
	HOLDS(rename("out/new", "out/incident.db") == 0 && unlink("out/incident.db") == 0);
	HOLDS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		MAP_FAILED);
	HOLDS(pthread_create(&thread, NULL, return_context, folder) == 0);
	HOLDS(pthread_join(thread, &result) == 0 && result == folder);
	HOLDS(dlopen("libm.so.6", RTLD_NOW) != NULL);
}

static void try_files(void)
{
	bool landlock = has_landlock();

	confine_here(false);
	if (!landlock)
		return;
	HOLDS(open("in/a.facts.jsonl", O_RDONLY) >= 0);
	REFUSED(open("in/link", O_RDONLY));
	REFUSED(open("elsewhere/secret", O_RDONLY));
	REFUSED(open("elsewhere/new", O_WRONLY | O_CREAT, 0600));
	REFUSED(open("in/a.pcap", O_WRONLY));
	REFUSED(open("/etc/hostname", O_RDONLY));
	REFUSED(unlink("in/a.pcap"));
	REFUSED(rename("in/a.pcap", "out/a.pcap"));
}

static void try_the_rest(void)
{
	char *const argv[] = {(char *)"true", NULL};
	void *page;

	confine_here(false);
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(execv("/bin/true", argv));
	REFUSED(fork());
	REFUSED(kill(getppid(), SIGTERM));
	REFUSED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	HOLDS(page == MAP_FAILED);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	HOLDS(page != MAP_FAILED);
	REFUSED(mprotect(page, 4096, PROT_READ | PROT_EXEC));
	REFUSED(syscall(SYS_bpf, 0, NULL, 0));
	REFUSED(syscall(SYS_mount, "none", folder, "tmpfs", 0, NULL));
}

static void in_child(void (*steps)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		steps();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_what_it_needs(void **state)
{
	(void)state;
	in_child(try_what_it_needs);
}

static void test_files(void **state)
{
	(void)state;
	in_child(try_files);
}

static void test_the_rest(void **state)
{
	(void)state;
	in_child(try_the_rest);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("in", 0700) < 0 ||
		mkdir("out", 0700) < 0 || mkdir("elsewhere", 0700) < 0)
		return -1;
	write_file("in/a.pcap");
	write_file("in/a.facts.jsonl");
	write_file("elsewhere/secret");
	write_file("elsewhere/linked");
	return symlink("../elsewhere/linked", "in/link");
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink("in/a.pcap");
	(void)unlink("in/a.facts.jsonl");
	(void)unlink("in/link");
	(void)unlink("elsewhere/secret");
	(void)unlink("elsewhere/linked");
	(void)rmdir("in");
	(void)rmdir("out");
	(void)rmdir("elsewhere");
	return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_needs),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
