/*
 * try_confined: what a command that is run confined cannot do, tried from inside.
 *
 * It starts itself as the server starts the analysis (serve/confined.h), with a try in place of
 * the command. Prints ok NAME or not ok NAME: why; status 0 when every try ended as it must.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/confine.h"
#include "serve/confined.h"

#define MEBI (UINT64_C(1) << 20)

/* ---- inside ---- */

static int failures;

static void must_fail(const char *what, long result)
{
	if (result < 0)
		return;
	(void)fprintf(stderr, "%s still works; ", what);
	failures++;
}

static void must_work(const char *what, long result)
{
	if (result >= 0)
		return;
	(void)fprintf(stderr, "%s fails: %s; ", what, strerror(errno));
	failures++;
}

static int try_reading(void)
{
	must_fail("reading /etc/shadow", open("/etc/shadow", O_RDONLY));
	must_fail("reading /etc/hostname", open("/etc/hostname", O_RDONLY));
	must_fail("reading it through /proc", open("/proc/self/root/etc/shadow", O_RDONLY));
	must_fail("reading it by climbing", open("../../../../../../../../etc/shadow", O_RDONLY));
	must_fail("listing /etc", open("/etc", O_RDONLY | O_DIRECTORY));
	must_fail("listing what lies beside the folder", open("..", O_RDONLY | O_DIRECTORY));
	must_fail("reading the server's memory", open("/proc/1/mem", O_RDONLY));
	must_fail("reading the server's environment", open("/proc/1/environ", O_RDONLY));
	must_fail("following a link out of the folder", open("link", O_RDONLY));
	must_work("reading in the folder", open("given", O_RDONLY));
	return failures;
}

static int try_writing(void)
{
	must_fail("writing beside the folder", open("../outside", O_WRONLY | O_CREAT, 0600));
	must_fail("writing to /tmp", open("/tmp/bothends-try", O_WRONLY | O_CREAT, 0600));
	must_fail("writing to its own memory by name", open("/proc/self/mem", O_WRONLY));
	must_fail("writing to a terminal", open("/dev/tty", O_RDWR));
	must_fail("moving a file out of the folder", rename("given", "../given"));
	must_fail("a hard link", link("given", "again"));
	must_fail("a symbolic link", symlink("/etc/shadow", "shadow"));
	must_fail("a folder", mkdir("sub", 0700));
	must_fail("a device", mknod("device", S_IFBLK | 0600, 0x801));
	must_fail("a pipe with a name", mkfifo("pipe", 0600));
	must_fail("changing a mode", chmod("../outside.file", 0777));
	must_fail("changing a mode of its own", chmod("given", 06777));
	must_fail("changing an owner", chown("../outside.file", 1, 1));
	must_fail("changing a time", utimensat(AT_FDCWD, "../outside.file", NULL, 0));
	must_fail("removing a file beside the folder", unlink("../outside.file"));
	must_fail("mounting", mount("none", ".", "tmpfs", 0, NULL));
	must_fail("changing the root", chroot("."));
	must_work("making a file in the folder", open("inside", O_WRONLY | O_CREAT, 0600));
	must_work("renaming in the folder", rename("inside", "inside2"));
	must_work("removing in the folder", unlink("inside2"));
	return failures;
}

