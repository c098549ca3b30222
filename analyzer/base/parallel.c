#include "base/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

struct work {
	_Atomic uint64_t next;
	uint32_t count, part;
	parallel_part *run;
	void *context;
};

struct worker {
	struct work *work;
	unsigned number;
	pthread_t id;
};

static void *parallel_work_loop(void *arg)
{
	struct worker *w = arg;
	struct work *k = w->work;

	for (;;) {
		uint64_t begin = atomic_fetch_add(&k->next, k->part);
		uint64_t end = begin + k->part < k->count ? begin + k->part : k->count;

		if (begin >= k->count)
			return NULL;
		k->run(k->context, w->number, (uint32_t)begin, (uint32_t)end);
	}
}

void parallel_run(
	unsigned threads, uint32_t count, uint32_t part, parallel_part *run, void *context)
{
	struct work work = {
		.count = count, .part = part ? part : 1, .run = run, .context = context};
	struct worker *workers;
	unsigned started;

	if (!threads) /* nothing to share out is no reason to be nobody */
		threads = 1;
	workers = mem_array(threads + 1, sizeof(*workers));
	for (unsigned i = 0; i < threads; i++)
		workers[i] = (struct worker){.work = &work, .number = i};
	/* The caller is thread 0; a thread that cannot be had only costs time. */
	for (started = 1; started < threads; started++)
		if (pthread_create(
			    &workers[started].id, NULL, parallel_work_loop, &workers[started]) != 0)
			break;
	(void)parallel_work_loop(&workers[0]);
	while (--started)
		(void)pthread_join(workers[started].id, NULL);
	assert(atomic_load(&work.next) >= count); /* each part was given out */
	free(workers);
}
