/* turns: how many confined commands run at the same time; the others wait for their turn. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct turns {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned running;
};

#define TURNS_INIT                                                                                 \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER               \
	}

/* Waits until fewer than most run; at most wait_s seconds (0: as long as it takes). False: the wait
 * was in vain. */
bool turns_take(struct turns *t, unsigned most, unsigned wait_s);
void turns_give(struct turns *t);
