#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "flowlog/format/value.h"
#include "flowlog/carry.h"
#include "flowlog/keep.h"
#include "flowlog/session.h"

/* Rotated captures follow each other within this; a longer gap is one. */
#define CAPTURE_GAP_NS (2 * NSEC_PER_SEC)

/* An address and its host. */
struct address_owner {
	uint8_t address[16];
	int64_t host_id;
};

struct host_list {
	struct host {
		int64_t id;
		char *name;
	} * list;
	size_t count, cap;
	struct sums owners; /* of struct address_owner */
};

static void finish_release_hosts(struct host_list *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->list[i].name);
	free(h->list);
	sums_release(&h->owners);
}

static void finish_remember_host(struct host_list *h, int64_t id, const char *name)
{
	MEM_RESERVE(h->list, h->count, h->cap);
	h->list[h->count++] = (struct host){id, mem_strdup(name)};
}

static int finish_load_hosts(struct flowlog *f, struct host_list *h, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_hosts, err);

	if (!s)
		return -EIO;
	while (sqlite3_step(s) == SQLITE_ROW)
		finish_remember_host(
			h, sqlite3_column_int64(s, 0), (const char *)sqlite3_column_text(s, 1));
	(void)sqlite3_finalize(s);
	s = flowlog_prepare(f, schema_statement_flowlog_addresses, err);
	if (!s)
		return -EIO;
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(s, 0);
		char buffer[VALUE_IP_TEXT];
		struct flowlog_ip ip;
		struct address_owner *o;
		bool is_new;

		if (!value_ip(text, strlen(text), buffer, &ip))
			continue;
		o = sums_get(&h->owners, ip.bytes, &is_new);
		if (is_new) /* the surest source comes first */
			o->host_id = sqlite3_column_int64(s, 1);
	}
	(void)sqlite3_finalize(s);
	return 0;
}

/* The host that owns an address; 0: none. */
static int64_t finish_owner_of(struct host_list *h, const uint8_t *address)
{
	bool is_new;
	struct address_owner *o = sums_get(&h->owners, address, &is_new);

	return o->host_id;
}

/* Of two addresses that could be the ENI's own, the one that a host of a capture has. */
static void finish_settle_by_hosts(struct flowlog_interface *i, struct host_list *h)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct flowlog_own *own = &i->own[v6];
		bool a, b;

		if (own->candidates != 2)
			continue;
		a = finish_owner_of(h, own->candidate[0]) != 0;
		b = finish_owner_of(h, own->candidate[1]) != 0;
		if (a == b)
			continue;
		if (b)
			memcpy(own->candidate[0], own->candidate[1], 16);
		own->candidates = 1;
	}
}

static int64_t finish_host_by_name(const struct host_list *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (!strcmp(h->list[i].name, name))
			return h->list[i].id;
	return 0;
}

static int64_t finish_host_made(struct flowlog *f, struct host_list *h, const char *name)
{
	int64_t id = finish_host_by_name(h, name);
	sqlite3_stmt *s;

	if (id)
		return id;
	for (size_t i = 0; i < h->count; i++)
		id = h->list[i].id > id ? h->list[i].id : id;
	id++;
	s = db_insert(f->db, TABLE_HOST);
	db_int(s, 1, id);
	db_text(s, 2, name);
	db_step(f->db, s);
	finish_remember_host(h, id, name);
	return id;
}

/* What --names calls it; NULL: nothing. */
static char *finish_label_of(struct flowlog *f, const struct flowlog_interface *i)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_label, NULL);
	char text[2][INET6_ADDRSTRLEN], *label = NULL;

	if (!s)
		return NULL;
	db_text(s, 1, i->name);
	for (int v6 = 0; v6 < 2; v6++) {
		const uint8_t *own = flowlog_interface_own(i, v6);

		db_text(s, 2 + v6, own ? flowlog_ip_text(own, text[v6]) : NULL);
	}
	if (sqlite3_step(s) == SQLITE_ROW)
		label = mem_strdup((const char *)sqlite3_column_text(s, 0));
	(void)sqlite3_finalize(s);
	return label;
}

/* --host, else whose address it is, else by --names, else NAME= of its input, else one of its own.
 */