static int try_network(void)
{
	must_fail("a TCP socket", socket(AF_INET, SOCK_STREAM, 0));
	must_fail("a TCP socket over IPv6", socket(AF_INET6, SOCK_STREAM, 0));
	must_fail("a UDP socket", socket(AF_INET, SOCK_DGRAM, 0));
	must_fail("a local socket", socket(AF_UNIX, SOCK_STREAM, 0));
	must_fail("a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
	must_fail("a netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
	must_fail("a pair of sockets", socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
	must_fail("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
	return failures;
}

static int try_processes(void)
{
	char name[] = "true", *const argv[] = {name, NULL};
	int fds[2];

	must_fail("fork", syscall(SYS_fork));
	must_fail("vfork", syscall(SYS_vfork));
	must_fail("clone without a thread", syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	must_fail("clone3", syscall(SYS_clone3, NULL, 0));
	must_fail("the C library's fork", fork());
	must_fail("another program", execv("/bin/true", argv));
	must_fail("a signal to the server", kill(getppid(), SIGTERM));
	must_fail("a signal to a thread of the server",
		syscall(SYS_tgkill, getppid(), getppid(), SIGTERM));
	must_fail("ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	must_fail("a namespace", unshare(CLONE_NEWUSER));
	must_fail("another user", setuid(1));
	must_work("a pipe", pipe2(fds, O_CLOEXEC));
	must_fail("a signal by way of a pipe's owner", fcntl(fds[0], F_SETOWN, getppid()));
	must_fail("which signal that is", fcntl(fds[0], F_SETSIG, SIGKILL));
	must_fail("typing for the user", ioctl(0, TIOCSTI, "x"));
	return failures;
}

static int try_limits(void)
{
	const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit less = {1, 1};

	must_fail("raising its limit", setrlimit(RLIMIT_DATA, &more));
	must_fail("changing the server's limit",
		syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, &less, NULL));
	must_fail("a filter of its own", syscall(SYS_seccomp, 1, 0, NULL));
	must_fail("a higher priority", setpriority(PRIO_PROCESS, 0, -5));
	must_fail("locked memory", mlockall(MCL_CURRENT));
	must_fail("a file in memory", syscall(SYS_memfd_create, "x", 0));
	must_fail("memory shared by a key", shmget(IPC_PRIVATE, 4096, 0600));
	must_fail("executable memory", mmap(NULL, 4096, PROT_READ | PROT_EXEC,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
					       ? -1
					       : 0);
	must_fail("memory made executable",
		mprotect(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096,
			PROT_EXEC));
	must_fail("shared memory, which no limit counts",
		mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
											     : 0);
	return failures;
}

static void *idle(void *arg)
{
	return arg;
}

/* What the analysis does need. */
static int try_needed(void)
{
	pthread_t thread;

	must_work("a thread",
		pthread_create(&thread, NULL, idle, NULL) == 0 ? pthread_join(thread, NULL) : -1);
	must_work("memory", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0) == MAP_FAILED
				    ? -1
				    : 0);
	must_work("the time", time(NULL));
	return failures;
}

/* Private memory, touched, until there is no more; says how much that was. */
static int try_memory(void)
{
	uint64_t got = 0;
	char *at;

	while ((at = malloc(MEBI)) && got < 4096) {
		memset(at, 1, MEBI);
		got++;
	}
	(void)fprintf(stderr, "no more memory after %llu MiB\n", (unsigned long long)got);
	return 1;
}

static int try_output(void)
{
	static char block[1 << 16];
	int fd = open("large", O_WRONLY | O_CREAT, 0600);

	while (write(fd, block, sizeof(block)) > 0)
		;
	(void)fprintf(stderr, "a write failed: %s\n", strerror(errno));
	return 1;
}

static void *spin(void *arg)
{
	volatile bool on = true;

	while (on)
		;
	return arg;
}

static int try_spinning(void)
{
	return spin(NULL) != NULL;
}

static int try_sleeping(void)
{
	while (sleep(60) == 0)
		;
	return 1;
}

/* As many threads as there can be; all end with the process. */
static int try_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 2000 && pthread_create(&thread, NULL, spin, NULL) == 0; i++)
		;
	return try_sleeping();
}

static int try_abort(void)
{
	abort();
}

/* ---- outside ---- */

static const struct {
	const char *name;
	int (*inside)(void);
	int result;	  /* of confined_run() */
	const char *says; /* part of the error; NULL: none */
	unsigned wall_s;  /* 0: enough for a loaded machine */
} tries[] = {
	{"reading what is not its own", try_reading, CONFINED_OK, NULL, 0},
	{"writing outside its folder", try_writing, CONFINED_OK, NULL, 0},
	{"the network", try_network, CONFINED_OK, NULL, 0},
	{"other processes", try_processes, CONFINED_OK, NULL, 0},
	{"loosening its limits", try_limits, CONFINED_OK, NULL, 0},
	{"what it needs", try_needed, CONFINED_OK, NULL, 0},
	{"too much memory", try_memory, CONFINED_FAILED, "no more memory after", 0},
	{"too much output", try_output, CONFINED_LIMITED, "larger than this server allows", 0},
	{"too much processor time", try_spinning, CONFINED_LIMITED, "of processor time", 0},
	{"too much time", try_sleeping, CONFINED_LIMITED, "stopped after 3 s: more", 3},
	{"too many threads", try_threads, CONFINED_LIMITED, "stopped after", 3},
	{"a crash", try_abort, CONFINED_FAILED, "stopped by signal 6", 0},
};

static int inside(int argc, char **argv)
{
	if (argc < 8)
		return 2;
	confine(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
		strtoull(argv[5], NULL, 10), atoi(argv[6]));
	return tries[atoi(argv[7])].inside() ? 1 : 0;
}

static void prepare(const char *folder)
{
	CLEANUP_FREE char *given = mem_printf("%s/given", folder),
			  *outside = mem_printf("%s/../outside.file", folder),
			  *link = mem_printf("%s/link", folder);
	int a = open(given, O_WRONLY | O_CREAT, 0600), b = open(outside, O_WRONLY | O_CREAT, 0600);

	if (a < 0 || b < 0 || symlink("/etc/hostname", link) < 0) {
		perror("cannot prepare");
		exit(2);
	}
	(void)close(a);
	(void)close(b);
}

/* A process that got away would still be there. */
static bool alone(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

int main(int argc, char **argv)
{
	struct confined_limits limits = {.memory = 64 * MEBI, .file = MEBI, .cpu_s = 1};
	char folder[] = "/tmp/bothends-try-XXXXXX";
	CLEANUP_FREE char *inner = NULL;
	int wrong = 0;

	if (argc > 2 && strcmp(argv[1], "serve") == 0)
		return inside(argc, argv);
	if (!mkdtemp(folder))
		return 2;
	inner = mem_printf("%s/incident", folder);
	if (mkdir(inner, 0700) < 0)
		return 2;
	prepare(inner);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		char number[8];
		const char *const arguments[] = {number, NULL};
		struct error err = ERROR_INIT;
		int result;

		(void)snprintf(number, sizeof(number), "%zu", i);
		limits.wall_s = tries[i].wall_s ? tries[i].wall_s : 60;
		result = confined_run(inner, arguments, NULL, &limits, &err);
		if (result == tries[i].result && alone() &&
			(!tries[i].says || strstr(err.text, tries[i].says))) {
			(void)printf("ok %s\n", tries[i].name);
			continue;
		}
		wrong++;
		(void)printf("not ok %s: %d, %s%s\n", tries[i].name, result, err.text,
			alone() ? "" : ", and somebody is left");
	}
	{
		CLEANUP_FREE char *remove = mem_printf("rm -r '%s'", folder);

		if (system(remove) != 0)
			return 2;
	}
	return wrong ? 1 : 0;
}
