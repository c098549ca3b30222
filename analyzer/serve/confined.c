#include "serve/confined.h"

#include <errno.h>
#include <fcntl.h>
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
#define STDERR_NAME "stderr"

static int confined_spawn(const char *folder, const char *const *arguments, const char *out,
	const struct confined_limits *l, pid_t *ret_pid)
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
	(void)posix_spawn_file_actions_addopen(
		&actions, 2, STDERR_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	r = posix_spawn(
		ret_pid, "/proc/self/exe", &actions, NULL, (char *const *)argv, (char *const *)env);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Waits for pid; kills it after wall_s. */
static int confined_wait_for(pid_t pid, unsigned wall_s, bool *ret_late)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int status;

	*ret_late = false;
	for (unsigned i = 0;; i++) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
		if (i == wall_s * 50) {
			*ret_late = true;
			(void)kill(pid, SIGKILL);
		}
		(void)nanosleep(&pause, NULL);
	}
}

/* The first line of the command's standard error. */
static void confined_first_line(const char *folder, char line[400])
{
	CLEANUP_FREE char *path = mem_printf("%s/" STDERR_NAME, folder);
	FILE *f = fopen(path, "re");

	line[0] = '\0';
	if (f && fgets(line, 400, f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		(void)fclose(f);
	(void)unlink(path);
}

int confined_run(const char *folder, const char *const *arguments, const char *out,
	const struct confined_limits *limits, struct error *err)
{
	char line[400];
	bool late;
	pid_t pid;
	int status, r = confined_spawn(folder, arguments, out, limits, &pid);

	if (r)
		return error_set(err, -r, "cannot start the analysis: %s", strerror(r));
	status = confined_wait_for(pid, limits->wall_s, &late);
	confined_first_line(folder, line);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
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
