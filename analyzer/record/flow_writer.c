#include "record/flow_writer.h"

#include <assert.h>
#include <string.h>

#include "decode/packet.h"
#include "record/facts.h"
#include "record/flowrows.h"
#include "record/handshake_acks.h"
#include "record/peer_activity.h"

static int flow_writer_open_trees(struct flow_writer *w, struct error *err)
{
	int r = btree_file_open(&w->file, w->db, err);

	if (r == 0)
		r = btree_file_tree(&w->trees.flows, w->file, schema_table_name[TABLE_FLOW], err);
	if (r == 0)
		r = btree_file_tree(&w->trees.flow_vantages, w->file,
			schema_table_name[TABLE_FLOW_VANTAGE], err);
	if (r == 0)
		r = btree_file_tree(&w->trees.paths, w->file, schema_table_name[TABLE_PATH], err);
	if (r == 0)
		r = btree_file_tree(
			&w->trees.events, w->file, schema_table_name[TABLE_SEGMENT_EVENT], err);
	if (r == 0)
		r = btree_file_tree(&w->trees.handshake_acks, w->file,
			schema_table_name[TABLE_HANDSHAKE_ACK], err);
	return r ? r : flowindex_init(&w->indexes, w->file, err);
}

int flow_writer_init(struct flow_writer *w, struct db *db, const struct join *j,
	uint64_t events_max, uint64_t packets_max, struct error *err)
{
	int r;

	*w = (struct flow_writer){.db = db, .join = j, .event_rows.max = events_max};
	totals_init(&w->totals);
	losstraits_init(&w->traits, j);
	untakens_init(&w->untakens, j->data);
	peer_activity_init(&w->peer_seconds);
	packet_rows_init(&w->packets, j, packets_max);
	pending_losses_init(&w->pending, j->data);
	r = db_run(db, "indexes", schema_flow_indexes, err);
	return r ? r : flow_writer_open_trees(w, err);
}

void flow_writer_release(struct flow_writer *w)
{
	totals_release(&w->totals);
	losstraits_release(&w->traits);
	outages_release(&w->outages);
	untakens_release(&w->untakens);
	hashmap_release(&w->peer_seconds);
	packet_rows_release(&w->packets);
	pending_losses_release(&w->pending);
	zero_window_rows_release(&w->windows);
	flowindex_release(&w->indexes);
	*w = (struct flow_writer){0};
}

static void flow_writer_put_place(
	const struct flow_writer *w, struct row *row, uint32_t vantage, const struct segment *seg)
{
	struct fileindex_place p;

	if (!seg) {
		row_null(row);
		row_null(row);
		return;
	}
	p = facts_place(w->join->data, vantage, seg->frame);
	row_int(row, p.file);
	row_int(row, p.number);
}

static void flow_writer_put_time(struct row *row, const struct segment *seg)
{
	row_int_or_null(row, seg ? seg->time_ns : DB_NONE);
}

static void flow_writer_insert_event(struct flow_writer *w, uint32_t number, const struct event *e)
{
	const struct dataset *data = w->join->data;
	const char *kind = event_kind_name((enum event_kind)e->kind);
	struct row *row = btree_row(w->trees.events);

	row_null(row);
	row_int(row, number);
	row_word(row, direction_name((enum direction)e->direction));
	row_word(row, kind);
	row_int(row, e->seq);
	row_int(row, e->length);
	row_int(row, e->segments);
	row_int(row, e->flags);
	row_int(row, data->vantages[e->from].id);
	flow_writer_put_place(w, row, e->from, e->sent);
	flow_writer_put_time(row, e->sent);
	row_int(row, data->vantages[e->to].id);
	flow_writer_put_place(w, row, e->to, e->received);
	flow_writer_put_time(row, e->received);
	row_word(row, e->reason);
	flow_writer_put_place(w, row, e->proof_vantage, e->proof);
	row_text_or_null(row, e->detail, strlen(e->detail));
	if (e->kind == EVENT_CAPTURE_MISSED || e->kind == EVENT_SENDER_MISSED)
		row_int(row, !e->while_running);
	else
		row_null(row);
	w->event_rows.count = (uint64_t)btree_end_row(w->trees.events);
	flowindex_event(&w->indexes, number, (int64_t)w->event_rows.count, kind,
		data->vantages[e->from].id, data->vantages[e->to].id,
		e->sent ? e->sent->time_ns : DB_NONE, e->flags & TCP_SYN);
}

