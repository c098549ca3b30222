/* parallel: one function over a range of work, on several threads. */
#pragma once

#include <stdint.h>

/* Called with a part of the range, begin <= i < end, and the thread's number from 0. */
typedef void parallel_part(void *context, unsigned thread, uint32_t begin, uint32_t end);

/* Splits 0..count into parts of at most part items; returns when all are done. */
void parallel_run(
	unsigned threads, uint32_t count, uint32_t part, parallel_part *run, void *context);
