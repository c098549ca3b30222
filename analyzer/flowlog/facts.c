#include "flowlog/facts.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "flowlog/carry.h"
#include "flowlog/facts_impl.h"

void facts_tuple_key(const struct tuple *t, struct conversation_key *ret)
{
	bool down = facts_direction_of(t);

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->low, down ? t->dst : t->src, 16);
	memcpy(ret->high, down ? t->src : t->dst, 16);
	ret->low_port = down ? t->dst_port : t->src_port;
	ret->high_port = down ? t->src_port : t->dst_port;
	ret->protocol = t->protocol;
}

static int facts_by_place_and_start(const void *a, const void *b)
{
	const struct tuple *x = *(struct tuple *const *)a, *y = *(struct tuple *const *)b;

	if (x->vantage != y->vantage)
		return x->vantage < y->vantage ? -1 : 1;
	if (x->start_s != y->start_s)
		return x->start_s < y->start_s ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int facts_by_start(const void *a, const void *b)
{
	const struct tuple *x = *(struct tuple *const *)a, *y = *(struct tuple *const *)b;

	if (x->start_s != y->start_s)
		return x->start_s < y->start_s ? -1 : 1;
	return facts_by_place_and_start(a, b);
}

/* Mostly two to a few records, often in order already. */
static void facts_sort_list(
	struct tuple **list, size_t n, int (*compare)(const void *, const void *))
{
	bool ordered = true;

	for (size_t i = 1; i < n && ordered; i++)
		ordered = compare(&list[i - 1], &list[i]) <= 0;
	if (!ordered)
		qsort(list, n, sizeof(*list), compare);
}

/* What all places together show of one direction. */
static void facts_merge_half(struct half *to, const struct half *h)
{
	to->records += h->records;
	to->rejected_records += h->rejected_records;
	to->first_s = least(to->first_s, h->first_s);
	to->syn |= h->syn;
	to->syn_ack |= h->syn_ack;
	to->client |= h->client;
	to->server |= h->server;
}

/* Each place adds its view of the conversation, with one client for all. */
static void facts_one_conversation(
	struct worker *w, const struct at_place *places, size_t n, const struct tuple *t)
{
	struct half h[2] = {{.first_s = UINT32_MAX}, {.first_s = UINT32_MAX}};
	bool guessed;
	unsigned client;

	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < 2; d++)
			facts_merge_half(&h[d], &places[i].half[d]);
	client = pair_client_half(h, t, &guessed);
	for (size_t i = 0; i < n; i++)
		pair_add(
			w, places[i].interface, places[i].list[0], places[i].half, client, guessed);
	outcomes_add(w, places, n, client);
}

/* All records of a conversation, of all ENIs. Places beyond PLACES are not put together. */
static void facts_join_conversation(struct worker *w, struct tuple **list, size_t n)
{
	struct at_place places[PLACES];
	size_t count = 0, sets = 0, from = 0, to;

	assert(n);
	facts_sort_list(list, n, facts_by_place_and_start);
	do {
		for (to = from + 1; to < n && list[to]->vantage == list[from]->vantage;)
			to++;
		if (count == PLACES) {
			facts_one_conversation(w, places, count, list[0]);
			count = 0;
			sets++;
		}
		places[count].interface = flowlog_interface_by_id(
			(struct flowlog_interfaces *)w->in->interfaces, list[from]->vantage);
		places[count].list = list + from;
		places[count].count = to - from;
		place_sum(w, &places[count++]);
		from = to;
	} while (from < n);
	facts_one_conversation(w, places, count, list[0]);
	if (!sets)
		loss_join_places(w, places, count);
}

/* A conversation that ended at last_s: it may go on, or it is over. */
static void facts_one_segment(struct worker *w, struct tuple **list, size_t n, uint32_t last_s)
{
	const struct flowlog_facts_input *in = w->in;

	w->stage = (int64_t)last_s + CONVERSATION_PAUSE_S + in->edge_s > in->end_s ? OPEN : SETTLED;
	facts_join_conversation(w, list, n);
	if (w->carrying && w->stage == OPEN)
		carried_add(w->carrying, list, n, in);
}

/* The records of one 5-tuple: a conversation, or several with a pause between them. */
static void facts_one_tuple(struct worker *w, struct tuple **list, size_t n)
{
	uint32_t first_s = UINT32_MAX, last_s = 0;
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		first_s = least(first_s, list[i]->start_s);
		last_s = most(last_s, list[i]->end_s);
	}
	if (last_s - first_s < CONVERSATION_PAUSE_S) {
		facts_one_segment(w, list, n, last_s);
		return;
	}
	facts_sort_list(list, n, facts_by_start);
	last_s = list[0]->end_s;
	for (size_t i = 1; i < n; i++) {
		if (list[i]->start_s >= last_s &&
			list[i]->start_s - last_s >= CONVERSATION_PAUSE_S) {
			facts_one_segment(w, list + from, i - from, last_s);
			from = i;
			last_s = 0;
		}
		last_s = most(last_s, list[i]->end_s);
	}
	facts_one_segment(w, list + from, n - from, last_s);
}

