#include "flowlog/format/aws.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/jsonout.h"
#include "base/mem.h"
#include "base/strbuf.h"

struct aws_reader {
	struct flowlog_sink *sink;
	struct layout layout;
	bool extra_said, counts_said; /* said once for a file */
	char ip_text[4][VALUE_IP_TEXT];
	struct strbuf detail, names; /* names: of the last row of named columns */
	struct flowlog_record record;
	struct flowlog_text resource; /* of this line */
};

struct aws_reader *aws_reader_new(struct flowlog_sink *sink, const char *format)
{
	struct aws_reader *r = mem_zalloc(sizeof(*r));

	r->sink = sink;
	if (!format)
		format = layout_default;
	(void)layout_parse(&r->layout, format, strlen(format)); /* the caller checked it */
	return r;
}

struct aws_reader *aws_reader_free(struct aws_reader *r)
{
	if (r) {
		strbuf_release(&r->detail);
		strbuf_release(&r->names);
	}
	free(r);
	return NULL;
}

static inline bool aws_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* "2026-09-21T14:13:24.000Z " in front of a line of an export task: its length, or 0. */
static size_t aws_time_prefix(const char *text, size_t n)
{
	size_t i = 0;

	if (n < 21 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':')
		return 0;
	while (i < n && i < 40 && !aws_is_blank(text[i]))
		i++;
	if (text[i - 1] != 'Z' && (i < 6 || (text[i - 6] != '+' && text[i - 6] != '-')))
		return 0;
	while (i < n && aws_is_blank(text[i]))
		i++;
	return i;
}

static void aws_add_detail(struct aws_reader *r, const char *name, const char *text, size_t n)
{
	if (value_absent(text, n))
		return;
	strbuf_addc(&r->detail, r->detail.length ? ',' : '{');
	jsonout_bytes(&r->detail, name, strlen(name));
	strbuf_addc(&r->detail, ':');
	jsonout_bytes(&r->detail, text, n);
}

/* A number up to limit, or -1 where it is absent. False: neither. */
static bool aws_take_number(const char *text, size_t n, int64_t limit, int64_t none, int64_t *ret)
{
	int64_t v;

	if (value_absent(text, n)) {
		*ret = none;
		return true;
	}
	if (!value_number(text, n, &v) || v > limit)
		return false;
	*ret = v;
	return true;
}

static bool aws_take_count(const char *text, size_t n, int64_t *ret)
{
	return aws_take_number(text, n, INT64_MAX, FLOWLOG_NONE, ret);
}

static bool aws_take_small(const char *text, size_t n, int64_t limit, int32_t *ret)
{
	int64_t v;

	if (!aws_take_number(text, n, limit, -1, &v))
		return false;
	*ret = (int32_t)v;
	return true;
}

static bool aws_take_time(const char *text, size_t n, int64_t *ret_ns)
{
	int64_t v;

	if (!aws_take_number(text, n, VALUE_MAX_MILLISECONDS, FLOWLOG_NONE, &v))
		return false;
	if (v == FLOWLOG_NONE) {
		*ret_ns = FLOWLOG_NONE;
		return true;
	}
	return value_time(v, ret_ns);
}

static bool aws_take_ip(
	struct aws_reader *r, int slot, const char *text, size_t n, struct flowlog_ip *ret)
{
	return value_absent(text, n) || value_ip(text, n, r->ip_text[slot], ret);
}

/* Identifiers: printable ASCII only, as AWS makes them; anything else is a broken line. */
static bool aws_take_text(const char *text, size_t n, struct flowlog_text *ret)
{
	if (value_absent(text, n))
		return true;
	if (n > 128)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)(text[i] - 0x21) > 0x7e - 0x21)
			return false;
	*ret = (struct flowlog_text){text, n};
	return true;
}

static bool aws_take_action(const char *text, size_t n, enum flowlog_action *ret)
{
	if (n == 6 && !memcmp(text, "ACCEPT", 6))
		*ret = FLOWLOG_ACCEPT;
	else if (n == 6 && !memcmp(text, "REJECT", 6))
		*ret = FLOWLOG_REJECT;
	else
		return value_absent(text, n);
	return true;
}

static bool aws_take_status(const char *text, size_t n, enum flowlog_status *ret)
{
	if (n == 2 && !memcmp(text, "OK", 2))
		*ret = FLOWLOG_OK;
	else if (n == 6 && !memcmp(text, "NODATA", 6))
		*ret = FLOWLOG_NODATA;
	else if (n == 8 && !memcmp(text, "SKIPDATA", 8))
		*ret = FLOWLOG_SKIPDATA;
	else
		return value_absent(text, n);
	return true;
}

