#include "join/pair_content.h"

#include "join/anchors.h"
#include "join/orientation.h"

/* Anchors that must agree. */
#define ANCHORS_NEEDED 3

void pair_content_publish(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	struct anchors anchors;

	anchors_collect(m, &anchors);
	for (uint32_t i = 0; i < anchors.count; i++)
		keymap_put(&p->anchors, anchors.list[i].key, m->flow->flow, anchors.list[i].seq);
}

#define VOTES_MAX 16

struct vote {
	uint32_t flow;
	uint32_t segments[ANCHORS_MAX], agreeing; /* those that agree, each once */
	uint32_t delta[2];
	bool has_delta[2];
};

static void pair_content_note_agreeing(struct vote *v, uint32_t segment)
{
	for (uint32_t i = 0; i < v->agreeing; i++)
		if (v->segments[i] == segment)
			return;
	if (v->agreeing < ANCHORS_MAX)
		v->segments[v->agreeing++] = segment;
}

static void pair_content_count_vote(
	struct vote *votes, int *count, const struct anchor *a, const struct key_entry *e)
{
	struct vote *v = NULL;
	uint32_t delta = a->seq - e->extra;

	for (int i = 0; i < *count; i++)
		if (votes[i].flow == e->value)
			v = &votes[i];
	if (!v) {
		if (*count == VOTES_MAX)
			return;
		v = &votes[(*count)++];
		v->flow = e->value;
		v->agreeing = 0;
		v->has_delta[C2S] = v->has_delta[S2C] = false;
	}
	if (!v->has_delta[a->direction]) {
		v->has_delta[a->direction] = true;
		v->delta[a->direction] = delta;
	}
	if (v->delta[a->direction] == delta)
		pair_content_note_agreeing(v, a->segment);
}

/* Of datagrams a question and its answer are enough. */
static uint32_t pair_content_needed(const struct member *m, const struct vote *v)
{
	return m->flow->key.protocol != 6 && v->has_delta[C2S] && v->has_delta[S2C]
		       ? 2
		       : ANCHORS_NEEDED;
}

/* Who holds a content, and whether several flows of one vantage point do. */
struct content_holder {
	uint32_t vantage, flow;
	bool shared;
};

#define CONTENTS_MAX 4000000

/* Content that several datagram flows of one vantage point hold (heartbeats, beacons) tells none of
 * them. */
static void pair_content_find_shared(struct pairer *p)
{
	hashmap_init(&p->contents, sizeof(uint64_t), sizeof(struct content_holder), CONTENTS_MAX);
	p->contents_found = true;
	for (uint32_t v = 0; v < p->data->vantage_count; v++) {
		const struct flowtab *flows = &p->data->vantages[v].flows;

		for (uint32_t i = 0; i < flows->count; i++) {
			struct member m = {.flow = flowtab_at(flows, i)};
			struct anchors anchors = {0};

			if (m.flow->key.protocol != 6)
				anchors_collect(&m, &anchors);
			for (uint32_t k = 0; k < anchors.count; k++) {
				bool fresh;
				struct content_holder *h =
					hashmap_at(&p->contents, &anchors.list[k].key, &fresh);

				if (h && !fresh && h->vantage == v && h->flow != i)
					h->shared = true;
				if (h)
					*h = (struct content_holder){
						.vantage = v, .flow = i, .shared = h->shared};
			}
		}
	}
}

/* Not in the table, which has a limit: nobody knows. */
static bool pair_content_is_shared(struct pairer *p, uint64_t key)
{
	const struct content_holder *h;

	if (!p->contents_found)
		pair_content_find_shared(p);
	h = hashmap_get(&p->contents, &key);
	return !h || h->shared;
}

/* Votes for the flows that hold the same anchors; returns how many flows got any. */
static int pair_content_gather_votes(struct pairer *p, const struct member *m,
	const struct anchors *anchors, struct vote votes[VOTES_MAX])
{
	bool are_datagrams = m->flow->key.protocol != 6; /* then those of its 5-tuple are others */
	int count = 0;

	for (uint32_t i = 0; i < anchors->count; i++) {
		const struct anchor *a = &anchors->list[i];
		const struct key_entry *e = keymap_first(&p->anchors, a->key);

		/* Heartbeats of many pairs of hosts say the same: such content tells none of them.
		 */
		if (are_datagrams && pair_content_is_shared(p, a->key))
			continue;
		for (int k = 0; k < CANDIDATES_MAX && e; k++, e = keymap_next(&p->anchors, e))
			if (pair_takes(p, e->value, m->vantage) &&
				!(are_datagrams && pair_same_tuple(m->flow,
							   pair_first_member(p, e->value)->flow)))
				pair_content_count_vote(votes, &count, a, e);
	}
	return count;
}

/* Is what one sends as a client what the other sends as a server? */
static bool pair_content_is_crossed(const struct anchors *mine, const struct member *other)
{
	struct anchors theirs;
	int crossed = 0;

	anchors_collect(other, &theirs);
	for (uint32_t i = 0, k = 0; i < mine->count && k < theirs.count;) {
		const struct anchor *a = &mine->list[i], *b = &theirs.list[k];

		if (a->key == b->key)
			crossed += a->direction == b->direction ? -1 : 1;
		i += a->key <= b->key;
		k += b->key <= a->key;
	}
	return crossed > 0;
}

static void pair_content_join_flow(
	struct pairer *p, uint32_t member, const struct vote *best, const struct anchors *anchors)
{
	struct member *m = &p->all->members[member];
	bool is_crossed = pair_content_is_crossed(anchors, pair_first_member(p, best->flow)),
	     client_is_b = m->client_is_b;

	orientation_agree(p->all, m, best->flow, is_crossed);
	pair_join_flow(p, best->flow, member, PAIRED_CONTENT);
	for (int d = 0; d < 2; d++)
		if (best->has_delta[d])
			m->delta[m->client_is_b == client_is_b ? d : !d] = best->delta[d];
}

/* Round 4: addresses were rewritten and no SYN was captured: what the segments carry decides. */
bool pair_content_join(struct pairer *p, uint32_t member)
{
	struct member *m = &p->all->members[member];
	struct vote votes[VOTES_MAX], *best = NULL;
	struct anchors anchors;
	bool tie = false;
	int count;

	anchors_collect(m, &anchors);
	count = pair_content_gather_votes(p, m, &anchors, votes);
	for (int i = 0; i < count; i++) {
		tie = best ? (votes[i].agreeing == best->agreeing ||
				     (tie && votes[i].agreeing < best->agreeing))
			   : false;
		if (!best || votes[i].agreeing > best->agreeing)
			best = &votes[i];
	}
	if (!best || best->agreeing < pair_content_needed(m, best))
		return false;
	if (tie) {
		m->ambiguous = true;
		return false;
	}
	pair_content_join_flow(p, member, best, &anchors);
	return true;
}
