#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/nsec.h"
#include "flowlog/facts_impl.h"
#include "flowlog/rows.h"

/* Rows of flow_log_pair: those with something wrong, and beside them the largest. */
#define PROBLEMS_KEPT 20000
#define TALKERS_KEPT 5000
#define REQUESTS_KEPT 1000000 /* totals, and minutes of them */

static size_t facts_rows_entries_in(uint64_t bytes, size_t entry_size)
{
	size_t n = (size_t)(bytes / (entry_size + 16));

	return n < 1000 ? 1000 : n;
}

static void facts_rows_init_totals(struct facts_totals *t, uint64_t all)
{
	uint64_t share = all / 8;

	/* Not by memory: what is in the database must not depend on it. */
	sums_init(&t->requests, sizeof(struct request_key), sizeof(struct request), REQUESTS_KEPT);
	sums_init(&t->windows, sizeof(struct window_key), sizeof(struct window),
		facts_rows_entries_in(all / 2, sizeof(struct window)));
	sums_init(&t->losses, sizeof(struct loss_key), sizeof(struct loss),
		facts_rows_entries_in(share, sizeof(struct loss)));
	sums_init(&t->deliveries, sizeof(struct delivery_key), sizeof(struct delivery),
		facts_rows_entries_in(share, sizeof(struct delivery)));
	sums_init(&t->sources, 16, sizeof(struct source_sum),
		facts_rows_entries_in(share, sizeof(struct source_sum)));
	sums_init(&t->known, sizeof(uint64_t), sizeof(struct known), SIZE_MAX);
	top_init(&t->problems, PROBLEMS_KEPT, sizeof(struct pair));
	top_init(&t->talkers, TALKERS_KEPT, sizeof(struct pair));
}

void worker_init(struct worker *w, const struct flowlog_facts_input *in, unsigned threads)
{
	uint64_t all = in->memory / threads;

	*w = (struct worker){.in = in};
	w->bucket_max = (size_t)(all / 8 / (sizeof(struct tuple) + sizeof(struct pair)));
	for (unsigned stage = 0; stage < STAGES; stage++) {
		sums_init(&w->pairs[stage], sizeof(struct pair_key), sizeof(struct pair), SIZE_MAX);
		sums_init(&w->asked[stage], sizeof(struct request_key), sizeof(struct request),
			SIZE_MAX);
		facts_rows_init_totals(&w->totals[stage], all);
	}
}

void worker_release(struct worker *w)
{
	for (unsigned stage = 0; stage < STAGES; stage++) {
		struct facts_totals *t = &w->totals[stage];

		sums_release(&w->pairs[stage]);
		sums_release(&w->asked[stage]);
		sums_release(&t->requests);
		sums_release(&t->windows);
		sums_release(&t->losses);
		sums_release(&t->deliveries);
		sums_release(&t->sources);
		sums_release(&t->known);
		top_release(&t->problems);
		top_release(&t->talkers);
	}
}

void facts_totals_take_pairs(struct facts_totals *t, const struct sums *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const struct pair *p = sums_at(pairs, i);
		uint64_t wrong = p->rejected_records[0] + p->rejected_records[1] +
				 p->unanswered_records + p->reply_rejected + p->void_flows;

		if (wrong)
			top_offer(&t->problems, wrong, pairs->hashes[i], p);
		else
			top_offer(&t->talkers, p->bytes[0] + p->bytes[1], pairs->hashes[i], p);
	}
}

void worker_end_bucket(struct worker *w)
{
	for (unsigned stage = 0; stage < STAGES; stage++) {
		facts_totals_take_pairs(&w->totals[stage], &w->pairs[stage]);
		sums_clear(&w->pairs[stage]);
	}
	outcomes_end_bucket(w);
}

void pair_init(struct pair *p)
{
	p->first_s = p->unanswered_first_s = p->rejected_first_s = UINT32_MAX;
}

static void facts_rows_bind_seconds(sqlite3_stmt *s, int column, uint32_t seconds)
{
	db_int(s, column, (int64_t)seconds * NSEC_PER_SEC);
}

/* A time that is there only with a proof. */
static void facts_rows_bind_proof_time(
	sqlite3_stmt *s, int column, uint32_t seconds, const struct proof *p)
{
	if (p->file)
		facts_rows_bind_seconds(s, column, seconds);
	else
		db_null(s, column);
}

