#include "serve/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

extern char **environ;

#define ARGUMENTS_MAX 512
/* A file that only this run has: two at a time in one folder each have their own errors. */
static int confined_open_errors(const char *folder)
{
	CLEANUP_FREE char *name = NULL;
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	name = mem_printf("%s/.stderr-XXXXXX", folder);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(name);
	return fd;
}

static int confined_spawn(const char *folder, const char *const *arguments, const char *out,
	int errors, const struct confined_limits *l, pid_t *ret_pid)
{
	char memory[32], file[32], cpu[32], parent[32];
	const char *argv[ARGUMENTS_MAX + 8] = {
		"bothends", "serve", "--confined", memory, file, cpu, parent};
	const char *const env[] = {"LANG=C.UTF-8", "TMPDIR=.", "SQLITE_TMPDIR=.", NULL};
	posix_spawn_file_actions_t actions;
	int n = 7, r;

	(void)snprintf(memory, sizeof(memory), "%llu", (unsigned long long)l->memory);
	(void)snprintf(file, sizeof(file), "%llu", (unsigned long long)l->file);
	(void)snprintf(cpu, sizeof(cpu), "%u", l->cpu_s);
	(void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
	for (int i = 0; arguments[i] && i < ARGUMENTS_MAX; i++)
		argv[n++] = arguments[i];
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addchdir_np(&actions, folder);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(
		&actions, 1, out ? out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_adddup2(&actions, errors, 2);
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	r = posix_spawn(
		ret_pid, "/proc/self/exe", &actions, NULL, (char *const *)argv, (char *const *)env);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

static bool confined_is_left(int client)
{
	struct pollfd p = {.fd = client, .events = POLLRDHUP};

	return client > 0 && poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/* Waits for pid; kills it after wall_s, or when nobody waits for it any more. */
static int confined_wait_for(
	pid_t pid, const struct confined_limits *l, bool *ret_late, bool *ret_left)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int status;

	*ret_late = *ret_left = false;
	for (unsigned i = 0;; i++) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
		*ret_late |= i == l->wall_s * 50;
		*ret_left |= confined_is_left(l->client);
		if (*ret_late || *ret_left)
			(void)kill(pid, SIGKILL);
		(void)nanosleep(&pause, NULL);
	}
}

/* The first line of the command's standard error. */
static void confined_first_line(int errors, char line[400])
{
	ssize_t n = pread(errors, line, 399, 0);

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

int confined_run(const char *folder, const char *const *arguments, const char *out,
	const struct confined_limits *limits, struct error *err)
{
	char line[400];
	bool late, left;
	pid_t pid;
	int status, r, errors = confined_open_errors(folder);

	if (errors < 0)
		return error_errno(err, "cannot start the analysis");
	r = confined_spawn(folder, arguments, out, errors, limits, &pid);
	if (r) {
		(void)close(errors);
		return error_set(err, -r, "cannot start the analysis: %s", strerror(r));
	}
	status = confined_wait_for(pid, limits, &late, &left);
	confined_first_line(errors, line);
	(void)close(errors);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (left)
		return error_set(err, CONFINED_LEFT, "stopped: the client hung up");
	if (late)
		return error_set(err, CONFINED_LIMITED,
			"stopped after %u s: more than this server allows", limits->wall_s);
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return error_set(err, CONFINED_LIMITED,
			"stopped after %u s of processor time: more than this server allows",
			limits->cpu_s);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		return error_set(err, CONFINED_LIMITED,
			"stopped: its result is larger than this server allows");
	if (WIFSIGNALED(status))
		return error_set(err, CONFINED_FAILED, "stopped by signal %d", WTERMSIG(status));
	return error_set(
		err, CONFINED_FAILED, "%.390s", line[0] ? line : "failed without an error message");
}
