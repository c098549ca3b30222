#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_open(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;

	*n = (struct notify){.fd = -1};
	if (!length || length >= sizeof(a.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, length);
	if (path[0] == '@')
		a.sun_path[0] = '\0'; /* the abstract name space */
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0 || connect(n->fd, (struct sockaddr *)&a,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		notify_close(n);
	if (usec && n->fd >= 0)
		n->watchdog_ns = strtoll(usec, NULL, 10) * 1000 / 2;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_send(struct notify *n, const char *text)
{
	if (n->fd >= 0)
		(void)send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_alive(struct notify *n, int64_t now_ns)
{
	if (!n->watchdog_ns || (now_ns >= n->last_ns && now_ns - n->last_ns < n->watchdog_ns))
		return;
	n->last_ns = now_ns;
	notify_send(n, "WATCHDOG=1");
}