static void facts_rows_bind_proof(sqlite3_stmt *s, int column, const struct proof *p)
{
	db_int_or_null(s, column, p->file ? (int64_t)p->file : DB_NONE);
	db_int_or_null(s, column + 1, p->file && p->line ? (int64_t)p->line : DB_NONE);
}

/* In sums a protocol that is not recorded has a name of its own. */
static const char *facts_rows_protocol_or_unknown(uint8_t protocol, uint8_t none, char buffer[8])
{
	return none ? "unknown" : protocol_text(protocol, buffer);
}

static void facts_rows_write_pair(struct db *db, const void *entry)
{
	static const char *const owns[] = {NULL, "server", "client"};
	const struct pair *p = entry;
	const struct pair_key *k = &p->key;
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_PAIR);
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN], protocol[8];
	const uint64_t sums[] = {p->flows, p->records[0], p->records[1], p->packets[0],
		p->packets[1], p->bytes[0], p->bytes[1], p->rejected_records[0],
		p->rejected_records[1], p->rejected_packets[0], p->rejected_packets[1],
		p->rejected_flows, p->reply_rejected, p->unanswered_flows, p->unanswered_records,
		p->unanswered_packets, p->unanswered_syn, p->edge_flows, p->void_flows};
	int c = 1;

	db_int(s, c++, k->vantage);
	db_text(s, c++, owns[k->own]);
	db_text(s, c++, facts_rows_protocol_or_unknown(k->protocol, k->protocol_none, protocol));
	db_text(s, c++, flowlog_ip_text(k->client, client));
	db_text(s, c++, flowlog_ip_text(k->server, server));
	db_int_or_null(s, c++, k->has_port ? k->port : DB_NONE);
	db_int(s, c++, k->guessed);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		db_int(s, c++, (int64_t)sums[i]);
	facts_rows_bind_seconds(s, c++, p->first_s);
	facts_rows_bind_seconds(s, c++, p->last_s);
	facts_rows_bind_proof_time(s, c++, p->unanswered_first_s, &p->unanswered);
	facts_rows_bind_proof_time(s, c++, p->unanswered_last_s, &p->unanswered);
	facts_rows_bind_proof(s, c, &p->unanswered);
	c += 2;
	facts_rows_bind_proof_time(s, c++, p->rejected_first_s, &p->rejected);
	facts_rows_bind_proof_time(s, c++, p->rejected_last_s, &p->rejected);
	facts_rows_bind_proof(s, c, &p->rejected);
	db_step(db, s);
}

static void facts_rows_write_window(struct db *db, const void *entry)
{
	const struct window *w = entry;
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_WINDOW);
	int c = 1;

	db_int(s, c++, w->key.vantage);
	db_int(s, c++, (int64_t)w->key.minute * 60 * NSEC_PER_SEC);
	db_int(s, c++, (int64_t)w->in_records);
	db_int(s, c++, (int64_t)w->in_packets);
	db_int(s, c++, (int64_t)w->in_requests);
	db_int(s, c++, (int64_t)w->in_answered);
	db_int(s, c++, (int64_t)w->out_records);
	db_int(s, c++, (int64_t)w->out_packets);
	db_int(s, c++, __builtin_popcountll(w->peers));
	db_int(s, c++, __builtin_popcountll(w->peers_answered));
	db_int(s, c++, (int64_t)w->rejected);
	db_int(s, c++, (int64_t)w->nodata);
	db_int(s, c++, (int64_t)w->skipdata);
	facts_rows_bind_proof(s, c, &w->unanswered);
	db_step(db, s);
}

static void facts_rows_write_loss(struct db *db, const void *entry)
{
	const struct loss *l = entry;
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_LOSS);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const uint64_t sums[] = {l->flows, l->flows_missing, l->flows_short, l->sent, l->arrived,
		l->rejected, l->missing, l->unjudged};
	int c = 1;

	db_int(s, c++, l->key.from);
	db_int(s, c++, l->key.to);
	db_text(s, c++, flowlog_ip_text(l->key.src, src));
	db_text(s, c++, flowlog_ip_text(l->key.dst, dst));
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		db_int(s, c++, (int64_t)sums[i]);
	facts_rows_bind_seconds(s, c++, l->missing ? l->first_s : 0);
	facts_rows_bind_seconds(s, c++, l->last_s);
	facts_rows_bind_proof(s, c, &l->proof);
	db_step(db, s);
}

