#include "record/losstraits.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/address.h"
#include "base/hashset.h"
#include "base/mem.h"
#include "record/facts.h"
#include "record/trait.h"

/* What is kept while joining, and packets that are counted; beyond them every second flow goes. */
#define PATHS_MAX (1U << 19)
#define NOTES_MAX (1U << 18)
#define PACKETS_MAX (1U << 18)
#define WAYS_MAX 64
/* Protocols of a way that are told apart. */
#define GROUPS_MAX 64
#define FLOW_CELLS_MAX 65536
/* Deaths that are further apart are no one burst. */
#define RUN_NS (NSEC_PER_SEC / 2)

/* What died and what lived of one bucket. */
struct cell {
	uint32_t died, lived, unjudged;
	uint32_t runs;			  /* deaths in a row count once */
	int64_t low, high;		  /* smallest and largest value; low > high: none */
	uint32_t died_frame, lived_frame; /* an example of each at the sender; FRAME_NONE */
};

static const struct cell empty_cell = {
	.low = INT64_MAX, .high = INT64_MIN, .died_frame = FRAME_NONE, .lived_frame = FRAME_NONE};

/* A way and protocol. */
struct group {
	uint32_t from, to;
	uint8_t protocol;
	struct cell *cells[PACKET_TRAITS]; /* by bucket */
};

struct group_key {
	uint32_t from, to;
	uint32_t protocol, unused;
};

/* Of traits that flows have. */
struct flow_cell_key {
	uint32_t group, trait;
	uint8_t value[16]; /* an address; else a number at the start */
};

struct flow_cell {
	struct cell cell;
	uint32_t flows_died, flows_lived; /* that lost any, that lost none */
};

struct packet_fate {
	uint32_t died, unjudged;
};

struct counting {
	const struct losstraits *kept;
	struct hashset ways;   /* group_key without protocol: ways that lost anything */
	struct hashmap fates;  /* const struct segment * -> packet_fate */
	struct hashmap groups; /* group_key -> index in group */
	struct group group[GROUPS_MAX];
	struct hashmap flow_cells;
};

void losstraits_init(struct losstraits *t, const struct join *j)
{
	*t = (struct losstraits){.join = j};
}

void losstraits_release(struct losstraits *t)
{
	free(t->paths);
	free(t->notes);
	*t = (struct losstraits){0};
}

/* All flows of the same addresses and ports are in or out: how one follows another is a trait. */
static bool losstraits_is_kept(const struct losstraits *t, uint32_t flow)
{
	const struct flows *all = t->join->all;
	const struct flow_key *key = &all->members[all->list[flow].first_member].flow->key;

	/* Without a seed: the same flows in each run. */
	return !t->mask || !(XXH3_64bits(key, sizeof(*key)) & t->mask);
}

static bool losstraits_is_full(const struct losstraits *t)
{
	return t->path_count > PATHS_MAX || t->note_count > NOTES_MAX || t->packets > PACKETS_MAX;
}

static void losstraits_halve(struct losstraits *t)
{
	uint32_t paths = 0, notes = 0;

	t->mask = t->mask << 1 | 1;
	t->packets = 0;
	for (uint32_t i = 0; i < t->path_count; i++) {
		if (!losstraits_is_kept(t, t->paths[i].flow))
			continue;
		t->packets += t->paths[i].sent;
		t->paths[paths++] = t->paths[i];
	}
	for (uint32_t i = 0; i < t->note_count; i++)
		if (losstraits_is_kept(t, t->notes[i].flow))
			t->notes[notes++] = t->notes[i];
	t->path_count = paths;
	t->note_count = notes;
}

/* One conversation alone may be more than there is room for: then it stays. */
static void losstraits_fit(struct losstraits *t)
{
	while (losstraits_is_full(t) && t->mask < UINT32_MAX >> 9)
		losstraits_halve(t);
}

void losstraits_add_path(struct losstraits *t, uint32_t flow, const struct path_counts *p)
{
	if (!losstraits_is_kept(t, flow))
		return;
	MEM_RESERVE(t->paths, t->path_count, t->path_cap);
	t->paths[t->path_count++] = (struct losstraits_path){.flow = flow,
		.from = p->from,
		.to = p->to,
		.sent = (uint32_t)p->sent.segments,
		.direction = p->direction};
	t->packets += p->sent.segments;
	losstraits_fit(t);
}

static void losstraits_keep_note(struct losstraits *t, const struct losstraits_note *note)
{
	if (!losstraits_is_kept(t, note->flow))
		return;
	MEM_RESERVE(t->notes, t->note_count, t->note_cap);
	t->notes[t->note_count++] = *note;
	losstraits_fit(t);
}

