#include "join/order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

/* Conversations that a thread visits at a time. */
#define PART 4096
/* Conversations begin in the order of the first place, nearly: so many steps back for each are no
 * sort worth the name. */
#define STEPS_BACK 4

struct ordered {
	int64_t first_ns;
	uint32_t flow;
};

/* Frames and bytes of one capture, one-sided and joined. */
struct share {
	struct capture_account account[2];
};

struct visit {
	struct dataset *data;
	const struct flows *all;
	const struct clocks *clocks;
	struct ordered *list;
	/* [thread * captures + capture]: threads do not wait for each other */
	struct share *file_frames;
	struct tally *tallies; /* by thread */
};

static void order_visit_flow(
	const struct visit *v, struct share *file_frames, struct tally *tally, uint32_t flow)
{
	const struct flow *c = &v->all->list[flow];
	int64_t first_ns = INT64_MAX;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = v->all->members[i].next) {
		const struct member *m = &v->all->members[i];
		const struct flow_vantage *f = m->flow;
		int64_t t = clocks_to_reference(v->clocks, m->vantage, f->first_ns);

		first_ns = t < first_ns ? t : first_ns;
		tally_add(tally, v->all, m);
		if (f->file_frames) {
			struct capture_account *a = &file_frames[f->file].account[c->members > 1];

			assert(f->file < v->data->capture_count);
			a->frames += f->file_frames;
			a->bytes += f->file_bytes;
		}
	}
	v->list[flow] = (struct ordered){.flow = flow, .first_ns = first_ns};
}

/* How many flows ahead their flows are asked for. */
#define AHEAD 16

static void order_times_are_near(const struct flows *all, uint32_t flow)
{
	for (uint32_t i = all->list[flow].first_member; i != MEMBER_NONE; i = all->members[i].next)
		flow_vantage_prefetch_times(all->members[i].flow);
}

static void order_visit_part(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	const struct visit *v = context;

	for (uint32_t i = begin; i < end; i++) {
		if (i + AHEAD < end)
			order_times_are_near(v->all, i + AHEAD);
		order_visit_flow(v, v->file_frames + (size_t)thread * v->data->capture_count,
			&v->tallies[thread], i);
	}
}

static void order_add_account(struct capture *c, const struct capture_account *part, bool joined)
{
	struct capture_account *a = &c->account[joined ? CAPTURE_JOINED : CAPTURE_ONE_SIDED];

	a->frames += part->frames;
	a->bytes += part->bytes;
}

static void order_settle_accounts(const struct visit *v, unsigned threads)
{
	struct dataset *data = v->data;

	for (uint32_t i = 0; i < threads * data->capture_count; i++)
		for (int joined = 0; joined < 2; joined++)
			order_add_account(&data->captures[i % data->capture_count],
				&v->file_frames[i].account[joined], joined);
	/* What flows had in files that they went on from. */
	for (uint32_t h = 0; h < data->host_count; h++) {
		for (uint32_t i = 0; i < data->hosts[h].file_frames_count; i++) {
			const struct host_file_frames *s = &data->hosts[h].file_frames[i];
			const struct flow_vantage *f =
				flowtab_at(&data->vantages[s->vantage].flows, s->flow);
			struct capture_account part = {.frames = s->frames, .bytes = s->bytes};

			order_add_account(&data->captures[s->capture], &part,
				v->all->list[f->flow].members > 1);
		}
	}
}

static int order_by_first(const void *x, const void *y)
{
	const struct ordered *a = x, *b = y;

	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return (a->flow > b->flow) - (a->flow < b->flow);
}

/* By insertion, as long as that is cheap. */
static void order_sort(struct ordered *list, uint32_t n)
{
	uint64_t steps = 0;

	for (uint32_t i = 1; i < n && steps <= (uint64_t)n * STEPS_BACK; i++) {
		struct ordered x = list[i];
		uint32_t k = i;

		for (; k && order_by_first(&x, &list[k - 1]) < 0; k--, steps++)
			list[k] = list[k - 1];
		list[k] = x;
	}
	if (steps > (uint64_t)n * STEPS_BACK)
		qsort(list, n, sizeof(*list), order_by_first);
}

static void order_visit_all(struct visit *v, unsigned threads, struct ordering *ret)
{
	v->tallies = mem_array(threads, sizeof(*v->tallies));
	for (unsigned t = 0; t < threads; t++)
		tally_init(&v->tallies[t]);
	parallel_run(threads, v->all->count, PART, order_visit_part, v);
	ret->pairs = tally_rows(v->tallies, threads, &ret->pair_count);
	for (unsigned t = 0; t < threads; t++)
		tally_release(&v->tallies[t]);
	free(v->tallies);
}

void ordering_release(struct ordering *o)
{
	free(o->order);
	free(o->row);
	free(o->pairs);
}

void order_and_account(struct dataset *data, const struct flows *all, const struct clocks *clocks,
	unsigned threads, struct ordering *ret)
{
	struct visit v = {.data = data,
		.all = all,
		.clocks = clocks,
		.list = mem_array((size_t)all->count + 1, sizeof(*v.list)),
		.file_frames = mem_array(
			(size_t)threads * data->capture_count + 1, sizeof(*v.file_frames))};

	order_visit_all(&v, threads, ret);
	order_settle_accounts(&v, threads);
	order_sort(v.list, all->count);
	ret->order = mem_array((size_t)all->count + 1, sizeof(*ret->order));
	ret->row = mem_array((size_t)all->count + 1, sizeof(*ret->row));
	for (uint32_t i = 0; i < all->count; i++) {
		assert(!i || order_by_first(&v.list[i - 1], &v.list[i]) < 0);
		ret->order[i] = v.list[i].flow;
		ret->row[v.list[i].flow] = i + 1;
	}
	free(v.file_frames);
	free(v.list);
}