static void facts_rows_write_delivery(struct db *db, const void *entry)
{
	const struct delivery *d = entry;
	const struct delivery_key *k = &d->key;
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_DELIVERY);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], protocol[8];
	int c = 1;

	db_int(s, c++, k->vantage);
	db_text(s, c++, facts_rows_protocol_or_unknown(k->protocol, k->protocol_none, protocol));
	db_text(s, c++, flowlog_ip_text(k->src, src));
	db_int_or_null(s, c++, k->has_port ? k->src_port : DB_NONE);
	db_text(s, c++, flowlog_ip_text(k->dst, dst));
	db_int_or_null(s, c++, k->has_port ? k->dst_port : DB_NONE);
	db_int(s, c++, (int64_t)d->records);
	db_int(s, c++, (int64_t)d->packets);
	db_int(s, c++, (int64_t)d->bytes);
	facts_rows_bind_seconds(s, c++, d->first_s);
	facts_rows_bind_seconds(s, c++, d->last_s);
	facts_rows_bind_proof(s, c, &d->proof);
	db_step(db, s);
}

static void facts_rows_bind_second_or_null(
	sqlite3_stmt *s, int column, uint32_t seconds, bool there)
{
	db_int_or_null(s, column, there ? (int64_t)seconds * NSEC_PER_SEC : DB_NONE);
}

static const char *facts_rows_ip_or_null(const uint8_t address[16], char buffer[INET6_ADDRSTRLEN])
{
	static const uint8_t none[16];

	return memcmp(address, none, 16) ? flowlog_ip_text(address, buffer) : NULL;
}

static void facts_rows_write_request(struct db *db, const void *entry)
{
	const struct request *r = entry;
	const struct request_key *k = &r->key;
	bool total = k->minute == 0, answered = r->answered_last_s > 0,
	     failed = r->failed_last_s > 0;
	sqlite3_stmt *s =
		db_insert(db, total ? TABLE_FLOW_LOG_REQUEST : TABLE_FLOW_LOG_REQUEST_MINUTE);
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN], protocol[8];
	int c = 1;

	db_text(s, c++, facts_rows_ip_or_null(k->client, client));
	db_text(s, c++, facts_rows_ip_or_null(k->server, server));
	db_text(s, c++, facts_rows_protocol_or_unknown(k->protocol, k->protocol_none, protocol));
	db_int_or_null(s, c++, k->has_port ? k->port : DB_NONE);
	if (!total)
		db_int(s, c++, (int64_t)k->minute * 60 * NSEC_PER_SEC);
	db_int_or_null(s, c++, r->client_vantage ? (int64_t)r->client_vantage : DB_NONE);
	db_int_or_null(s, c++, r->server_vantage ? (int64_t)r->server_vantage : DB_NONE);
	db_int(s, c++, (int64_t)r->asked);
	for (int o = 0; o < OUTCOMES; o++)
		db_int(s, c++, (int64_t)r->outcomes[o]);
	db_int(s, c++, (int64_t)r->edge);
	db_int(s, c++, (int64_t)r->strange);
	db_int(s, c++, (int64_t)r->packets);
	db_int(s, c++, __builtin_popcountll(r->clients));
	db_int(s, c++, __builtin_popcountll(r->clients_answered));
	if (total) {
		facts_rows_bind_second_or_null(s, c++, r->answered_first_s, answered);
		facts_rows_bind_second_or_null(s, c++, r->answered_last_s, answered);
		facts_rows_bind_second_or_null(s, c++, r->failed_first_s, failed);
		facts_rows_bind_second_or_null(s, c++, r->failed_last_s, failed);
	}
	facts_rows_bind_proof(s, c, &r->proof);
	db_step(db, s);
}

static void facts_rows_write_source(struct db *db, const void *entry)
{
	const struct source_sum *x = entry;
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_SOURCE);
	char address[INET6_ADDRSTRLEN];
	int ports = 0, c = 1;

	for (int i = 0; i < 4; i++)
		ports += __builtin_popcountll(x->ports[i]);
	db_text(s, c++, flowlog_ip_text(x->address, address));
	db_int(s, c++, (int64_t)x->records);
	db_int(s, c++, (int64_t)x->packets);
	db_int(s, c++, __builtin_popcountll(x->hosts));
	db_int(s, c++, ports);
	facts_rows_bind_seconds(s, c++, x->first_s);
	facts_rows_bind_seconds(s, c++, x->last_s);
	facts_rows_bind_proof(s, c, &x->proof);
	db_step(db, s);
}