static int64_t finish_host_of(
	struct flowlog *f, struct host_list *h, const struct flowlog_interface *i)
{
	char *label CLEANUP_FREE = NULL;

	for (size_t k = 0; k < f->options.host_count; k++)
		if (!strcmp(f->options.hosts[k].interface, i->name))
			return finish_host_made(f, h, f->options.hosts[k].name);
	for (int v6 = 0; v6 < 2; v6++) {
		const uint8_t *own = flowlog_interface_own(i, v6);
		int64_t id = own ? finish_owner_of(h, own) : 0;

		if (id)
			return id;
	}
	label = finish_label_of(f, i);
	return finish_host_made(f, h, label ? label : i->host_name ? i->host_name : i->name);
}

static const char *finish_trust_of(const struct flowlog_interface *i, struct strbuf *reasons)
{
	const char *sentences[3];
	size_t n = 0;

	if (i->sampled)
		sentences[n++] = "the cloud samples: what is missing proves nothing";
	if (i->skipdata)
		sentences[n++] = "the log itself lost records (SKIPDATA)";
	if (i->source_count > 1)
		sentences[n++] =
			"several flow logs cover it; where they overlap the largest is summed";
	strbuf_addc(reasons, '[');
	for (size_t k = 0; k < n; k++)
		strbuf_printf(reasons, "%s\"%s\"", k ? "," : "", sentences[k]);
	strbuf_addc(reasons, ']');
	return n ? "with care" : "sound";
}

static bool finish_is_mac(const char *name)
{
	return strlen(name) == 17 && name[2] == ':' && name[5] == ':';
}

static void finish_store_vantage(
	struct flowlog *f, const struct flowlog_interface *i, int64_t host_id, const char *host)
{
	sqlite3_stmt *s = db_insert(f->db, TABLE_VANTAGE);
	struct strbuf reasons CLEANUP_STRBUF = STRBUF_INIT;
	char *name CLEANUP_FREE =
		strcmp(host, i->name) ? mem_printf("%s %s", host, i->name) : mem_strdup(host);
	int c = 1;

	db_int(s, c++, i->vantage_id);
	db_int(s, c++, host_id);
	db_text(s, c++, name);
	db_text(s, c++, "flowlog");
	db_text(s, c++, i->name);
	db_text(s, c++, finish_is_mac(i->name) ? i->name : NULL);
	db_null(s, c++);
	db_text(s, c++, finish_trust_of(i, &reasons));
	db_text(s, c++, reasons.text);
	db_null(s, c++);
	db_int_or_null(s, c++, i->first_ns);
	db_int_or_null(s, c++, i->last_ns);
	db_int(s, c++, 0);
	db_int(s, c++, 0);
	db_step(f->db, s);
}

static void finish_store_interface(struct flowlog *f, const struct flowlog_interface *i)
{
	sqlite3_stmt *s = db_insert(f->db, TABLE_FLOW_LOG_INTERFACE);
	char text[2][INET6_ADDRSTRLEN];
	unsigned overlapping = 1;
	int c = 1;

	for (unsigned k = 0; k < i->source_count; k++)
		overlapping += i->sources[k].left_out;
	db_int(s, c++, i->vantage_id);
	for (int v6 = 0; v6 < 2; v6++) {
		const uint8_t *own = flowlog_interface_own(i, v6);

		db_text(s, c++, own ? flowlog_ip_text(own, text[v6]) : NULL);
	}
	db_int(s, c++, (int64_t)i->records);
	db_int(s, c++, (int64_t)i->accepted);
	db_int(s, c++, (int64_t)i->rejected);
	db_int(s, c++, (int64_t)i->nodata);
	db_int(s, c++, (int64_t)i->skipdata);
	db_int_or_null(s, c++, i->first_ns);
	db_int_or_null(s, c++, i->last_ns);
	db_int(s, c++, i->interval_ns);
	db_int(s, c++, i->has_flags);
	db_int(s, c++, i->sampled);
	db_int(s, c++, overlapping);
	db_int(s, c++, i->transit);
	db_step(f->db, s);
}

static int finish_by_name(const void *a, const void *b)
{
	return strcmp((*(struct flowlog_interface *const *)a)->name,
		(*(struct flowlog_interface *const *)b)->name);
}

/* Hosts get their ids in order of the ENIs' names, so that the order of the files does not matter.
 */