static void flow_writer_take_event(struct flow_writer *w, uint32_t row, const struct flow *c,
	const struct flow_summary *sum, uint32_t leg, const struct event *e)
{
	const struct member *sender = handshake_acks_sender(w->join, c, sum, e);
	bool kept = w->event_rows.total++ < w->event_rows.max;

	if (kept)
		flow_writer_insert_event(w, row, e);
	if (kept && sender)
		handshake_acks_insert(w->trees.handshake_acks, w->event_rows.count, sender, sum);
	pending_losses_add(&w->pending, kept ? w->event_rows.count : 0, row, leg, e);
}

static bool flow_writer_is_broken(const char *outcome)
{
	return strcmp(outcome, "unanswered") == 0 || strcmp(outcome, "half_open") == 0;
}

static struct totals_flow flow_writer_totals_flow(const struct flow_summary *sum)
{
	return (struct totals_flow){.client = sum->client,
		.server = sum->server,
		.first_ns = sum->first_ns,
		.last_ns = sum->last_ns,
		.tcp = sum->tcp};
}

static bool flow_writer_is_certain(const struct flow *c)
{
	return c->pairing != PAIRED_AMBIGUOUS && c->pairing != PAIRED_PROXY;
}

static void flow_writer_add_loss(struct flow_writer *w, const struct flow *c,
	const struct flow_summary *sum, struct totals_flow *f, const struct totals_loss *l)
{
	const struct member *from;

	if (l->segments == 0 || !flow_writer_is_certain(c))
		return;
	from = flow_member_seen_from(w->join->all, (uint32_t)(c - w->join->all->list), l->from);
	if (!from)
		return;
	f->src = member_ip(from, l->direction == C2S);
	f->dst = member_ip(from, l->direction != C2S);
	f->server_port = member_port(from, false);
	f->broken = flow_writer_is_broken(sum->outcome);
	totals_add_loss(&w->totals, f, l);
}

static void flow_writer_add_syns(struct flow_writer *w, uint32_t flow, const struct totals_flow *f,
	const struct path_counts *p)
{
	const struct member *from = flow_member_seen_from(w->join->all, flow, p->from);

	if (from)
		totals_add_syns(&w->totals, f, p, member_port(from, false));
}

/* pending: what it lost is not settled. */
static void flow_writer_add_totals(struct flow_writer *w, uint32_t flow,
	const struct flow_summary *sum, const struct path_counts *p, bool pending)
{
	const struct flow *c = &w->join->all->list[flow];
	struct totals_flow f = flow_writer_totals_flow(sum);
	struct totals_loss l = totals_loss_of(p);

	totals_add(&w->totals, &f, p);
	if (p->syn_sent)
		flow_writer_add_syns(w, flow, &f, p);
	if (!pending) {
		flow_writer_add_loss(w, c, sum, &f, &l);
		return;
	}
	pending_losses_wait(&w->pending, &l, flow);
}

static void flow_writer_add_waiting(struct flow_writer *w)
{
	for (uint32_t i = 0; i < w->pending.waiting_count; i++) {
		const struct waiting_loss *p = &w->pending.waiting[i];
		const struct flow *c = &w->join->all->list[p->flow];
		struct flow_summary sum;
		struct totals_flow f;

		if (i + FLOWS_AHEAD < w->pending.waiting_count)
			flow_prefetch(w->join->all, p[FLOWS_AHEAD].flow);
		sum = flowrows_summary(w->join, c);
		f = flow_writer_totals_flow(&sum);
		if (p->unjudged)
			totals_unjudge(&w->totals, &f, &p->loss, p->unjudged, p->unjudged_syn);
		flow_writer_add_loss(w, c, &sum, &f, &p->loss);
	}
}

