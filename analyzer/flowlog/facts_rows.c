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

void worker_init(struct worker *w, const struct flowlog_facts_input *in, unsigned threads)
{
	uint64_t all = in->memory / threads, share = all / 8;

	*w = (struct worker){.in = in};
	w->bucket_max = (size_t)(share / (sizeof(struct tuple) + sizeof(struct pair)));
	sums_init(&w->pairs, sizeof(struct pair_key), sizeof(struct pair), SIZE_MAX);
	sums_init(&w->asked, sizeof(struct request_key), sizeof(struct request), SIZE_MAX);
	/* Not by memory: what is in the database must not depend on it. */
	sums_init(&w->requests, sizeof(struct request_key), sizeof(struct request), REQUESTS_KEPT);
	top_init(&w->problems, PROBLEMS_KEPT, sizeof(struct pair));
	top_init(&w->talkers, TALKERS_KEPT, sizeof(struct pair));
	sums_init(&w->windows, sizeof(struct window_key), sizeof(struct window),
		facts_rows_entries_in(all / 2, sizeof(struct window)));
	sums_init(&w->losses, sizeof(struct loss_key), sizeof(struct loss),
		facts_rows_entries_in(share, sizeof(struct loss)));
	sums_init(&w->deliveries, sizeof(struct delivery_key), sizeof(struct delivery),
		facts_rows_entries_in(share, sizeof(struct delivery)));
	sums_init(&w->sources, 16, sizeof(struct source_sum),
		facts_rows_entries_in(share, sizeof(struct source_sum)));
}

void worker_release(struct worker *w)
{
	sums_release(&w->pairs);
	sums_release(&w->asked);
	sums_release(&w->requests);
	top_release(&w->problems);
	top_release(&w->talkers);
	sums_release(&w->windows);
	sums_release(&w->losses);
	sums_release(&w->deliveries);
	sums_release(&w->sources);
}

void worker_end_bucket(struct worker *w)
{
	for (size_t i = 0; i < w->pairs.count; i++) {
		const struct pair *p = sums_at(&w->pairs, i);
		uint64_t wrong = p->rejected_records[0] + p->rejected_records[1] +
				 p->unanswered_records + p->reply_rejected + p->void_flows;

		if (wrong)
			top_offer(&w->problems, wrong, w->pairs.hashes[i], p);
		else
			top_offer(&w->talkers, p->bytes[0] + p->bytes[1], w->pairs.hashes[i], p);
	}
	sums_clear(&w->pairs);
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

static void facts_rows_write_sums(
	struct worker *w, struct sums *s, void (*write)(struct db *, const void *))
{
	sums_sort(s);
	for (size_t i = 0; i < s->count; i++)
		if (write != facts_rows_write_source || facts_rows_reaches_for_many(sums_at(s, i)))
			write(w->in->db, sums_at(s, i));
}

static void facts_rows_say_limit(struct db *db, const char *table, uint64_t kept, uint64_t total)
{
	sqlite3_stmt *s = db_insert(db, TABLE_LIMIT_REACHED);

	db_text(s, 1, table);
	db_int(s, 2, (int64_t)kept);
	db_int(s, 3, (int64_t)total);
	db_step(db, s);
}

static void facts_rows_write_limits(struct worker *w)
{
	static const char *const tables[] = {"flow_log_window", "flow_log_loss",
		"flow_log_delivery", "flow_log_source", "flow_log_request"};
	const struct sums *sums[] = {
		&w->windows, &w->losses, &w->deliveries, &w->sources, &w->requests};
	uint64_t kept = w->problems.count + w->talkers.count,
		 total = w->problems.offered + w->talkers.offered;

	if (total > kept)
		facts_rows_say_limit(w->in->db, "flow_log_pair", kept, total);
	for (int i = 0; i < 5; i++)
		if (w->left_out[i])
			facts_rows_say_limit(w->in->db, tables[i], sums[i]->count,
				sums[i]->count + w->left_out[i]);
}

int worker_write(struct worker *w, struct error *err)
{
	struct db *db = w->in->db;

	top_finish(&w->problems);
	top_finish(&w->talkers);
	for (size_t i = 0; i < w->problems.count; i++)
		facts_rows_write_pair(db, top_at(&w->problems, i));
	for (size_t i = 0; i < w->talkers.count; i++)
		facts_rows_write_pair(db, top_at(&w->talkers, i));
	facts_rows_write_sums(w, &w->windows, facts_rows_write_window);
	facts_rows_write_sums(w, &w->losses, facts_rows_write_loss);
	facts_rows_write_sums(w, &w->deliveries, facts_rows_write_delivery);
	facts_rows_write_sums(w, &w->sources, facts_rows_write_source);
	outcomes_drop_good(&w->requests);
	facts_rows_write_sums(w, &w->requests, facts_rows_write_request);
	facts_rows_write_limits(w);
	return db_failed(db, err);
}

void worker_add_states(struct worker *w)
{
	for (size_t i = 0; i < w->in->states->count; i++) {
		const struct flowlog_state *state = sums_at(w->in->states, i);
		bool is_new;
		struct window *m;

		m = sums_get(&w->windows, state, &is_new);
		if (!m) {
			w->left_out[0]++;
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

void worker_merge(struct worker *w, const struct worker *from)
{
	struct sums *to[] = {&w->windows, &w->losses, &w->deliveries, &w->sources, &w->requests};
	const struct sums *other[] = {
		&from->windows, &from->losses, &from->deliveries, &from->sources, &from->requests};

	top_merge(&w->problems, &from->problems);
	top_merge(&w->talkers, &from->talkers);
	for (size_t k = 0; k < 5; k++) {
		w->left_out[k] += from->left_out[k];
		for (size_t i = 0; i < other[k]->count; i++) {
			const void *entry = sums_at(other[k], i);
			bool is_new;
			void *mine = sums_get(to[k], entry, &is_new);

			if (!mine)
				w->left_out[k]++;
			else if (k == 0)
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
	}
}
