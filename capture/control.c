#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Through the descriptor: a folder's path may be too long for a socket address. */
static struct sockaddr_un control_address(int dir_fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir_fd, CONTROL_NAME);
	return a;
}

int control_listen(int dir_fd, struct error *err)
{
	struct sockaddr_un a = control_address(dir_fd);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	int r = 0;

	/* The folder is locked, so no other agent listens there. */
	(void)unlinkat(dir_fd, CONTROL_NAME, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0)
		r = error_errno(err, "cannot listen on '%s' in the output folder", CONTROL_NAME);
	umask(mask);
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}

static void control_set_timeout(int fd, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int control_accept(int listen_fd, char line[CONTROL_LINE])
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	/* The capture is not read meanwhile (its buffer holds seconds): a slow client gets 100 ms.
	 */
	control_set_timeout(fd, 100);
	while (length < CONTROL_LINE - 1 && !memchr(line, '\n', length)) {
		n = recv(fd, line + length, CONTROL_LINE - 1 - length, 0);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return fd;
}

void control_reply(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL); /* the client may be gone */
	close(fd);
}

static int control_converse(int fd, const char *line, struct strbuf *reply, struct error *err)
{
	char part[4096];
	ssize_t n;

	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 || send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
		return error_errno(err, "cannot send to the agent");
	while ((n = recv(fd, part, sizeof(part), 0)) > 0)
		strbuf_add(reply, part, (size_t)n);
	if (n < 0 || !reply->length)
		return error_set(err, -EIO, "the agent did not answer");
	return 0;
}

int control_ask(const char *dir, const char *line, struct strbuf *reply, struct error *err)
{
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, r;
	struct sockaddr_un a = control_address(dir_fd);

	if (dir_fd < 0)
		return error_errno(err, "cannot open output folder '%s'", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	control_set_timeout(fd, 5000);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		r = errno == ENOENT || errno == ECONNREFUSED
			    ? CONTROL_NOT_RUNNING
			    : error_errno(err, "cannot reach the agent that writes to '%s'", dir);
	else
		r = control_converse(fd, line, reply, err);
	if (fd >= 0)
		close(fd);
	close(dir_fd);
	return r;
}