void losstraits_add_event(struct losstraits *t, uint32_t flow, const struct event *e)
{
	bool died = e->kind == EVENT_LOST || e->kind == EVENT_MISADDRESSED;
	struct losstraits_note note = {.sent = e->sent,
		.flow = flow,
		.from = (uint16_t)e->from,
		.to = (uint16_t)e->to,
		.died = died ? (int32_t)e->segments : 0,
		.unjudged = died ? 0 : (int32_t)e->segments};

	if (e->sent && (died || e->kind == EVENT_UNJUDGED))
		losstraits_keep_note(t, &note);
}

void losstraits_unjudge(struct losstraits *t, uint32_t flow, uint32_t from, uint32_t to,
	const struct segment *sent, uint32_t segments)
{
	struct losstraits_note note = {.sent = sent,
		.flow = flow,
		.from = (uint16_t)from,
		.to = (uint16_t)to,
		.died = -(int32_t)segments,
		.unjudged = (int32_t)segments};

	losstraits_keep_note(t, &note);
}

static void losstraits_take_note(struct counting *c, const struct losstraits_note *n)
{
	struct packet_fate *fate;
	bool fresh;

	fate = hashmap_at(&c->fates, &n->sent, &fresh);
	if (!fate)
		return;
	fate->died += (uint32_t)n->died;
	fate->unjudged += (uint32_t)n->unjudged;
}

static void losstraits_gather(struct counting *c)
{
	const struct losstraits *t = c->kept;

	for (uint32_t i = 0; i < t->note_count; i++)
		losstraits_take_note(c, &t->notes[i]);
	for (uint32_t i = 0; i < t->note_count; i++) {
		const struct losstraits_note *n = &t->notes[i];
		const struct packet_fate *fate = hashmap_get(&c->fates, &n->sent);
		struct group_key key = {.from = n->from, .to = n->to};

		if (fate && fate->died)
			(void)hashset_add(&c->ways, &key); /* beyond the limit they are left out */
	}
}

static struct group *losstraits_group(
	struct counting *c, const struct losstraits_path *p, uint8_t protocol)
{
	struct group_key key = {.from = p->from, .to = p->to, .protocol = protocol};
	struct group *g;
	uint32_t *index;
	bool fresh;

	index = hashmap_at(&c->groups, &key, &fresh);
	if (!index)
		return NULL;
	if (!fresh)
		return &c->group[*index];
	*index = c->groups.count - 1;
	g = &c->group[*index];
	*g = (struct group){.from = p->from, .to = p->to, .protocol = protocol};
	for (uint32_t i = 0; i < PACKET_TRAITS; i++) {
		uint32_t n = trait_buckets((enum trait)i) + 1; /* the last: no value */

		g->cells[i] = mem_array(n, sizeof(struct cell));
		for (uint32_t k = 0; k < n; k++)
			g->cells[i][k] = empty_cell;
	}
	return g;
}

static inline void losstraits_count(struct cell *cell, const struct packet_fate *fate,
	uint32_t lived, bool begins_run, int64_t value, uint32_t frame)
{
	cell->lived += lived;
	cell->low = value < cell->low ? value : cell->low;
	cell->high = value > cell->high ? value : cell->high;
	if (lived && cell->lived_frame == FRAME_NONE)
		cell->lived_frame = frame;
	/* Most packets arrived. */
	if (!fate->died && !fate->unjudged)
		return;
	cell->died += fate->died;
	cell->unjudged += fate->unjudged;
	cell->runs += begins_run;
	if (fate->died && cell->died_frame == FRAME_NONE)
		cell->died_frame = frame;
}

static uint32_t losstraits_bucket(const struct trait_walk *w, enum trait t, int64_t value)
{
	uint32_t n = trait_buckets(t), bucket;

	if (value == TRAIT_NONE)
		return n;
	if (t == TRAIT_MOMENT)
		return (uint32_t)((double)value * n / (double)w->span_ns);
	bucket = trait_bucket(t, value);
	return bucket < n ? bucket : n - 1;
}

static struct flow_cell *losstraits_flow_cell(
	struct counting *c, uint32_t group, enum trait t, const uint8_t *ip, int64_t value)
{
	struct flow_cell_key key = {.group = group, .trait = t};
	struct flow_cell *cell;
	uint64_t bucket;
	bool fresh;

	if (ip) {
		memcpy(key.value, ip, sizeof(key.value));
	} else {
		bucket = value == TRAIT_NONE ? UINT64_MAX : trait_bucket(t, value);
		memcpy(key.value, &bucket, sizeof(bucket));
	}
	cell = hashmap_at(&c->flow_cells, &key, &fresh);
	if (cell && fresh)
		*cell = (struct flow_cell){.cell = empty_cell};
	return cell;
}

