#include "flowlog/format/azure.h"

#include <ctype.h>
#include <xxhash.h>

#include "base/jsonout.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "flowlog/format/elements.h"
#include "flowlog/format/json.h"
#include "flowlog/format/value.h"

#define TUPLE_FIELDS 13
/* A continuing flow is reported every 5 minutes, so counts are of that span at most. */
#define REPORT_NS (300 * NSEC_PER_SEC)

enum { T_TIME, T_SRC, T_DST, T_SRC_PORT, T_DST_PORT, T_PROTOCOL, T_DIRECTION, T_DECISION, T_STATE };
enum { T_PACKETS_SENT = 9, T_BYTES_SENT, T_PACKETS_BACK, T_BYTES_BACK };

static unsigned azure_split(const char *text, size_t n, struct flowlog_text fields[TUPLE_FIELDS])
{
	const char *end = text + n;
	unsigned count = 0;

	for (;;) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		size_t length = (size_t)((comma ? comma : end) - text);

		if (count < TUPLE_FIELDS)
			fields[count] = (struct flowlog_text){text, length};
		count++;
		if (!comma)
			return count;
		text = comma + 1;
	}
}

static bool azure_small(struct flowlog_text t, int64_t limit, int32_t *ret)
{
	int64_t v;

	if (value_absent(t.at, t.length)) {
		*ret = -1;
		return true;
	}
	if (!value_number(t.at, t.length, &v) || v > limit)
		return false;
	*ret = (int32_t)v;
	return true;
}

static bool azure_counter(struct flowlog_text t, int64_t *ret)
{
	*ret = FLOWLOG_NONE;
	return value_absent(t.at, t.length) || value_number(t.at, t.length, ret);
}

static bool azure_is_letter(struct flowlog_text t, const char *letters)
{
	return t.length == 1 && strchr(letters, t.at[0]);
}

static bool azure_protocol(struct flowlog_text t, int32_t *ret)
{
	if (azure_is_letter(t, "TU")) {
		*ret = t.at[0] == 'T' ? 6 : 17;
		return true;
	}
	return azure_small(t, 255, ret);
}

/* Unix seconds or milliseconds, whichever it is: see the page of NSG and VNet logs. */
static bool azure_tuple_time(struct flowlog_text t, int64_t *ret_ns)
{
	int64_t v;

	return value_number(t.at, t.length, &v) && value_time(v, ret_ns);
}

static const char *azure_endpoints(
	const struct flowlog_text *f, char text[2][VALUE_IP_TEXT], struct flowlog_record *rec)
{
	if (!azure_tuple_time(f[T_TIME], &rec->end_ns))
		return "not a time";
	if (!value_ip(f[T_SRC].at, f[T_SRC].length, text[0], &rec->src) ||
		!value_ip(f[T_DST].at, f[T_DST].length, text[1], &rec->dst))
		return "not an address";
	if (!azure_small(f[T_SRC_PORT], 65535, &rec->src_port) ||
		!azure_small(f[T_DST_PORT], 65535, &rec->dst_port))
		return "not a port";
	if (!azure_protocol(f[T_PROTOCOL], &rec->protocol))
		return "not a protocol";
	if (!azure_is_letter(f[T_DIRECTION], "IO"))
		return "not a direction";
	rec->direction = f[T_DIRECTION].at[0] == 'I' ? FLOWLOG_INGRESS : FLOWLOG_EGRESS;
	rec->start_ns = rec->end_ns;
	rec->status = FLOWLOG_OK;
	rec->action = FLOWLOG_ACCEPT;
	return NULL;
}

/* The state letter of a tuple: B, C, E or D (denied); 0: not one. Version 1 has no states. */
static char azure_state_of(int version, const struct flowlog_text *f)
{
	if (version == 4)
		return azure_is_letter(f[T_DECISION], "BCED") ? f[T_DECISION].at[0] : 0;
	if (!azure_is_letter(f[T_DECISION], "AD"))
		return 0;
	if (f[T_DECISION].at[0] == 'D')
		return 'D';
	if (version == 1)
		return 'B';
	return azure_is_letter(f[T_STATE], "BCE") ? f[T_STATE].at[0] : 0;
}

