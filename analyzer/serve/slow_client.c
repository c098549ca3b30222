#include "serve/slow_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"

struct slow_client {
	struct slow_client *next, **to_me;
	int fd;
	bool busy;
	time_t since; /* start of the wait */
};

struct slow_client_watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct slow_client *clients;
	unsigned idle_s;
	bool stop;
};

/* Not the wall clock: a clock step would close all connections. */
static time_t slow_client_now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void *slow_client_check_all(void *arg)
{
	struct slow_client_watch *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct timespec until;

		for (struct slow_client *c = w->clients; c; c = c->next)
			/* The thread that serves the connection notices, and closes it. */
			if (!c->busy && slow_client_now_s() - c->since > (time_t)w->idle_s)
				(void)shutdown(c->fd, SHUT_RDWR);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&w->wake, &w->lock, &until);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct slow_client_watch *slow_client_watch_new(unsigned idle_s)
{
	struct slow_client_watch *w = mem_zalloc(sizeof(*w));
	pthread_condattr_t monotonic;

	w->idle_s = idle_s;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (pthread_create(&w->thread, NULL, slow_client_check_all, w) == 0)
		return w;
	free(w);
	return NULL;
}

void slow_client_watch_free(struct slow_client_watch *w)
{
	if (!w)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

struct slow_client *slow_client_opened(struct slow_client_watch *w, int fd)
{
	struct slow_client *c = mem_zalloc(sizeof(*c));

	c->fd = fd;
	c->since = slow_client_now_s();
	(void)pthread_mutex_lock(&w->lock);
	c->next = w->clients;
	c->to_me = &w->clients;
	if (c->next)
		c->next->to_me = &c->next;
	w->clients = c;
	(void)pthread_mutex_unlock(&w->lock);
	return c;
}

void slow_client_closed(struct slow_client_watch *w, struct slow_client *c)
{
	if (!c)
		return;
	(void)pthread_mutex_lock(&w->lock);
	assert(*c->to_me == c);
	*c->to_me = c->next;
	if (c->next)
		c->next->to_me = c->to_me;
	(void)pthread_mutex_unlock(&w->lock);
	free(c);
}

static void slow_client_set_busy(struct slow_client_watch *w, struct slow_client *c, bool busy)
{
	if (!c)
		return;
	(void)pthread_mutex_lock(&w->lock);
	c->busy = busy;
	c->since = slow_client_now_s();
	(void)pthread_mutex_unlock(&w->lock);
}

void slow_client_busy(struct slow_client_watch *w, struct slow_client *c)
{
	slow_client_set_busy(w, c, true);
}

void slow_client_waiting(struct slow_client_watch *w, struct slow_client *c)
{
	slow_client_set_busy(w, c, false);
}

bool slow_client_below_rate(struct slow_client_rate *r, size_t n, unsigned idle_s)
{
	time_t now = slow_client_now_s();
	size_t wanted = (size_t)idle_s * SLOW_CLIENT_RATE, got;

	if (!r->began)
		r->began = now;
	r->bytes += n;
	if (now - r->began <= (time_t)idle_s)
		return false;
	got = r->bytes;
	*r = (struct slow_client_rate){.began = now};
	return got < wanted;
}