/* All packets of a flow's direction together. */
static void losstraits_add_flow(
	struct counting *c, uint32_t group, const struct trait_walk *w, const struct cell *sum)
{
	int64_t values[TRAITS];

	trait_of_flow(w, values);
	for (enum trait t = PACKET_TRAITS; t < TRAITS; t++) {
		bool address = t == TRAIT_SOURCE || t == TRAIT_DESTINATION;
		const uint8_t *ip = !address ? NULL
					     : member_ip(w->member, (t == TRAIT_SOURCE) ==
									    (w->direction == C2S));
		struct flow_cell *f =
			losstraits_flow_cell(c, group, t, ip, address ? 0 : values[t]);

		if (!f)
			continue;
		losstraits_count(&f->cell, &(struct packet_fate){sum->died, sum->unjudged},
			sum->lived, false, address ? 0 : values[t], FRAME_NONE);
		f->cell.runs += sum->runs;
		if (f->cell.died_frame == FRAME_NONE)
			f->cell.died_frame = sum->died_frame;
		if (f->cell.lived_frame == FRAME_NONE)
			f->cell.lived_frame = sum->lived_frame;
		f->flows_died += sum->died > 0;
		f->flows_lived += sum->died == 0 && sum->lived > 0;
	}
}

/* One packet, in each trait and in the sum of its direction. */
static void losstraits_add_packet(struct counting *c, const struct group *g,
	const struct trait_walk *w, const struct segment *s, const int64_t *values,
	struct cell *sum, int64_t *last_died_ns)
{
	const struct packet_fate *found = hashmap_get(&c->fates, &s);
	struct packet_fate fate = found ? *found : (struct packet_fate){0, 0};
	uint32_t n = trait_segments(w, s), gone = fate.died + fate.unjudged;
	uint32_t lived = n > gone ? n - gone : 0;
	bool begins_run =
		fate.died && (*last_died_ns == TRAIT_NONE || s->time_ns - *last_died_ns >= RUN_NS);

	for (enum trait t = 0; t < PACKET_TRAITS; t++)
		losstraits_count(&g->cells[t][losstraits_bucket(w, t, values[t])], &fate, lived,
			begins_run, values[t], s->frame);
	losstraits_count(sum, &fate, lived, begins_run, 0, s->frame);
	if (fate.died)
		*last_died_ns = s->time_ns;
	else if (lived)
		*last_died_ns = TRAIT_NONE;
}

static void losstraits_count_path(struct counting *c, const struct losstraits_path *p)
{
	const struct join *j = c->kept->join;
	const struct member *m = flow_member_seen_from(j->all, p->flow, p->from);
	int64_t values[PACKET_TRAITS], last_died_ns = TRAIT_NONE;
	struct cell sum = empty_cell;
	struct segment_walk walk;
	struct trait_walk traits;
	const struct segment *s;
	struct group *g;

	if (!m)
		return;
	g = losstraits_group(c, p, m->flow->key.protocol);
	if (!g)
		return;
	trait_walk_begin(&traits, m, (enum direction)p->direction, &j->data->vantages[p->from]);
	walk = walk_flow(m);
	while ((s = walk_any(&walk)))
		/* A copy that the capture or the network made was not sent. */
		if (!(s->bits & SEGMENT_DUPLICATE) && trait_walk_take(&traits, s, values))
			losstraits_add_packet(c, g, &traits, s, values, &sum, &last_died_ns);
	losstraits_add_flow(c, (uint32_t)(g - c->group), &traits, &sum);
}

static void losstraits_put_row(const struct losstraits *t, struct db *db, const struct group *g,
	enum trait trait, int64_t bucket, const char *label, const struct cell *c,
	const struct flow_cell *flows)
{
	const struct dataset *data = t->join->data;
	sqlite3_stmt *s = db_insert(db, TABLE_LOSS_TRAIT);
	bool has_values = c->low <= c->high && c->low != TRAIT_NONE;

	db_int(s, 1, data->vantages[g->from].id);
	db_int(s, 2, data->vantages[g->to].id);
	db_int(s, 3, g->protocol);
	db_text(s, 4, trait_name(trait));
	db_int(s, 5, bucket);
	db_text(s, 6, label);
	db_int_or_null(s, 7, has_values ? c->low : DB_NONE);
	db_int_or_null(s, 8, has_values ? c->high : DB_NONE);
	db_int(s, 9, c->died);
	db_int(s, 10, c->lived);
	db_int(s, 11, c->unjudged);
	db_int(s, 12, c->runs);
	db_int_or_null(s, 13, flows ? flows->flows_died : DB_NONE);
	db_int_or_null(s, 14, flows ? flows->flows_lived : DB_NONE);
	facts_put_frame(s, 15, data, g->from, c->died_frame);
	facts_put_frame(s, 17, data, g->from, c->lived_frame);
	db_int(s, 19, t->mask + 1);
	db_step(db, s);
}