static int finish_store_vantages(struct flowlog *f, struct error *err)
{
	struct flowlog_interfaces *all = &f->interfaces;
	struct flowlog_interface **order =
		mem_array(all->count + 1, sizeof(struct flowlog_interface *));
	struct host_list hosts = {0};
	int r;

	sums_init(&hosts.owners, 16, sizeof(struct address_owner), SIZE_MAX);
	r = finish_load_hosts(f, &hosts, err);
	for (size_t i = 0; r == 0 && i < all->count; i++) {
		finish_settle_by_hosts(&all->list[i], &hosts);
		order[i] = &all->list[i];
	}
	if (r == 0 && all->count)
		qsort(order, all->count, sizeof(*order), finish_by_name);
	for (size_t i = 0; r == 0 && i < all->count; i++) {
		int64_t id = finish_host_of(f, &hosts, order[i]);
		const char *host = "";

		for (size_t k = 0; k < hosts.count; k++)
			if (hosts.list[k].id == id)
				host = hosts.list[k].name;
		finish_store_vantage(f, order[i], id, host);
		finish_store_interface(f, order[i]);
	}
	finish_release_hosts(&hosts);
	free(order);
	return r;
}

static int finish_load_spans(
	struct flowlog *f, struct flowlog_capture_span **ret, size_t *ret_n, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_spans, err);
	struct flowlog_capture_span *list = NULL;
	size_t n = 0, cap = 0;

	if (!s)
		return -EIO;
	while (sqlite3_step(s) == SQLITE_ROW) {
		struct flowlog_capture_span span = {sqlite3_column_int64(s, 0),
			sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)};

		if (n && list[n - 1].vantage_id == span.vantage_id &&
			span.from_ns <= list[n - 1].to_ns + CAPTURE_GAP_NS) {
			if (span.to_ns > list[n - 1].to_ns)
				list[n - 1].to_ns = span.to_ns;
			continue;
		}
		MEM_RESERVE(list, n, cap);
		list[n++] = span;
	}
	(void)sqlite3_finalize(s);
	*ret = list;
	*ret_n = n;
	return 0;
}

static int64_t finish_setting(struct flowlog *f, const char *key, int64_t otherwise)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_setting, NULL);
	int64_t v = otherwise;

	if (!s)
		return v;
	db_text(s, 1, key);
	if (sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return v;
}

static int64_t finish_edge_s(struct flowlog *f)
{
	return finish_setting(f, "flowlog_edge_s", 900);
}

static int64_t finish_clock_s(struct flowlog *f)
{
	return finish_setting(f, "flowlog_clock_s", 2);
}

static int64_t finish_end_s(const struct flowlog *f)
{
	int64_t last_ns = 0;

	for (size_t k = 0; k < f->interfaces.count; k++)
		if (f->interfaces.list[k].last_ns > last_ns) /* FLOWLOG_NONE is below 0 */
			last_ns = f->interfaces.list[k].last_ns;
	return last_ns / NSEC_PER_SEC;
}

static void finish_store_drops(struct flowlog *f)
{
	static const char *const reasons[FLOWLOG_DROPS] = {
		"no-route", "blackhole", "mtu-exceeded", "ttl-expired"};
	sqlite3_stmt *s = f->drops.count ? db_insert(f->db, TABLE_FLOW_LOG_DROP) : NULL;

	sums_sort(&f->drops);
	for (size_t i = 0; i < f->drops.count; i++) {
		const struct flowlog_drops *d = sums_at(&f->drops, i);
		char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
		int c = 1;

		db_int(s, c++, d->vantage);
		db_text(s, c++, flowlog_ip_text(d->src, src));
		db_text(s, c++, flowlog_ip_text(d->dst, dst));
		db_text(s, c++, reasons[d->reason]);
		db_int(s, c++, (int64_t)d->records);
		db_int(s, c++, (int64_t)d->packets);
		db_int(s, c++, d->first_ns);
		db_int(s, c++, d->last_ns);
		db_int(s, c++, d->file);
		db_int(s, c++, d->line);
		db_step(f->db, s);
	}
}

