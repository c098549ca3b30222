#include "serve/slow_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"

struct slow_client {
	struct slow_client *next, **to_me;
	int fd;
	bool busy;
	time_t since; /* when it began to wait */
};

struct slow_client_watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct slow_client *clients;
	unsigned idle_s;
	bool stop;
};

/* No wall clock: setting that would cut everybody off. */
static time_t slow_client_now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void *slow_client_watch(void *arg)
{
	struct slow_client_watch *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec until;

		for (struct slow_client *c = p->clients; c; c = c->next)
			/* Who is shut down is closed, and forgotten, by the thread that serves it.
			 */
			if (!c->busy && slow_client_now_s() - c->since > (time_t)p->idle_s)
				(void)shutdown(c->fd, SHUT_RDWR);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&p->wake, &p->lock, &until);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct slow_client_watch *slow_client_watch_new(unsigned idle_s)
{
	struct slow_client_watch *p = mem_zalloc(sizeof(*p));
	pthread_condattr_t monotonic;

	p->idle_s = idle_s;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (pthread_create(&p->thread, NULL, slow_client_watch, p) == 0)
		return p;
	free(p);
	return NULL;
}

void slow_client_watch_free(struct slow_client_watch *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

struct slow_client *slow_client_opened(struct slow_client_watch *p, int fd)
{
	struct slow_client *c = mem_zalloc(sizeof(*c));

	c->fd = fd;
	c->since = slow_client_now_s();
	(void)pthread_mutex_lock(&p->lock);
	c->next = p->clients;
	c->to_me = &p->clients;
	if (c->next)
		c->next->to_me = &c->next;
	p->clients = c;
	(void)pthread_mutex_unlock(&p->lock);
	return c;
}

void slow_client_closed(struct slow_client_watch *p, struct slow_client *c)
{
	if (!c)
		return;
	(void)pthread_mutex_lock(&p->lock);
	*c->to_me = c->next;
	if (c->next)
		c->next->to_me = c->to_me;
	(void)pthread_mutex_unlock(&p->lock);
	free(c);
}

static void slow_client_set_busy(struct slow_client_watch *p, struct slow_client *c, bool busy)
{
	if (!c)
		return;
	(void)pthread_mutex_lock(&p->lock);
	c->busy = busy;
	c->since = slow_client_now_s();
	(void)pthread_mutex_unlock(&p->lock);
}

void slow_client_busy(struct slow_client_watch *p, struct slow_client *c)
{
	slow_client_set_busy(p, c, true);
}

void slow_client_waiting(struct slow_client_watch *p, struct slow_client *c)
{
	slow_client_set_busy(p, c, false);
}

bool slow_client_below_rate(struct slow_client_rate *p, size_t n, unsigned idle_s)
{
	time_t now = slow_client_now_s();
	size_t wanted = (size_t)idle_s * SLOW_CLIENT_RATE, got;

	if (!p->began)
		p->began = now;
	p->bytes += n;
	if (now - p->began <= (time_t)idle_s)
		return false;
	got = p->bytes;
	*p = (struct slow_client_rate){.began = now};
	return got < wanted;
}