static void azure_make_detail(
	struct strbuf *sb, char state, struct flowlog_text rule, struct flowlog_text encryption)
{
	strbuf_printf(sb, "{\"state\":\"%c\",\"rule\":", state);
	jsonout_bytes(sb, rule.at ? rule.at : "", rule.length);
	if (encryption.length) {
		strbuf_adds(sb, ",\"encryption\":");
		jsonout_bytes(sb, encryption.at, encryption.length);
	}
	strbuf_addc(sb, '}');
}

/* The same flow the other way round. */
static struct flowlog_record azure_reversed(
	const struct flowlog_record *rec, int64_t packets, int64_t bytes)
{
	struct flowlog_record back = *rec;

	back.src = rec->dst;
	back.dst = rec->src;
	back.src_port = rec->dst_port;
	back.dst_port = rec->src_port;
	back.direction = rec->direction == FLOWLOG_INGRESS ? FLOWLOG_EGRESS : FLOWLOG_INGRESS;
	back.packets = packets;
	back.bytes = bytes;
	back.from_server = true;
	return back;
}

const char *azure_tuple(struct flowlog_sink *sink, uint64_t number, int version,
	struct flowlog_text mac, struct flowlog_text rule, const char *tuple, size_t n)
{
	struct flowlog_text f[TUPLE_FIELDS] = {{0}};
	struct flowlog_record rec = {
		.line = number, .tcp_flags = -1, .interface = mac, .oriented = true};
	unsigned count = azure_split(tuple, n, f);
	int64_t back_packets, back_bytes;
	char text[2][VALUE_IP_TEXT], state;
	struct strbuf detail CLEANUP_STRBUF = STRBUF_INIT;
	const char *wrong;

	if (count < (version == 1 ? 8 : TUPLE_FIELDS))
		return "a tuple with too few fields";
	wrong = azure_endpoints(f, text, &rec);
	if (wrong)
		return wrong;
	state = azure_state_of(version, f);
	if (!state)
		return "not a flow state";
	if (!azure_counter(f[T_PACKETS_SENT], &rec.packets) ||
		!azure_counter(f[T_BYTES_SENT], &rec.bytes) ||
		!azure_counter(f[T_PACKETS_BACK], &back_packets) ||
		!azure_counter(f[T_BYTES_BACK], &back_bytes))
		return "not a count";
	rec.begins = state == 'B';
	if (state == 'D')
		rec.action = FLOWLOG_REJECT;
	if (state == 'C' || state == 'E')
		rec.start_ns = rec.end_ns > REPORT_NS ? rec.end_ns - REPORT_NS : 0;
	else
		rec.packets = rec.bytes = FLOWLOG_NONE; /* zeros or nothing: neither is a count */
	azure_make_detail(
		&detail, state, rule, version == 4 ? f[T_STATE] : (struct flowlog_text){0});
	rec.detail = (struct flowlog_text){detail.text, detail.length};
	sink->account[FLOWLOG_LINE_RECORD]++;
	sink->record(sink->context, &rec);
	if (!rec.begins && back_packets != FLOWLOG_NONE && back_packets > 0) {
		struct flowlog_record back = azure_reversed(&rec, back_packets, back_bytes);

		/* Says that this row is the way back of the same tuple. */
		detail.text[detail.length - 1] = ',';
		strbuf_adds(&detail, "\"reversed\":true}");
		back.detail = (struct flowlog_text){detail.text, detail.length};
		sink->record(sink->context, &back);
	}
	return NULL;
}

/* 12 hex digits as lower-case colon hex. False: something else. */
static bool azure_mac_text(struct flowlog_text t, char ret[18])
{
	size_t k = 0;

	if (t.length != 12)
		return false;
	for (size_t i = 0; i < 12; i++) {
		if (!isxdigit((unsigned char)t.at[i]))
			return false;
		if (i && i % 2 == 0)
			ret[k++] = ':';
		ret[k++] = (char)tolower((unsigned char)t.at[i]);
	}
	ret[k] = 0;
	return true;
}

struct place {
	struct flowlog_sink *sink;
	uint64_t *number;
	int version;
	bool duplicate;
	struct flowlog_text mac;
};

