#include "run/progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/nsec.h"

#define TICK_NS (200 * NSEC_PER_MSEC)
#define SILENT_NS NSEC_PER_SEC

struct progress {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool end, drawn, shown, verbose;
	int64_t stage_ns; /* when the present stage began */
	uint64_t total;
	_Atomic uint64_t *done;
	const char *stage; /* NULL: reading */
	int64_t start_ns;
};

static int64_t progress_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static void progress_draw(struct progress *p, int64_t elapsed)
{
	uint64_t done = atomic_load(p->done);
	double rate = (double)done / ((double)elapsed / 1e9), left;

	p->drawn = true;
	if (p->stage) {
		(void)fprintf(stderr, "\r\033[K%s", p->stage);
	} else if (!p->total || done > p->total) {
		(void)fprintf(stderr, "\r\033[Kreading %.0f MB, %.0f MB/s", (double)done / 1e6,
			rate / 1e6);
	} else {
		left = rate > 0 ? (double)(p->total - done) / rate : 0;
		(void)fprintf(stderr, "\r\033[Kreading %3.0f %%, %.0f MB/s, %.0f s left",
			100.0 * (double)done / (double)p->total, rate / 1e6, left);
	}
	(void)fflush(stderr);
}

static void *progress_watch(void *arg)
{
	struct progress *p = arg;
	struct timespec t;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->end && p->shown) {
		int64_t until = progress_now_ns() + TICK_NS;

		t = (struct timespec){
			.tv_sec = until / NSEC_PER_SEC, .tv_nsec = until % NSEC_PER_SEC};
		(void)pthread_cond_timedwait(&p->wake, &p->lock, &t);
		if (!p->end && progress_now_ns() - p->start_ns > SILENT_NS)
			progress_draw(p, progress_now_ns() - p->start_ns);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* "reading took 0.31 s". */
static void progress_tell(struct progress *p)
{
	char span[NSEC_TEXT_SIZE];
	int64_t now = progress_now_ns();

	if (p->verbose)
		(void)fprintf(stderr, "%s took %s\n", p->stage ? p->stage : "reading",
			nsec_span(now - p->stage_ns, span));
	p->stage_ns = now;
}

struct progress *progress_begin(bool shown, bool verbose, uint64_t total, _Atomic uint64_t *done)
{
	struct progress *p;
	pthread_condattr_t attr;

	if (!shown && !verbose)
		return NULL;
	p = mem_zalloc(sizeof(*p));
	p->total = total;
	p->done = done;
	p->start_ns = p->stage_ns = progress_now_ns();
	p->shown = shown;
	p->verbose = verbose;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->wake, &attr);
	if (pthread_create(&p->thread, NULL, progress_watch, p) != 0) {
		free(p);
		return NULL;
	}
	return p;
}

void progress_stage(struct progress *p, const char *text)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	progress_tell(p);
	p->stage = text;
	(void)pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->end = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	progress_tell(p);
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	free(p);
}