static bool aws_take_direction(const char *text, size_t n, enum flowlog_direction *ret)
{
	if (n == 7 && !memcmp(text, "ingress", 7))
		*ret = FLOWLOG_INGRESS;
	else if (n == 6 && !memcmp(text, "egress", 6))
		*ret = FLOWLOG_EGRESS;
	else
		return value_absent(text, n);
	return true;
}

static bool aws_take_drop(
	struct flowlog_record *rec, enum flowlog_drop drop, const char *text, size_t n)
{
	int64_t v;

	if (!aws_take_count(text, n, &v))
		return false;
	if (v != FLOWLOG_NONE) {
		rec->dropped.recorded |= v > 0;
		rec->dropped.packets[drop] = v;
	}
	return true;
}

/* Puts one column into the record; NULL, or what is wrong. */
static const char *aws_take_column(struct aws_reader *r, unsigned column, const char *t, size_t n)
{
	struct flowlog_record *rec = &r->record;

	switch ((enum layout_field)r->layout.field[column]) {
	case FIELD_DROP:
		return NULL;
	case FIELD_ACCOUNT:
		return aws_take_text(t, n, &rec->account) ? NULL : "not an account";
	case FIELD_INTERFACE:
	case FIELD_ATTACHMENT:
		return aws_take_text(t, n, &rec->interface) ? NULL : "not an interface";
	case FIELD_SRC:
		return aws_take_ip(r, 0, t, n, &rec->src) ? NULL : "not a source address";
	case FIELD_DST:
		return aws_take_ip(r, 1, t, n, &rec->dst) ? NULL : "not a destination address";
	case FIELD_PKT_SRC:
		return aws_take_ip(r, 2, t, n, &rec->pkt_src) ? NULL : "not a packet source";
	case FIELD_PKT_DST:
		return aws_take_ip(r, 3, t, n, &rec->pkt_dst) ? NULL : "not a packet destination";
	case FIELD_SRC_PORT:
		return aws_take_small(t, n, 65535, &rec->src_port) ? NULL : "not a source port";
	case FIELD_DST_PORT:
		return aws_take_small(t, n, 65535, &rec->dst_port) ? NULL
								   : "not a destination port";
	case FIELD_PROTOCOL:
		return aws_take_small(t, n, 255, &rec->protocol) ? NULL : "not a protocol number";
	case FIELD_FLAGS:
		return aws_take_small(t, n, 255, &rec->tcp_flags) ? NULL : "not TCP flags";
	case FIELD_PACKETS:
		return aws_take_count(t, n, &rec->packets) ? NULL : "not a packet count";
	case FIELD_BYTES:
		return aws_take_count(t, n, &rec->bytes) ? NULL : "not a byte count";
	case FIELD_START:
		return aws_take_time(t, n, &rec->start_ns) ? NULL : "not a start time";
	case FIELD_END:
		return aws_take_time(t, n, &rec->end_ns) ? NULL : "not an end time";
	case FIELD_ACTION:
		return aws_take_action(t, n, &rec->action) ? NULL : "not an action";
	case FIELD_STATUS:
		return aws_take_status(t, n, &rec->status) ? NULL : "not a log status";
	case FIELD_DIRECTION:
		return aws_take_direction(t, n, &rec->direction) ? NULL : "not a direction";
	case FIELD_LOST_NO_ROUTE:
		if (!aws_take_drop(rec, FLOWLOG_NO_ROUTE, t, n))
			return "not a packet count";
		break;
	case FIELD_LOST_BLACKHOLE:
		if (!aws_take_drop(rec, FLOWLOG_BLACKHOLE, t, n))
			return "not a packet count";
		break;
	case FIELD_LOST_MTU:
		if (!aws_take_drop(rec, FLOWLOG_MTU_EXCEEDED, t, n))
			return "not a packet count";
		break;
	case FIELD_LOST_TTL:
		if (!aws_take_drop(rec, FLOWLOG_TTL_EXPIRED, t, n))
			return "not a packet count";
		break;
	case FIELD_INTERFACE_TYPE:
		rec->transit |= n >= 11 && memmem(t, n, "nat_gateway", 11);
		break;
	case FIELD_RESOURCE:
		if (!aws_take_text(t, n, &r->resource))
			return "not a resource";
		break;
	case FIELD_DETAIL:
	case FIELD_UNKNOWN:
		break;
	}
	aws_add_detail(r, r->layout.name[column], t, n);
	return NULL;
}

static void aws_clear_record(struct aws_reader *r, uint64_t number)
{
	r->record = (struct flowlog_record){.line = number,
		.src_port = -1,
		.dst_port = -1,
		.protocol = -1,
		.tcp_flags = -1,
		.packets = FLOWLOG_NONE,
		.bytes = FLOWLOG_NONE,
		.start_ns = FLOWLOG_NONE,
		.end_ns = FLOWLOG_NONE,
		.transit = r->layout.transit_gateway};
	r->resource.length = 0;
	if (r->detail.length)
		strbuf_reset(&r->detail);
}