static void azure_take_tuples(const struct place *p, const json_t *group, struct flowlog_text mac)
{
	const json_t *tuple, *tuples = json_object_get(group, "flowTuples");
	struct flowlog_text rule = json_text_of(group, "rule");
	size_t i;

	json_array_foreach(tuples, i, tuple)
	{
		const char *text = json_string_value(tuple), *wrong = "a tuple that is no string";

		++*p->number;
		if (p->duplicate) {
			p->sink->account[FLOWLOG_LINE_DUPLICATE]++;
			continue;
		}
		if (text)
			wrong = azure_tuple(p->sink, *p->number, p->version, mac, rule, text,
				json_string_length(tuple));
		if (wrong)
			flowlog_malformed(p->sink, *p->number, wrong, text ? text : "",
				text ? json_string_length(tuple) : 0);
	}
}

/* properties.flows[].{rule, flows[].{mac, flowTuples[]}} */
static void azure_nsg(const struct place *p, const json_t *record)
{
	const json_t *rule, *flow,
		*rules = json_object_get(json_object_get(record, "properties"), "flows");
	size_t i, k;

	json_array_foreach(rules, i, rule)
	{
		json_array_foreach(json_object_get(rule, "flows"), k, flow)
		{
			char own[18];
			struct flowlog_text mac = json_text_of(flow, "mac");
			json_t *named =
				json_copy((json_t *)flow); /* shallow: rule sits one level up */

			(void)json_object_set(named, "rule", json_object_get(rule, "rule"));
			azure_take_tuples(p, named,
				azure_mac_text(mac, own) ? (struct flowlog_text){own, 17} : p->mac);
			json_decref(named);
		}
	}
}

/* flowRecords.flows[].flowGroups[].{rule, flowTuples[]} */
static void azure_vnet(const struct place *p, const json_t *record)
{
	const json_t *flow, *group,
		*flows = json_object_get(json_object_get(record, "flowRecords"), "flows");
	size_t i, k;

	json_array_foreach(flows, i, flow) json_array_foreach(
		json_object_get(flow, "flowGroups"), k, group) azure_take_tuples(p, group, p->mac);
}

/* A growing blob is fetched again and again: its records are told by resource, NIC and time. */
static bool azure_is_new(struct fingerprints *seen, const json_t *record)
{
	static const char *const keys[] = {
		"time", "category", "macAddress", "resourceId", "flowLogResourceID", "systemId"};
	uint64_t h = 1;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct flowlog_text t = json_text_of(record, keys[i]);

		h = XXH3_64bits_withSeed(t.at ? t.at : "", t.length, h + i);
	}
	return fingerprints_add(seen, h);
}

static int azure_nsg_version(const json_t *record)
{
	int64_t version;
	const json_t *v = json_object_get(json_object_get(record, "properties"), "Version");

	return v && json_number_of(v, &version) && version == 1 ? 1 : 2;
}

static void azure_take_record(const json_t *record, uint64_t *number, struct fingerprints *seen,
	struct flowlog_sink *sink)
{
	bool is_vnet = json_object_get(record, "flowRecords") != NULL;
	struct place p = {
		.sink = sink, .number = number, .version = is_vnet ? 4 : azure_nsg_version(record)};
	char own[18];

	if (!is_vnet && !json_object_get(json_object_get(record, "properties"), "flows")) {
		++*number;
		sink->account[FLOWLOG_LINE_OTHER]++;
		return;
	}
	if (azure_mac_text(json_text_of(record, "macAddress"), own))
		p.mac = (struct flowlog_text){own, 17};
	p.duplicate = !azure_is_new(seen, record);
	if (is_vnet)
		azure_vnet(&p, record);
	else
		azure_nsg(&p, record);
}

void azure_read(struct source *s, struct fingerprints *seen, struct flowlog_sink *sink)
{
	struct elements e;
	uint64_t number = 0; /* of the tuple */
	const char *text;
	size_t n;

	elements_init(&e, s, sink);
	while (elements_next(&e, &text, &n)) {
		json_t *record = json_object_of(text, n);

		if (record)
			azure_take_record(record, &number, seen, sink);
		else
			flowlog_malformed(sink, ++number, "not valid JSON", text, n);
		json_decref(record);
	}
}