/* A scan reaches for many; sources of one or two things are only in flow_log_pair. */
static bool facts_rows_reaches_for_many(const struct source_sum *s)
{
	int ports = 0;

	for (int i = 0; i < 4; i++)
		ports += __builtin_popcountll(s->ports[i]);
	return ports >= 5 || __builtin_popcountll(s->hosts) >= 5;
}

/* Minutes in which nothing failed are no rows. */
static bool facts_rows_is_good_minute(const struct request *r)
{
	return r->key.minute && r->outcomes[OUTCOME_ANSWERED] == r->asked;
}

static void facts_rows_write_sums(
	struct db *db, struct sums *s, void (*write)(struct db *, const void *))
{
	sums_sort(s);
	for (size_t i = 0; i < s->count; i++) {
		const void *entry = sums_at(s, i);

		if (write == facts_rows_write_source && !facts_rows_reaches_for_many(entry))
			continue;
		if (write == facts_rows_write_request && facts_rows_is_good_minute(entry))
			continue;
		write(db, entry);
	}
}

static void facts_rows_say_limit(struct db *db, const char *table, uint64_t kept, uint64_t total)
{
	sqlite3_stmt *s = db_insert(db, TABLE_LIMIT_REACHED);

	db_text(s, 1, table);
	db_int(s, 2, (int64_t)kept);
	db_int(s, 3, (int64_t)total);
	db_step(db, s);
}

static void facts_rows_write_limits(struct facts_totals *t, struct db *db)
{
	static const char *const tables[] = {"flow_log_window", "flow_log_loss",
		"flow_log_delivery", "flow_log_source", "flow_log_request"};
	const struct sums *sums[] = {
		&t->windows, &t->losses, &t->deliveries, &t->sources, &t->requests};
	uint64_t kept = t->problems.count + t->talkers.count,
		 total = t->problems.offered + t->talkers.offered;

	if (total > kept)
		facts_rows_say_limit(db, "flow_log_pair", kept, total);
	for (int i = 0; i < 5; i++)
		if (t->left_out[i])
			facts_rows_say_limit(
				db, tables[i], sums[i]->count, sums[i]->count + t->left_out[i]);
}

int facts_totals_write(struct facts_totals *t, struct db *db, struct error *err)
{
	top_finish(&t->problems);
	top_finish(&t->talkers);
	for (size_t i = 0; i < t->problems.count; i++)
		facts_rows_write_pair(db, top_at(&t->problems, i));
	for (size_t i = 0; i < t->talkers.count; i++)
		facts_rows_write_pair(db, top_at(&t->talkers, i));
	facts_rows_write_sums(db, &t->windows, facts_rows_write_window);
	facts_rows_write_sums(db, &t->losses, facts_rows_write_loss);
	facts_rows_write_sums(db, &t->deliveries, facts_rows_write_delivery);
	facts_rows_write_sums(db, &t->sources, facts_rows_write_source);
	facts_rows_write_sums(db, &t->requests, facts_rows_write_request);
	facts_rows_write_limits(t, db);
	return db_failed(db, err);
}

void facts_totals_add_states(struct facts_totals *t, const struct sums *states)
{
	for (size_t i = 0; i < states->count; i++) {
		const struct flowlog_state *state = sums_at(states, i);
		bool is_new;
		struct window *m;

		m = sums_get(&t->windows, state, &is_new);
		if (!m) {
			t->left_out[0]++;
			continue;
		}
		m->nodata += state->nodata;
		m->skipdata += state->skipdata;
	}
}

static void facts_rows_add_many(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += from[i];
}

static void facts_rows_proof_merge(struct proof *p, const struct proof *q)
{
	if (q->file && (!p->file || q->file < p->file || (q->file == p->file && q->line < p->line)))
		*p = *q;
}

static void facts_rows_span_merge(
	uint32_t *first, uint32_t *last, uint32_t other_first, uint32_t other_last)
{
	*first = other_first < *first ? other_first : *first;
	*last = other_last > *last ? other_last : *last;
}

/* The counters of an entry stand together: from the first named to the last. */
#define ADD_COUNTERS(to, from, first, last)                                                        \
	facts_rows_add_many(&(to)->first, &(from)->first,                                          \
		(offsetof(__typeof__(*(to)), last) + sizeof((to)->last) -                          \
			offsetof(__typeof__(*(to)), first)) /                                      \
			sizeof(uint64_t))

static void facts_rows_merge_window(struct window *p, const struct window *q)
{
	ADD_COUNTERS(p, q, in_records, skipdata);
	p->peers |= q->peers;
	p->peers_answered |= q->peers_answered;
	facts_rows_proof_merge(&p->unanswered, &q->unanswered);
}

