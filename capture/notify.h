/* notify: sd_notify(3) client. */
#pragma once

#include <stdint.h>

struct notify {
	int fd;		     /* -1: no service manager */
	int64_t watchdog_ns; /* watchdog interval; 0: none */
	int64_t last_ns;
};

/* From $NOTIFY_SOCKET and $WATCHDOG_USEC, before privileges are dropped. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);
/* "READY=1", "STOPPING=1", "STATUS=..."; ignored without a service manager. */
void notify_send(struct notify *n, const char *text);
/* Sends WATCHDOG=1 when half of the interval is over. */
void notify_alive(struct notify *n, int64_t now_ns);