static bool losstraits_is_used(const struct cell *c)
{
	return c->died || c->lived || c->unjudged;
}

/* No threshold lies between neighbours of which nothing died, or nothing lived. */
static bool losstraits_are_alike(const struct cell *a, const struct cell *b)
{
	return !a->unjudged && !b->unjudged && ((!a->died && !b->died) || (!a->lived && !b->lived));
}

static void losstraits_merge(struct cell *into, const struct cell *c)
{
	into->died += c->died;
	into->lived += c->lived;
	into->runs += c->runs;
	into->low = c->low < into->low ? c->low : into->low;
	into->high = c->high > into->high ? c->high : into->high;
	into->died_frame = into->died_frame == FRAME_NONE ? c->died_frame : into->died_frame;
	into->lived_frame = into->lived_frame == FRAME_NONE ? c->lived_frame : into->lived_frame;
}

/* A row for each bucket that has anything; neighbours that are alike are one where order is all
 * that counts. */
static void losstraits_put_trait(
	const struct losstraits *t, struct db *db, const struct group *g, enum trait trait)
{
	const struct cell *cells = g->cells[trait];
	uint32_t n = trait_buckets(trait), next;

	for (uint32_t i = 0; i < n; i = next) {
		struct cell row = cells[i];

		next = i + 1;
		if (!losstraits_is_used(&row))
			continue;
		for (; next < n && trait_is_ordered(trait); next++) {
			if (!losstraits_is_used(&cells[next]))
				continue;
			if (!losstraits_are_alike(&row, &cells[next]))
				break;
			losstraits_merge(&row, &cells[next]);
		}
		losstraits_put_row(t, db, g, trait, i, trait_label(trait, i), &row, NULL);
	}
	if (losstraits_is_used(&cells[n]))
		losstraits_put_row(t, db, g, trait, -1, NULL, &cells[n], NULL);
}

static void losstraits_put_flow_cells(const struct counting *c, struct db *db)
{
	for (uint32_t i = 0; i < c->flow_cells.count; i++) {
		const struct flow_cell_key *k = hashmap_key(&c->flow_cells, i);
		const struct flow_cell *f = hashmap_value(&c->flow_cells, i);
		bool address = k->trait == TRAIT_SOURCE || k->trait == TRAIT_DESTINATION;
		char ip[IP_TEXT_SIZE];
		int64_t bucket = i;

		if (!address)
			memcpy(&bucket, k->value, sizeof(bucket));
		losstraits_put_row(c->kept, db, &c->group[k->group], (enum trait)k->trait, bucket,
			address ? ip_text(k->value, ip) : NULL, &f->cell, f);
	}
}

static void losstraits_put_all(const struct counting *c, struct db *db)
{
	for (uint32_t i = 0; i < c->groups.count; i++)
		for (enum trait t = 0; t < PACKET_TRAITS; t++)
			losstraits_put_trait(c->kept, db, &c->group[i], t);
	losstraits_put_flow_cells(c, db);
}

static void losstraits_release_counting(struct counting *c)
{
	for (uint32_t i = 0; i < c->groups.count; i++)
		for (int t = 0; t < PACKET_TRAITS; t++)
			free(c->group[i].cells[t]);
	hashset_release(&c->ways);
	hashmap_release(&c->fates);
	hashmap_release(&c->groups);
	hashmap_release(&c->flow_cells);
	free(c);
}

void losstraits_store(const struct losstraits *t, struct db *db)
{
	struct counting *c = mem_zalloc(sizeof(*c));

	c->kept = t;
	hashset_init(&c->ways, sizeof(struct group_key), WAYS_MAX);
	hashmap_init(&c->fates, sizeof(const struct segment *), sizeof(struct packet_fate),
		t->note_count + 1);
	hashmap_init(&c->groups, sizeof(struct group_key), sizeof(uint32_t), GROUPS_MAX);
	hashmap_init(&c->flow_cells, sizeof(struct flow_cell_key), sizeof(struct flow_cell),
		FLOW_CELLS_MAX);
	losstraits_gather(c);
	for (uint32_t i = 0; i < t->path_count && hashset_count(&c->ways); i++) {
		struct group_key way = {.from = t->paths[i].from, .to = t->paths[i].to};

		if (hashset_has(&c->ways, &way))
			losstraits_count_path(c, &t->paths[i]);
	}
	losstraits_put_all(c, db);
	losstraits_release_counting(c);
}