/* The next column of a line with commas; quotes come off. NULL, or what is wrong. */
static const char *aws_next_quoted(
	const char **p, const char *end, const char **ret_start, size_t *ret_n)
{
	bool quoted = *p < end && **p == '"';
	const char *start = *p + quoted,
		   *to = memchr(start, quoted ? '"' : ',', (size_t)(end - start));

	if (!to && quoted)
		return "a quote without its end";
	if (!to)
		to = end;
	*ret_start = start;
	*ret_n = (size_t)(to - start);
	*p = to + quoted;
	if (*p < end && **p != ',')
		return "text behind a quote";
	return NULL;
}

static const char *aws_take_quoted_columns(struct aws_reader *r, const char *p, const char *end)
{
	const struct layout *l = &r->layout;

	for (unsigned column = 0; column < l->columns; column++) {
		const char *start, *wrong;
		size_t n;

		if (column && p++ == end)
			return "too few columns";
		wrong = aws_next_quoted(&p, end, &start, &n);
		if (!wrong)
			wrong = aws_take_column(r, column, start, n);
		if (wrong)
			return wrong;
	}
	return p < end ? "more columns than the header has" : NULL;
}

/* All columns of a line; NULL, or what is wrong. */
static const char *aws_take_columns(struct aws_reader *r, const char *p, const char *end)
{
	const struct layout *l = &r->layout;

	for (unsigned column = 0; column < l->columns; column++) {
		const char *start, *wrong;

		while (p < end && aws_is_blank(*p))
			p++;
		if (p == end)
			return "too few columns";
		start = p;
		while (p < end && !aws_is_blank(*p))
			p++;
		wrong = aws_take_column(r, column, start, (size_t)(p - start));
		if (wrong)
			return wrong;
	}
	while (p < end && aws_is_blank(*p))
		p++;
	if (p < end && !r->extra_said) {
		r->extra_said = true;
		r->sink->problem(r->sink->context, r->record.line,
			"more columns than the layout has; the first ones are used", p,
			(size_t)(end - p));
	}
	return NULL;
}

/* pkt addresses are kept where they say something new. */
static void aws_drop_same_addresses(struct flowlog_record *rec)
{
	if (rec->pkt_src.text.length && !memcmp(rec->pkt_src.bytes, rec->src.bytes, 16))
		rec->pkt_src.text.length = 0;
	if (rec->pkt_dst.text.length && !memcmp(rec->pkt_dst.bytes, rec->dst.bytes, 16))
		rec->pkt_dst.text.length = 0;
}

static bool aws_has_ports(int32_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 33 ||
	       protocol == 136;
}

/* What only the whole record shows; NULL, or what is wrong. */
static const char *aws_check_record(struct aws_reader *r, const struct flowlog_text *stream)
{
	struct flowlog_record *rec = &r->record;

	if (!rec->interface.length)
		rec->interface = r->resource;
	if (!rec->interface.length && stream)
		rec->interface = *stream;
	if (rec->status == FLOWLOG_STATUS_NONE)
		rec->status = rec->src.text.length ? FLOWLOG_OK : FLOWLOG_NODATA;
	if (rec->start_ns != FLOWLOG_NONE && rec->end_ns != FLOWLOG_NONE &&
		rec->end_ns < rec->start_ns)
		return "the end is before the start";
	if (rec->status == FLOWLOG_OK && (!rec->src.text.length || !rec->dst.text.length))
		return r->layout.columns ? "a record without addresses" : "no columns";
	if (!aws_has_ports(rec->protocol) && rec->src_port <= 0 && rec->dst_port <= 0)
		rec->src_port = rec->dst_port = -1;
	aws_drop_same_addresses(rec);
	if (r->detail.length) {
		strbuf_addc(&r->detail, '}');
		rec->detail = (struct flowlog_text){r->detail.text, r->detail.length};
	}
	return NULL;
}

static void aws_count_record(struct aws_reader *r)
{
	const struct flowlog_record *rec = &r->record;
	struct flowlog_sink *sink = r->sink;

	if (rec->status == FLOWLOG_OK) {
		sink->account[FLOWLOG_LINE_RECORD]++;
		return;
	}
	sink->account[rec->status == FLOWLOG_NODATA ? FLOWLOG_LINE_NODATA
						    : FLOWLOG_LINE_SKIPDATA]++;
	if (rec->packets > 0 && !r->counts_said) {
		r->counts_said = true;
		sink->problem(sink->context, rec->line,
			"NODATA or SKIPDATA with counts; they are kept", "", 0);
	}
}

