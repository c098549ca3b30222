/*
 * slow_client: how long a client may take. The HTTP library cuts off those who say nothing; this
 * cuts off those who say a byte now and then, and would hold a connection for ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define SLOW_CLIENT_RATE 1024 /* bytes a second that a body must bring */

/* Watches connections from a thread of its own. */
struct slow_client_watch;
struct slow_client;

struct slow_client_watch *slow_client_watch_new(
	unsigned idle_s); /* NULL: no thread could be started */
void slow_client_watch_free(
	struct slow_client_watch *p); /* NULL is fine; when all connections are closed */

/* A connection is open; it waits for a request, and is shut down when that takes longer than
 * idle_s. */
struct slow_client *slow_client_opened(struct slow_client_watch *p, int fd);
void slow_client_closed(
	struct slow_client_watch *p, struct slow_client *c); /* before fd is closed */

/* Headers are complete: from now on the pace of the body counts. And: the request is over, another
 * may come. */
void slow_client_busy(struct slow_client_watch *p, struct slow_client *c);
void slow_client_waiting(struct slow_client_watch *p, struct slow_client *c);

/* The pace of one body, in windows of idle_s: what came fast before does not excuse what trickles
 * now. */
struct slow_client_rate {
	time_t began;
	size_t bytes;
};

/* n more bytes came; true when a whole window brought fewer than SLOW_CLIENT_RATE a second. */
bool slow_client_below_rate(struct slow_client_rate *p, size_t n, unsigned idle_s);
