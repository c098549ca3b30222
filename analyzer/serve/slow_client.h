/*
 * slow_client: limits on slow clients (slowloris). The HTTP library closes connections that send
 * nothing; this closes those that send a byte now and then and would hold a connection forever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define SLOW_CLIENT_RATE 1024 /* minimum rate of a request body, bytes per second */

/* A thread that checks all open connections once a second. */
struct slow_client_watch;
struct slow_client;

/* NULL: the thread could not be started. */
struct slow_client_watch *slow_client_watch_new(unsigned idle_s);
/* Call it when all connections are closed. NULL is allowed. */
void slow_client_watch_free(struct slow_client_watch *w);

/* A new connection, waiting for a request; it is shut down if that takes longer than idle_s. */
struct slow_client *slow_client_opened(struct slow_client_watch *w, int fd);
/* Call it before closing fd. */
void slow_client_closed(struct slow_client_watch *w, struct slow_client *c);

/* The request headers are complete: from now on, the rate of the body is what counts. */
void slow_client_busy(struct slow_client_watch *w, struct slow_client *c);
/* The request is finished; the connection waits for the next one. */
void slow_client_waiting(struct slow_client_watch *w, struct slow_client *c);

/* The rate of one body, measured over windows of idle_s: a fast start does not excuse a trickle. */
struct slow_client_rate {
	time_t began;
	size_t bytes;
};

/* Counts n bytes. true: a whole window had fewer than SLOW_CLIENT_RATE bytes per second. */
bool slow_client_below_rate(struct slow_client_rate *r, size_t n, unsigned idle_s);