int flow_writer_batch(void *writer, struct join_batch *b)
{
	struct flow_writer *w = writer;
	const struct join *j = w->join;
	uint32_t path = 0, event = 0, window = 0, packet = 0, first_packet, outage = 0, untaken = 0;

	flowrows_write(b, w->trees.flows, w->trees.flow_vantages, w->trees.paths);
	for (uint32_t place = b->begin; place < b->end; place++) {
		uint32_t flow = j->order[place], row = place + 1;
		const struct flow *c = &j->all->list[flow];
		const struct flow_summary *sum = flowrows_of(b, place);

		flowindex_flow(&w->indexes, row, sum->client, sum->server, sum->outcome,
			pairing_name((enum pairing_evidence)c->pairing));
		for (; path < b->path_count && b->paths[path].flow == flow; path++) {
			const struct path_result *p = &b->paths[path];
			uint32_t pending = w->pending.count;

			flowindex_path(&w->indexes, row, p->leg, &p->counts);
			if (flow_writer_is_certain(c))
				losstraits_add_path(&w->traits, flow, &p->counts);
			for (; event < p->event_end; event++) {
				const struct event *e = &b->events.events[event];

				flow_writer_take_event(w, row, c, sum, p->leg, e);
				if (flow_writer_is_certain(c))
					losstraits_add_event(&w->traits, flow, e);
			}
			flow_writer_add_totals(
				w, flow, sum, &p->counts, w->pending.count > pending);
		}
		for (; window < b->window_count && b->window_flow[window] == flow; window++)
			zero_window_rows_add(&w->windows, row, &b->windows[window]);
		for (; outage < b->outages.count && b->outages.rows[outage].flow == flow; outage++)
			outages_add(&w->outages, row, &b->outages.rows[outage]);
		for (; untaken < b->untaken.count && b->untaken.rows[untaken].flow == flow;
			untaken++)
			untakens_add(&w->untakens, row, &b->untaken.rows[untaken]);
		for (first_packet = packet;
			packet < b->packet_count && b->packets[packet].flow == flow; packet++)
			;
		if (packet > first_packet)
			packet_rows_add(&w->packets, row, c, sum, &b->packets[first_packet],
				&b->packets[packet]);
	}
	/* Each row of the batch is of one of its flows. */
	assert(path == b->path_count && event == b->events.count && packet == b->packet_count);
	assert(window == b->window_count && outage == b->outages.count);
	assert(untaken == b->untaken.count);
	peer_activity_add(&w->peer_seconds, b);
	return w->db->failed ? -1 : 0;
}

int flow_writer_finish(struct flow_writer *w, struct error *err)
{
	struct btree **all[] = {&w->trees.flows, &w->trees.flow_vantages, &w->trees.paths,
		&w->trees.events, &w->trees.handshake_acks};
	struct btree_file *file = w->file;
	int result, r;

	if (!file)
		return 0;
	result = packet_rows_store(&w->packets, w->file, err);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		btree_finish(*all[i]);
		*all[i] = NULL;
	}
	flowindex_finish(&w->indexes);
	w->file = NULL;
	r = btree_file_close(file, result ? NULL : err);
	return result ? result : r;
}

void flow_writer_settle(struct flow_writer *w)
{
	const struct dataset *data = w->join->data;
	uint64_t kept, total;

	zero_window_rows_store(&w->windows, data, w->db);
	pending_losses_settle(&w->pending, &w->traits, w->db);
	flow_writer_add_waiting(w);
	losstraits_store(&w->traits, w->db);
	totals_store(&w->totals, w->db, data);
	peer_activity_store(&w->peer_seconds, data, w->db);
	outages_store(&w->outages, w->join, w->db, &kept, &total);
	untakens_store(&w->untakens, data, w->db);
	facts_limit_reached(w->db, "flow_activity", kept, total);
	facts_limit_reached(w->db, "segment_event", w->event_rows.count, w->event_rows.total);
	facts_limit_reached(w->db, "packet", w->packets.count, w->packets.total);
}
