/* worker: one thread's share of the join, flow by flow. */
#pragma once

#include "join/join.h"

struct worker;

/* Keeps the memory that flows need one after another. The join must outlive it. */
struct worker *worker_new(const struct join *j);
void worker_free(struct worker *w);

/* Joins the flows from b->begin to b->end, and fills b, which is zeroed beyond these two. */
void worker_run(struct worker *w, struct join_batch *b);