static int finish_by_vantage_and_time(const void *a, const void *b)
{
	const struct flowlog_skip_span *x = a, *y = b;

	if (x->vantage != y->vantage)
		return x->vantage < y->vantage ? -1 : 1;
	return x->from_s < y->from_s ? -1 : x->from_s > y->from_s;
}

static int finish_store_facts(struct flowlog *f, struct error *err)
{
	struct flowlog_capture_span *spans = NULL;
	size_t span_count = 0;
	struct flowlog_facts_input in;
	int r = finish_load_spans(f, &spans, &span_count, err);

	if (r < 0)
		return r;
	if (f->skips.count)
		qsort(f->skips.spans, f->skips.count, sizeof(*f->skips.spans),
			finish_by_vantage_and_time);
	in = (struct flowlog_facts_input){.db = f->db,
		.interfaces = &f->interfaces,
		.tuples = f->tuples,
		.file_source = f->files.source,
		.file_count = f->files.source_cap ? f->files.source_cap - 1 : 0,
		.spans = spans,
		.span_count = span_count,
		.skips = f->skips.spans,
		.skip_count = f->skips.count,
		.states = &f->states,
		.edge_s = finish_edge_s(f),
		.clock_s = finish_clock_s(f),
		.end_s = finish_end_s(f),
		.presence = &f->presence,
		.carry = f->carry,
		.carried_end_s = flowlog_carry_end_s(f->carry),
		.memory = f->options.memory / 4,
		.threads = f->options.threads ? f->options.threads : 2};
	r = flowlog_facts_store(&in, err);
	finish_store_drops(f);
	free(spans);
	return r == 0 ? db_failed(f->db, err) : r;
}

/* Beside the new records what the last run left of the earlier ones, or all of them. */
static int finish_take_carried(struct flowlog *f, struct error *err)
{
	int64_t upto = flowlog_carry_last_record(f->carry);

	if (!upto)
		return 0;
	/* Without the records what was settled stays as it was judged. */
	if (f->keep ||
		flowlog_carry_holds(f->carry, f->oldest_s, finish_edge_s(f), finish_clock_s(f)))
		return flowlog_carry_load(f->carry, err);
	flowlog_carry_drop(f->carry);
	return flowlog_take_previous(f, 0, upto, false, err);
}

static int finish_forget_minutes(struct flowlog *f, struct error *err)
{
	static const char *const statements[] = {
		schema_statement_flowlog_forget_windows, schema_statement_flowlog_forget_requests};
	int64_t from_ns = flowlog_carry_minutes_ns(f->carry);

	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *s = flowlog_prepare(f, statements[i], err);

		if (!s)
			return -EIO;
		db_int(s, 1, from_ns);
		db_step(f->db, s);
		(void)sqlite3_finalize(s);
	}
	return db_failed(f->db, err);
}

static int finish_store_all(struct flowlog *f, struct error *err)
{
	int r = db_run(f->db, "cannot write", schema_statement_flowlog_forget, err);

	if (r == 0)
		r = finish_store_vantages(f, err);
	if (r == 0)
		r = finish_take_carried(f, err);
	if (r == 0)
		r = finish_forget_minutes(f, err);
	if (r == 0)
		r = finish_store_facts(f, err);
	if (r == 0)
		r = db_run(f->db, "cannot write", schema_statement_flowlog_finished, err);
	return r;
}

int flowlog_finish(struct flowlog *f, struct error *err)
{
	struct bulk *b = f->bulk;
	int r;

	f->bulk = NULL;
	r = bulk_finish(b, err);
	if (r < 0 || !f->unfinished)
		return r;
	/* With something carried on these are the records of a run that was killed. */
	if (!f->keep)
		r = flowlog_take_previous(
			f, flowlog_carry_last_record(f->carry), f->first_record_id - 1, true, err);
	if (r < 0)
		return r;
	if (f->carry)
		flowlog_carry_keep_interfaces(f->carry);
	flowlog_interfaces_resolve(&f->interfaces);
	if (f->keep)
		keep_write(f->keep);
	else
		r = db_run(f->db, "cannot write", "BEGIN", err);
	if (r == 0)
		r = finish_store_all(f, err);
	if (r == 0)
		return db_run(f->db, "cannot write", "COMMIT", err);
	(void)sqlite3_exec(
		f->db->handle, "ROLLBACK", NULL, NULL, NULL); /* the first failure is told */
	return r;
}