static void facts_rows_merge_loss(struct loss *p, const struct loss *q, bool is_new)
{
	if (is_new)
		p->first_s = UINT32_MAX;
	ADD_COUNTERS(p, q, flows, unjudged);
	facts_rows_span_merge(&p->first_s, &p->last_s, q->first_s, q->last_s);
	facts_rows_proof_merge(&p->proof, &q->proof);
}

static void facts_rows_merge_delivery(struct delivery *p, const struct delivery *q, bool is_new)
{
	if (is_new)
		p->first_s = UINT32_MAX;
	ADD_COUNTERS(p, q, records, bytes);
	facts_rows_span_merge(&p->first_s, &p->last_s, q->first_s, q->last_s);
	facts_rows_proof_merge(&p->proof, &q->proof);
}

static void facts_rows_merge_source(struct source_sum *p, const struct source_sum *q, bool is_new)
{
	if (is_new)
		p->first_s = UINT32_MAX;
	ADD_COUNTERS(p, q, records, packets);
	p->hosts |= q->hosts;
	for (int i = 0; i < 4; i++)
		p->ports[i] |= q->ports[i];
	facts_rows_span_merge(&p->first_s, &p->last_s, q->first_s, q->last_s);
	facts_rows_proof_merge(&p->proof, &q->proof);
}

static void facts_rows_merge_pair(struct pair *p, const struct pair *q, bool is_new)
{
	if (is_new)
		pair_init(p);
	ADD_COUNTERS(p, q, flows, rejected_packets);
	facts_rows_span_merge(&p->first_s, &p->last_s, q->first_s, q->last_s);
	facts_rows_span_merge(&p->unanswered_first_s, &p->unanswered_last_s, q->unanswered_first_s,
		q->unanswered_last_s);
	facts_rows_span_merge(
		&p->rejected_first_s, &p->rejected_last_s, q->rejected_first_s, q->rejected_last_s);
	facts_rows_proof_merge(&p->unanswered, &q->unanswered);
	facts_rows_proof_merge(&p->rejected, &q->rejected);
}

void pairs_add(struct sums *pairs, const struct pair *p)
{
	bool is_new;
	struct pair *mine = sums_get(pairs, p, &is_new);

	facts_rows_merge_pair(mine, p, is_new);
}

/* Moves the pairs out of t. */
void facts_totals_pairs(struct facts_totals *t, struct sums *ret)
{
	struct top *tops[] = {&t->problems, &t->talkers};

	sums_init(ret, sizeof(struct pair_key), sizeof(struct pair), SIZE_MAX);
	for (int k = 0; k < 2; k++) {
		top_finish(tops[k]);
		for (size_t i = 0; i < tops[k]->count; i++)
			pairs_add(ret, top_at(tops[k], i));
		top_clear(tops[k]);
	}
}

static void facts_rows_merge(unsigned k, void *mine, const void *entry, bool is_new)
{
	if (k == 0)
		facts_rows_merge_window(mine, entry);
	else if (k == 1)
		facts_rows_merge_loss(mine, entry, is_new);
	else if (k == 2)
		facts_rows_merge_delivery(mine, entry, is_new);
	else if (k == 3)
		facts_rows_merge_source(mine, entry, is_new);
	else
		outcomes_merge(mine, entry, is_new);
}

void facts_totals_add(struct facts_totals *t, unsigned k, const void *entry)
{
	struct sums *sums[] = {&t->windows, &t->losses, &t->deliveries, &t->sources, &t->requests};
	bool is_new;
	void *mine = sums_get(sums[k], entry, &is_new);

	if (mine)
		facts_rows_merge(k, mine, entry, is_new);
	else
		t->left_out[k]++;
}

void facts_totals_merge(struct facts_totals *to, const struct facts_totals *from)
{
	const struct sums *sums[] = {
		&from->windows, &from->losses, &from->deliveries, &from->sources, &from->requests};

	top_merge(&to->problems, &from->problems);
	top_merge(&to->talkers, &from->talkers);
	for (size_t i = 0; i < from->known.count; i++)
		known_add(&to->known, sums_at(&from->known, i));
	for (unsigned k = 0; k < 5; k++) {
		to->left_out[k] += from->left_out[k];
		for (size_t i = 0; i < sums[k]->count; i++)
			facts_totals_add(to, k, sums_at(sums[k], i));
	}
}
