#include "serve/turns.h"

#include <assert.h>
#include <time.h>

bool turns_take(struct turns *t, unsigned most, unsigned wait_s)
{
	struct timespec until;
	bool taken;
	int waited = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_s;
	(void)pthread_mutex_lock(&t->lock);
	while (t->running >= most && waited == 0)
		waited = wait_s ? pthread_cond_clockwait(
					  &t->freed, &t->lock, CLOCK_MONOTONIC, &until)
				: pthread_cond_wait(&t->freed, &t->lock);
	taken = t->running < most;
	t->running += taken;
	(void)pthread_mutex_unlock(&t->lock);
	return taken;
}

void turns_give(struct turns *t)
{
	(void)pthread_mutex_lock(&t->lock);
	assert(t->running > 0);
	t->running--;
	(void)pthread_cond_signal(&t->freed);
	(void)pthread_mutex_unlock(&t->lock);
}
