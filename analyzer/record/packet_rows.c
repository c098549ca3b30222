#include "record/packet_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "decode/packet.h"
#include "join/segment_walk.h"
#include "record/facts.h"

/*
 * Of flows without events that ended alike, a few are kept for each pair of ends and more for each
 * server, in a part of the packets: a scan leaves no room else.
 */
#define EXAMPLES_OF_ENDS 2
#define EXAMPLES_OF_SERVER 100
#define EXAMPLES_PART 4
#define EXAMPLE_ENDS_LIMIT 65536

struct example_key {
	uint8_t server[16], client[16]; /* client: zeroes, with all of the server's */
	uint32_t port;
	char outcome[4]; /* the first letters, which differ */
};

_Static_assert(sizeof(struct example_key) == 40, "hashed as bytes: no padding");

void packet_rows_init(struct packet_rows *r, const struct join *j, uint64_t max)
{
	*r = (struct packet_rows){.join = j, .max = max};
	hashmap_init(
		&r->examples, sizeof(struct example_key), sizeof(uint64_t), EXAMPLE_ENDS_LIMIT);
}

void packet_rows_release(struct packet_rows *r)
{
	free(r->list);
	hashmap_release(&r->examples);
}

static char *packet_rows_append(char *at, const char *text)
{
	size_t n = strlen(text);

	memcpy(at, text, n);
	return at + n;
}

static char *packet_rows_append_number(char *at, const char *name, uint32_t v)
{
	char digits[10];
	int n = 0;

	at = packet_rows_append(at, name);
	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		*at++ = digits[--n];
	return at;
}

static char *packet_rows_append_flags(char *at, uint8_t flags)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	const char *between = "";

	for (int i = 0; i < 8; i++) {
		if (!(flags & 1 << i))
			continue;
		at = packet_rows_append(packet_rows_append(at, between), names[i]);
		between = ",";
	}
	return at;
}

/* The packet in words; printf() would take as long as all the rest of its row. Returns the length.
 */
static size_t packet_rows_describe(const struct packet_pick *p, bool tcp, char buf[128])
{
	const struct segment *s = p->segment;
	char *at = buf;

	if (!tcp) {
		at = packet_rows_append(
			packet_rows_append_number(at, "datagram, ", s->length), " bytes");
	} else {
		at = packet_rows_append(
			packet_rows_append_flags(packet_rows_append(at, "["), s->flags), "]");
		at = packet_rows_append_number(
			packet_rows_append_number(at, " seq ", s->seq), " ack ", s->ack);
		at = packet_rows_append_number(
			packet_rows_append_number(at, " win ", s->window), " len ", s->length);
	}
	assert(at - buf < 128);
	return (size_t)(at - buf);
}

static void packet_rows_put_ends(struct row *row, const struct flow_vantage *f, bool from_b)
{
	bool ports = f->key.protocol == 6 || f->key.protocol == 17;

	row_ip(row, from_b ? f->key.b : f->key.a);
	row_int_or_null(row, ports ? (from_b ? f->key.b_port : f->key.a_port) : DB_NONE);
	row_ip(row, from_b ? f->key.a : f->key.b);
	row_int_or_null(row, ports ? (from_b ? f->key.a_port : f->key.b_port) : DB_NONE);
}

static void packet_rows_put_mac(struct row *row, const uint8_t *mac)
{
	char text[MAC_TEXT_SIZE];

	if (mac)
		row_word(row, mac_text(mac, text));
	else
		row_null(row);
}

static void packet_rows_insert(struct packet_rows *r, struct btree *t, uint32_t number,
	const struct packet_pick *p, const struct fileindex_place *place)
{
	const struct join *j = r->join;
	const struct vantage *v = &j->data->vantages[p->vantage];
	const struct segment *seg = p->segment;
	const struct member *m = flow_member_seen_from(j->all, p->flow, p->vantage);
	const struct flow_vantage *f = m->flow;
	bool tcp = f->key.protocol == 6;
	struct row *row = btree_row(t);
	char info[128];

	row_int(row, place->file);
	row_int(row, place->number);
	row_int(row, seg->time_ns);
	row_int(row, (int64_t)facts_offset(j->data, p->vantage, p->frame));
	row_int(row, number);
	row_word(row, direction_name(segment_direction(m, seg)));
	packet_rows_put_mac(row, vantage_mac(v, seg->src_mac));
	packet_rows_put_mac(row, vantage_mac(v, seg->dst_mac));
	packet_rows_put_ends(row, f, seg->bits & SEGMENT_FROM_B);
	row_int_or_null(row, tcp ? seg->seq : DB_NONE);
	row_int_or_null(row, tcp ? seg->ack : DB_NONE);
	row_int(row, seg->length);
	row_int_or_null(row, tcp ? seg->flags : DB_NONE);
	row_int_or_null(row, seg->bits & SEGMENT_NO_ID ? DB_NONE : seg->ip_id);
	row_int(row, seg->ttl);
	row_text(row, info, packet_rows_describe(p, tcp, info));
	row_int(row, v->id);
	btree_end_entry(t);
}

