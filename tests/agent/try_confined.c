/*
 * try_confined DIR: confines itself as the agent does, then tries what must no longer work. Prints
 * a line for everything that did; status 0 when nothing did and the output folder can still be
 * written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privdrop.h"

static int failures;

static void must_fail(const char *what, long result)
{
	if (result < 0)
		return;
	printf("%s still works\n", what);
	failures++;
}

static void must_work(const char *what, long result)
{
	if (result >= 0)
		return;
	printf("%s fails: %s\n", what, strerror(errno));
	failures++;
}

static void try_files(int dir_fd, const char *dir)
{
	char outside[512];

	snprintf(outside, sizeof(outside), "%s/../outside", dir);
	must_fail("reading /etc/shadow", open("/etc/shadow", O_RDONLY));
	must_fail("reading /etc/hostname", open("/etc/hostname", O_RDONLY));
	must_fail("listing /", open("/", O_RDONLY | O_DIRECTORY) >= 0
				       ? openat(AT_FDCWD, "/etc", O_RDONLY | O_DIRECTORY)
				       : -1);
	must_fail("writing beside the folder", open(outside, O_WRONLY | O_CREAT, 0600));
	must_fail("writing to /tmp", open("/tmp/bothends-try", O_WRONLY | O_CREAT, 0600));
	must_fail("writing to /proc/sys", open("/proc/sys/kernel/hostname", O_WRONLY));
	must_fail("making a folder", mkdirat(dir_fd, "sub", 0700));
	must_fail("changing a mode", fchmodat(dir_fd, ".", 0777, 0));
	must_work("creating in the folder", openat(dir_fd, "inside", O_WRONLY | O_CREAT, 0600));
	must_work("renaming in the folder", renameat(dir_fd, "inside", dir_fd, "inside2"));
	must_work("removing in the folder", unlinkat(dir_fd, "inside2", 0));
	must_work("reading /proc/net/snmp", open("/proc/net/snmp", O_RDONLY));
}

static void try_calls(void)
{
	must_fail("a TCP socket", socket(AF_INET, SOCK_STREAM, 0));
	must_fail("a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
	must_fail("a unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
	must_fail("fork", fork());
	must_fail("exec", execl("/bin/true", "true", (char *)NULL));
	must_fail("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	must_fail("root", setuid(0));
	must_fail("executable memory", mmap(NULL, 4096, PROT_READ | PROT_EXEC,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
					       ? -1
					       : 0);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct rootfs host;
	struct privdrop c = {.root = &host};

	if (argc != 2 || rootfs_open(&host, NULL, &err))
		return 2;
	c.output_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (c.output_fd < 0 || privdrop(&c, &err)) {
		printf("cannot confine: %s\n", err.text);
		return 2;
	}
	try_files(c.output_fd, argv[1]);
	try_calls();
	printf("user %u landlock %d seccomp %d\n", geteuid(), c.landlock, c.seccomp);
	return failures ? 1 : 0;
}
