/* notify: tells the service manager how the agent is, by sd_notify(3)'s datagrams. */
#pragma once

#include <stdint.h>

struct notify {
	int fd;		     /* -1: nobody listens */
	int64_t watchdog_ns; /* how often a sign of life is due; 0: never */
	int64_t last_ns;
};

/* From $NOTIFY_SOCKET and $WATCHDOG_USEC; before rights are given up. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);
/* "READY=1", "STOPPING=1", "STATUS=..."; lost quietly when nobody listens. */
void notify_send(struct notify *n, const char *text);
/* A sign of life when half of the time is over. */
void notify_alive(struct notify *n, int64_t now_ns);
