/*
 * patience: how long a client may take. The HTTP library cuts off those who say nothing; this cuts
 * off those who say a byte now and then, and would hold a connection for ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define PATIENCE_RATE 1024 /* bytes a second that a body must bring */

/* Watches connections from a thread of its own. */
struct patience;
struct patience_client;

struct patience *patience_new(unsigned idle_s); /* NULL: no thread could be started */
void patience_free(struct patience *p);	        /* NULL is fine; when all connections are closed */

/* A connection is open; it waits for a request, and is shut down when that takes longer than idle_s. */
struct patience_client *patience_opened(struct patience *p, int fd);
void patience_closed(struct patience *p, struct patience_client *c); /* before fd is closed */

/* Headers are complete: from now on the pace of the body counts. And: the request is over, another may come. */
void patience_busy(struct patience *p, struct patience_client *c);
void patience_waiting(struct patience *p, struct patience_client *c);

/* The pace of one body, in windows of idle_s: what came fast before does not excuse what trickles now. */
struct pace {
	time_t began;
	size_t bytes;
};

/* n more bytes came; true when a whole window brought fewer than PATIENCE_RATE a second. */
bool pace_too_slow(struct pace *p, size_t n, unsigned idle_s);