/* The flow log a record is of covers an ENI that a larger one covers too. */
static bool facts_left_out(const struct worker *w, const struct tuple *t)
{
	const struct flowlog_interface *i =
		flowlog_interface_by_id((struct flowlog_interfaces *)w->in->interfaces, t->vantage);
	uint32_t source = t->file <= w->in->file_count ? w->in->file_source[t->file] : 0;

	if (!i)
		return true;
	if (i->source_count < 2)
		return false;
	for (unsigned k = 0; k < i->source_count; k++)
		if (i->sources[k].id == source)
			return i->sources[k].left_out;
	return false;
}

/* Groups the records of a bucket by 5-tuple with chains, and takes each group. */
static void facts_one_bucket(struct worker *w, struct tuple *tuples, size_t n)
{
	size_t slots = 64;

	while (slots < 2 * n)
		slots *= 2;
	uint32_t *heads = mem_array(slots, sizeof(*heads));
	uint32_t *next = mem_alloc((n + 1) * sizeof(*next));
	uint32_t *tails = mem_alloc((n + 1) * sizeof(*tails));
	struct tuple **list = mem_alloc((n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		struct conversation_key k, other;
		size_t at;

		if (facts_left_out(w, &tuples[i]))
			continue;
		facts_tuple_key(&tuples[i], &k);
		next[i + 1] = 0;
		for (at = XXH3_64bits(&k, sizeof(k)) & (slots - 1); heads[at];
			at = (at + 1) & (slots - 1)) {
			facts_tuple_key(&tuples[heads[at] - 1], &other);
			if (!memcmp(&k, &other, sizeof(k)))
				break;
		}
		if (heads[at])
			next[tails[heads[at]]] = (uint32_t)i + 1;
		else
			heads[at] = (uint32_t)i + 1;
		tails[heads[at]] = (uint32_t)i + 1;
	}
	for (size_t at = 0; at < slots; at++) {
		size_t count = 0;

		for (uint32_t i = heads[at]; i; i = next[i])
			list[count++] = &tuples[i - 1];
		if (count)
			facts_one_tuple(w, list, count);
	}
	free(list);
	free(tails);
	free(next);
	free(heads);
}

static int facts_take_bucket(struct worker *w, unsigned bucket)
{
	unsigned parts = flowlog_tuples_parts(w->in->tuples, bucket, w->bucket_max);

	w->carrying = flowlog_carry_bucket(w->in->carry, bucket);

	for (unsigned part = 0; part < parts; part++) {
		struct tuple *tuples;
		size_t n;
		int r = flowlog_tuples_load(
			w->in->tuples, bucket, part, parts, &tuples, &n, &w->error);

		if (r < 0)
			return r;
		facts_one_bucket(w, tuples, n);
		free(tuples);
	}
	worker_end_bucket(w);
	return 0;
}

static void *facts_work(void *arg)
{
	struct worker *w = arg;
	unsigned bucket;

	while (!w->result && (bucket = atomic_fetch_add(w->next_bucket, 1)) < TUPLE_BUCKETS)
		w->result = facts_take_bucket(w, bucket);
	return NULL;
}

/* Adds what the threads summed; the first failure counts. */
static int facts_gather(struct worker *workers, unsigned n, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		if (workers[i].result < 0 && r == 0) {
			r = workers[i].result;
			if (err)
				*err = workers[i].error;
		}
		for (unsigned stage = 0; i && stage < STAGES; stage++)
			facts_totals_merge(&workers[0].totals[stage], &workers[i].totals[stage]);
	}
	return r;
}

/* The settled sums go on from those of earlier runs, and are left for the next; the rows have both.
 */
static int facts_write(struct worker *w, struct error *err)
{
	struct facts_totals *settled = &w->totals[SETTLED], *open = &w->totals[OPEN];
	struct sums pairs;
	int r;

	facts_totals_add_states(settled, w->in->states);
	facts_totals_pairs(settled, &pairs);
	r = flowlog_carry_take(w->in->carry, settled, &pairs, err);
	facts_totals_take_pairs(settled, &pairs);
	sums_release(&pairs);
	if (r == 0)
		r = flowlog_carry_leave(w->in->carry, settled, w->in, err);
	if (r)
		return r;
	facts_totals_merge(settled, open);
	facts_totals_pairs(settled, &pairs);
	facts_totals_take_pairs(settled, &pairs);
	sums_release(&pairs);
	return facts_totals_write(settled, w->in->db, err);
}

int flowlog_facts_store(const struct flowlog_facts_input *in, struct error *err)
{
	enum { MOST = 16 };
	struct worker workers[MOST] = {{0}};
	pthread_t threads[MOST];
	unsigned n = in->threads < 1 ? 1 : in->threads > MOST ? MOST : in->threads, started = 0;
	_Atomic unsigned next_bucket = 0;
	int r;

	for (unsigned i = 0; i < n; i++) {
		worker_init(&workers[i], in, n);
		workers[i].next_bucket = &next_bucket;
		if (i == 0) {
			facts_index_owners(&workers[0]);
		} else {
			workers[i].owners = workers[0].owners;
			workers[i].owner_slots = workers[0].owner_slots;
			/* Without another thread this one does it all. */
			if (pthread_create(&threads[started], NULL, facts_work, &workers[i]) == 0)
				started++;
		}
	}
	(void)facts_work(&workers[0]);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	r = facts_gather(workers, n, err);
	assert(r || atomic_load(&next_bucket) >= TUPLE_BUCKETS);
	if (r == 0)
		r = facts_write(&workers[0], err);
	free(workers[0].owners);
	for (unsigned i = 0; i < n; i++)
		worker_release(&workers[i]);
	return r;
}