/* Rows wait: they are written in the order of frames. */
static void packet_rows_take(struct packet_rows *r, uint32_t row, const struct packet_pick *p)
{
	if (r->total++ >= r->max && r->join->options.packets != PACKETS_ALL)
		return;
	MEM_RESERVE(r->list, r->count, r->cap);
	r->list[r->count++] = (struct waiting_packet){.pick = *p, .row = row};
}

static bool packet_rows_take_example(
	struct hashmap *examples, const struct example_key *key, uint64_t limit)
{
	bool fresh;
	uint64_t *n = hashmap_at(examples, key, &fresh);

	if (!n || *n >= limit)
		return false;
	++*n;
	return true;
}

/* Whether the packets of a flow without events are kept. */
static bool packet_rows_is_example_kept(
	struct packet_rows *r, const struct flow *c, const struct flow_summary *sum)
{
	struct example_key server = {.port = 0}, ends;

	if (r->example_count >= r->max / EXAMPLES_PART)
		return false;
	memcpy(server.server, sum->server, 16);
	memcpy(server.outcome, sum->outcome, sizeof(server.outcome));
	ends = server;
	memcpy(ends.client, sum->client, 16);
	ends.port = 1 + member_port(&r->join->all->members[c->first_member], false);
	return packet_rows_take_example(&r->examples, &ends, EXAMPLES_OF_ENDS) &&
	       packet_rows_take_example(&r->examples, &server, EXAMPLES_OF_SERVER);
}

void packet_rows_add(struct packet_rows *r, uint32_t row, const struct flow *c,
	const struct flow_summary *sum, const struct packet_pick *from,
	const struct packet_pick *end)
{
	bool is_example = from < end && from->is_example;

	if (is_example && !packet_rows_is_example_kept(r, c, sum))
		return;
	for (const struct packet_pick *p = from; p < end; p++)
		packet_rows_take(r, row, p);
	r->example_count += is_example ? (uint64_t)(end - from) : 0;
}

struct placed {
	struct fileindex_place place;
	uint64_t waiting; /* index */
};

static int packet_rows_by_frame(const void *a, const void *b)
{
	const struct fileindex_place *x = &((const struct placed *)a)->place,
				     *y = &((const struct placed *)b)->place;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (((const struct placed *)a)->waiting > ((const struct placed *)b)->waiting) -
	       (((const struct placed *)a)->waiting < ((const struct placed *)b)->waiting);
}

static bool packet_rows_same_frame(const struct placed *a, const struct placed *b)
{
	return a->place.file == b->place.file && a->place.number == b->place.number;
}

/* How many rows ahead their segments and frames are asked for. */
#define PACKETS_AHEAD 12

static void packet_rows_prefetch(const struct dataset *data, const struct packet_pick *p)
{
	prefetch_line(p->segment);
	fileindex_prefetch(&data->hosts[data->vantages[p->vantage].host].frames, p->frame);
}

int packet_rows_store(struct packet_rows *r, struct btree_file *file, struct error *err)
{
	struct placed *list = mem_array(r->count + 1, sizeof(*list));
	struct btree *t = NULL;
	int result = btree_file_tree(&t, file, schema_table_name[TABLE_PACKET], err);

	for (uint64_t i = 0; i < r->count; i++) {
		const struct packet_pick *p = &r->list[i].pick;

		list[i] = (struct placed){facts_place(r->join->data, p->vantage, p->frame), i};
	}
	qsort(list, r->count, sizeof(*list), packet_rows_by_frame);
	for (uint64_t i = 0; i < r->count && result == 0; i++) {
		const struct waiting_packet *p = &r->list[list[i].waiting];

		if (i + PACKETS_AHEAD < r->count)
			packet_rows_prefetch(
				r->join->data, &r->list[list[i + PACKETS_AHEAD].waiting].pick);
		if (i && packet_rows_same_frame(&list[i], &list[i - 1]))
			continue;
		packet_rows_insert(r, t, p->row, &p->pick, &list[i].place);
	}
	btree_finish(t);
	free(list);
	return result;
}