static void aws_say_unknown(struct aws_reader *r, uint64_t number)
{
	for (unsigned i = 0; i < r->layout.columns; i++)
		if (r->layout.field[i] == FIELD_UNKNOWN)
			r->sink->problem(r->sink->context, number, "unknown column, kept in detail",
				r->layout.name[i], strlen(r->layout.name[i]));
}

/* Takes the line as a header if it is one. Only names begin with a letter and not with eni-. */
static bool aws_take_header(struct aws_reader *r, uint64_t number, const char *text, size_t n)
{
	struct layout l;

	if (!isalpha((unsigned char)text[0]) && text[0] != '$' && text[0] != '"')
		return false;
	if ((n > 4 && !memcmp(text, "eni-", 4)) || !layout_parse(&l, text, n))
		return false;
	r->layout = l;
	r->sink->account[FLOWLOG_LINE_HEADER]++;
	aws_say_unknown(r, number);
	return true;
}

/* A line that is no header. */
static void aws_take_record(struct aws_reader *r, uint64_t number, const char *text,
	const char *end, const struct flowlog_text *stream)
{
	const char *wrong;

	aws_clear_record(r, number);
	wrong = r->layout.commas ? aws_take_quoted_columns(r, text, end)
				 : aws_take_columns(r, text, end);
	if (!wrong)
		wrong = aws_check_record(r, stream);
	if (wrong) {
		flowlog_malformed(r->sink, number, wrong, text, (size_t)(end - text));
		return;
	}
	aws_count_record(r);
	r->sink->record(r->sink->context, &r->record);
}

void aws_row(struct aws_reader *r, uint64_t number, const struct flowlog_text *names,
	const struct flowlog_text *values)
{
	if (r->names.length != names->length ||
		(names->length && memcmp(r->names.text, names->at, names->length) != 0)) {
		struct layout l;

		if (!layout_parse(&l, names->at, names->length)) {
			r->sink->account[FLOWLOG_LINE_OTHER]++;
			return;
		}
		l.commas = true;
		r->layout = l;
		strbuf_reset(&r->names);
		strbuf_add(&r->names, names->at, names->length);
		aws_say_unknown(r, number);
	}
	aws_take_record(r, number, values->at, values->at + values->length, NULL);
}

void aws_line(struct aws_reader *r, uint64_t number, const char *text, size_t n,
	const struct flowlog_text *stream)
{
	const char *end = text + n;
	size_t skip;

	while (text < end && aws_is_blank(*text))
		text++;
	while (end > text && aws_is_blank(end[-1]))
		end--;
	if (text == end) {
		r->sink->account[FLOWLOG_LINE_BLANK]++;
		return;
	}
	skip = aws_time_prefix(text, (size_t)(end - text));
	text += skip;
	if (text == end || aws_take_header(r, number, text, (size_t)(end - text))) {
		r->sink->account[FLOWLOG_LINE_BLANK] += text == end;
		return;
	}
	aws_take_record(r, number, text, end, stream);
}

/* Words of a line that could be a record: 14 with a status at the end, or the transit gateway's. */
static enum aws_guess aws_guess_record(const char *text, size_t n)
{
	const char *p = text, *end = text + n, *words[40];
	size_t lengths[40];
	unsigned count = 0;
	enum flowlog_status status = FLOWLOG_STATUS_NONE;

	while (p < end && count < 40) {
		while (p < end && aws_is_blank(*p))
			p++;
		words[count] = p;
		while (p < end && !aws_is_blank(*p))
			p++;
		lengths[count] = (size_t)(p - words[count]);
		count += lengths[count] > 0;
	}
	if (count < 14 || lengths[0] > 2 || !isdigit((unsigned char)words[0][0]))
		return AWS_NEITHER;
	if (lengths[1] == 14 && !memcmp(words[1], "TransitGateway", 14))
		return AWS_TRANSIT_GATEWAY;
	if (aws_take_status(words[13], lengths[13], &status) && status != FLOWLOG_STATUS_NONE)
		return AWS_VPC;
	return AWS_NEITHER;
}

enum aws_guess aws_guess_line(const char *text, size_t n)
{
	size_t skip;
	struct layout l;
	enum aws_guess guess;

	while (n && aws_is_blank(text[n - 1]))
		n--;
	skip = aws_time_prefix(text, n);
	text += skip;
	n -= skip;
	if (n && (isalpha((unsigned char)text[0]) || text[0] == '$' || text[0] == '"') &&
		layout_parse(&l, text, n) && l.columns - l.unknown >= 3)
		return l.transit_gateway ? AWS_TRANSIT_GATEWAY : AWS_VPC;
	guess = aws_guess_record(text, n);
	return guess == AWS_VPC && skip ? AWS_EXPORT : guess;
}
