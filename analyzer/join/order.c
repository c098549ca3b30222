#include "join/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

/* Conversations that a thread visits at a time. */
#define PART 4096
/* Conversations begin in the order of the first place, nearly: so many steps back for each are no sort worth the name. */
#define STEPS_BACK 4

struct ordered {
	int64_t first_ns;
	uint32_t conversation;
};

/* Frames and bytes of one capture, one-sided and joined. */
struct share {
	struct capture_account account[2];
};

struct visit {
	struct network *net;
	const struct conversations *all;
	const struct clocks *clocks;
	struct ordered *list;
	struct share *shares; /* [thread * captures + capture]: threads do not wait for each other */
};

static void visit_conversation(const struct visit *v, struct share *shares, uint32_t conversation)
{
	const struct conversation *c = &v->all->list[conversation];
	int64_t first_ns = INT64_MAX;

	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = v->all->members[i].next) {
		const struct member *m = &v->all->members[i];
		const struct flow *f = m->flow;
		int64_t t = clocks_to_reference(v->clocks, m->vantage, f->first_ns);

		first_ns = t < first_ns ? t : first_ns;
		if (f->file_frames) {
			struct capture_account *a = &shares[f->file].account[c->members > 1];

			a->frames += f->file_frames;
			a->bytes += f->file_bytes;
		}
	}
	v->list[conversation] = (struct ordered){.conversation = conversation, .first_ns = first_ns};
}

/* How many conversations ahead their flows are asked for. */
#define AHEAD 16

static void times_near(const struct conversations *all, uint32_t conversation)
{
	for (uint32_t i = all->list[conversation].first_member; i != MEMBER_NONE; i = all->members[i].next)
		flow_near_times(all->members[i].flow);
}

static void visit_part(void *context, unsigned thread, uint32_t begin, uint32_t end)
{
	const struct visit *v = context;

	for (uint32_t i = begin; i < end; i++) {
		if (i + AHEAD < end)
			times_near(v->all, i + AHEAD);
		visit_conversation(v, v->shares + (size_t)thread * v->net->capture_count, i);
	}
}

static void add_account(struct capture *c, const struct capture_account *part, bool joined)
{
	struct capture_account *a = &c->account[joined ? CAPTURE_JOINED : CAPTURE_ONE_SIDED];

	a->frames += part->frames;
	a->bytes += part->bytes;
}

static void settle_accounts(const struct visit *v, unsigned threads)
{
	struct network *net = v->net;

	for (uint32_t i = 0; i < threads * net->capture_count; i++)
		for (int joined = 0; joined < 2; joined++)
			add_account(&net->captures[i % net->capture_count], &v->shares[i].account[joined], joined);
	/* What flows had in files that they went on from. */
	for (uint32_t h = 0; h < net->host_count; h++) {
		for (uint32_t i = 0; i < net->hosts[h].share_count; i++) {
			const struct host_share *s = &net->hosts[h].shares[i];
			const struct flow *f = flowtab_at(&net->vantages[s->vantage].flows, s->flow);
			struct capture_account part = {.frames = s->frames, .bytes = s->bytes};

			add_account(&net->captures[s->capture], &part, v->all->list[f->joined].members > 1);
		}
	}
}

static int by_first(const void *x, const void *y)
{
	const struct ordered *a = x, *b = y;

	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return (a->conversation > b->conversation) - (a->conversation < b->conversation);
}

/* By insertion, as long as that is cheap. */
static void sort(struct ordered *list, uint32_t n)
{
	uint64_t steps = 0;

	for (uint32_t i = 1; i < n && steps <= (uint64_t)n * STEPS_BACK; i++) {
		struct ordered x = list[i];
		uint32_t k = i;

		for (; k && by_first(&x, &list[k - 1]) < 0; k--, steps++)
			list[k] = list[k - 1];
		list[k] = x;
	}
	if (steps > (uint64_t)n * STEPS_BACK)
		qsort(list, n, sizeof(*list), by_first);
}

void order_and_account(struct network *net, const struct conversations *all, const struct clocks *clocks,
	unsigned threads, uint32_t **ret_order, uint32_t **ret_row)
{
	struct visit v = {.net = net, .all = all, .clocks = clocks,
		.list = mem_array((size_t)all->count + 1, sizeof(*v.list)),
		.shares = mem_array((size_t)threads * net->capture_count + 1, sizeof(*v.shares))};

	parallel_run(threads, all->count, PART, visit_part, &v);
	settle_accounts(&v, threads);
	sort(v.list, all->count);
	*ret_order = mem_array((size_t)all->count + 1, sizeof(**ret_order));
	*ret_row = mem_array((size_t)all->count + 1, sizeof(**ret_row));
	for (uint32_t i = 0; i < all->count; i++) {
		(*ret_order)[i] = v.list[i].conversation;
		(*ret_row)[v.list[i].conversation] = i + 1;
	}
	free(v.shares);
	free(v.list);
}
