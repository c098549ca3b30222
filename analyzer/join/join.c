#include "join/join.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "join/worker.h"

/*
 * Conversations that a thread takes at a time: few enough that all threads have work, and a few
 * long ones do not lie in one batch; many enough that waking each other costs nothing.
 */
#define BATCH_MOST 128
#define BATCHES_A_THREAD 16
/* Batches that may wait for the sink, for each thread: it waits for the disk now and then. */
#define WAITING 8
/* A capture that records this share of its frames twice is doing it itself (a mirrored port). */
#define TWIN_SHARE 0.2

void join_judge_duplicates(struct join *j)
{
	j->duplicates_by_capture = mem_array(j->data->vantage_count + 1, sizeof(bool));
	for (uint32_t i = 0; i < j->data->vantage_count; i++) {
		const struct vantage *v = &j->data->vantages[i];

		j->duplicates_by_capture[i] = (double)v->counts.duplicate_segments >
					      TWIN_SHARE * (double)v->counts.frames;
	}
}

static struct join_batch *join_batch_free(struct join_batch *b)
{
	if (!b)
		return NULL;
	if (b->prepared)
		b->free_prepared(b->prepared);
	free(b->paths);
	free(b->events.events);
	free(b->outages.rows);
	free(b->untaken.rows);
	free(b->windows);
	free(b->window_flow);
	free(b->packets);
	free(b->seconds);
	free(b->copies_skipped);
	free(b);
	return NULL;
}

/*
 * Workers take batches in turn; the sink takes them in order, from the worker that finds the next
 * one ready while nobody else writes; nobody runs far ahead.
 */
struct crew {
	struct join *join;
	join_prepare *prepare;
	join_sink *sink;
	void *context; /* the sink's */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t size;		    /* flows in a batch */
	uint32_t next, total, done; /* batches */
	uint32_t window;	    /* most batches between done and next */
	struct join_batch **ready;  /* by batch % window */
	bool writing, waiting;	    /* some worker does */
	int result;		    /* the sink's first that is not 0: all stop */
};

/* Gives the sink what is ready, in order. Called and left with the lock held. */
static void join_write_ready(struct crew *c)
{
	struct join_batch *b;

	c->writing = true;
	while (c->result == 0 && c->done < c->total && (b = c->ready[c->done % c->window])) {
		int r;

		assert(b->begin == c->done * c->size); /* in the order of the flows */
		(void)pthread_mutex_unlock(&c->lock);
		r = c->sink(c->context, b);
		(void)join_batch_free(b);
		(void)pthread_mutex_lock(&c->lock);
		c->result = r;
		c->ready[c->done++ % c->window] = NULL;
		if (c->waiting || r)
			(void)pthread_cond_broadcast(&c->changed);
		c->waiting = false;
	}
	c->writing = false;
}

static struct join_batch *join_make_batch(struct crew *c, struct worker *w, uint32_t number)
{
	struct join_batch *b = mem_zalloc(sizeof(*b));

	b->begin = number * c->size;
	b->end = number + 1 < c->total ? b->begin + c->size : c->join->all->count;
	worker_run(w, b);
	c->prepare(c->join, b);
	return b;
}

static void *join_crew_work(void *arg)
{
	struct crew *c = arg;
	struct worker *w = worker_new(c->join);

	(void)pthread_mutex_lock(&c->lock);
	while (c->result == 0 && c->next < c->total) {
		uint32_t number = c->next;
		struct join_batch *b;

		if (number - c->done >= c->window) {
			c->waiting = true;
			(void)pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		c->next++;
		(void)pthread_mutex_unlock(&c->lock);
		b = join_make_batch(c, w, number);
		(void)pthread_mutex_lock(&c->lock);
		assert(!c->ready[number % c->window]);
		c->ready[number % c->window] = b;
		/* Who writes now goes on with it. */
		if (!c->writing)
			join_write_ready(c);
	}
	(void)pthread_mutex_unlock(&c->lock);
	worker_free(w);
	return NULL;
}

int join_run(struct join *j, join_prepare *prepare, join_sink *sink, void *context)
{
	unsigned threads = j->options.threads ? j->options.threads : 1, started = 0;
	struct crew c = {.join = j,
		.prepare = prepare,
		.sink = sink,
		.context = context,
		.window = threads * WAITING + 1};
	pthread_t *ids = mem_array(threads, sizeof(*ids));

	c.size = j->all->count / (threads * BATCHES_A_THREAD) + 1;
	c.size = c.size > BATCH_MOST ? BATCH_MOST : c.size;
	c.total = (j->all->count + c.size - 1) / c.size;
	(void)pthread_mutex_init(&c.lock, NULL);
	(void)pthread_cond_init(&c.changed, NULL);
	c.ready = mem_array(c.window, sizeof(*c.ready));
	/* The caller works, too; a thread that cannot be had only costs time. */
	while (started + 1 < threads &&
		pthread_create(&ids[started], NULL, join_crew_work, &c) == 0)
		started++;
	(void)join_crew_work(&c);
	while (started)
		(void)pthread_join(ids[--started], NULL);
	assert(c.result || c.done == c.total); /* nobody left a batch behind */
	for (uint32_t i = 0; i < c.window; i++)
		(void)join_batch_free(c.ready[i]);
	free(c.ready);
	free(ids);
	(void)pthread_mutex_destroy(&c.lock);
	(void)pthread_cond_destroy(&c.changed);
	return c.result;
}
