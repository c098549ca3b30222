/* The pcapng blocks that describe: section header, interfaces, statistics.
 * draft-ietf-opsawg-pcapng. */
#include "read/capfile_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#define ADDRESSES_MAX 256u

/* Ticks of up to 64 bits times nanoseconds: wider than any standard type. */
__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_CUSTOM_TEXT = 2988,
	OPT_CUSTOM_BYTES = 2989,
	OPT_CUSTOM_TEXT_STAYS = 19372, /* not to be copied by who rewrites the file */
	OPT_CUSTOM_BYTES_STAYS = 19373,

	SHB_HARDWARE = 2,
	SHB_OS = 3,
	SHB_APPLICATION = 4,

	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_IPV4 = 4,
	IF_IPV6 = 5,
	IF_MAC = 6,
	IF_EUI = 7,
	IF_SPEED = 8,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_OS = 12,
	IF_FCSLEN = 13,
	IF_TSOFFSET = 14,
	IF_HARDWARE = 15,
	IF_TX_SPEED = 16,
	IF_RX_SPEED = 17,

	ISB_START = 2,
	ISB_END = 3,
	ISB_RECEIVED = 4,
	ISB_IFDROP = 5,
	ISB_ACCEPTED = 6,
	ISB_OSDROP = 7,
	ISB_DELIVERED = 8,
};

bool pcapng_option(struct capfile *cf, struct cursor *list, struct option *ret_option)
{
	const uint8_t *h = cur_take(list, 4);
	uint16_t length;

	if (!h) {
		cf->info.bad_options += list->left > 0;
		list->left = 0;
		return false;
	}
	ret_option->code = file_u16(cf, h);
	length = file_u16(cf, h + 2);
	if (ret_option->code == OPT_END || !cur_sub(list, length, &ret_option->value)) {
		cf->info.bad_options += ret_option->code != OPT_END;
		list->left = 0;
		return false;
	}
	if (!cur_take(list, -(uint32_t)length & 3))
		list->left = 0; /* the last value, without its padding: harmless */
	return true;
}

static char *options_hex(const struct cursor *bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = mem_alloc(2 * bytes->left + 1);

	for (size_t i = 0; i < bytes->left; i++) {
		text[2 * i] = digits[bytes->at[i] >> 4];
		text[2 * i + 1] = digits[bytes->at[i] & 15];
	}
	text[2 * bytes->left] = 0;
	return text;
}

/* Value begins with the private enterprise number of whom it belongs to. */
static void options_custom_fact(struct capfile *cf, uint32_t interface, const struct option *o)
{
	bool is_text = o->code == OPT_CUSTOM_TEXT || o->code == OPT_CUSTOM_TEXT_STAYS;
	struct cursor value = o->value;
	const uint8_t *pen = cur_take(&value, 4);
	char key[32];

	if (!pen) {
		cf->info.bad_options++;
		return;
	}
	(void)snprintf(
		key, sizeof(key), is_text ? "custom-%u" : "custom-bytes-%u", file_u32(cf, pen));
	capfile_add_fact(cf, interface, INT64_MIN, key,
		is_text ? capfile_text(value.at, value.left) : options_hex(&value));
}

/* Options that every block may have. */
static void options_common_option(struct capfile *cf, uint32_t interface, const struct option *o)
{
	switch (o->code) {
	case OPT_COMMENT:
		capfile_add_fact(cf, interface, INT64_MIN, "comment",
			capfile_text(o->value.at, o->value.left));
		break;
	case OPT_CUSTOM_TEXT:
	case OPT_CUSTOM_BYTES:
	case OPT_CUSTOM_TEXT_STAYS:
	case OPT_CUSTOM_BYTES_STAYS:
		options_custom_fact(cf, interface, o);
		break;
	default:
		break; /* unknown and local ones say nothing here */
	}
}

void pcapng_section(struct capfile *cf, struct cursor body)
{
	struct option o;

	while (pcapng_option(cf, &body, &o)) {
		static const char *const keys[] = {[SHB_HARDWARE] = "hardware",
			[SHB_OS] = "os",
			[SHB_APPLICATION] = "application"};

		if (o.code >= SHB_HARDWARE && o.code <= SHB_APPLICATION)
			capfile_add_fact(cf, CAPFILE_SECTION, INT64_MIN, keys[o.code],
				capfile_text(o.value.at, o.value.left));
		else
			options_common_option(cf, CAPFILE_SECTION, &o);
	}
}

static void options_set_text(char **field, const struct cursor *value)
{
	free(*field);
	*field = capfile_text(value->at, value->left);
}

static void options_add_address(struct capfile_interface *in, const struct cursor *value, bool v6)
{
	struct capfile_address *a;
	uint32_t mask;

	if (value->left != (v6 ? 17 : 8) || in->address_count == ADDRESSES_MAX)
		return;
	in->addresses = mem_grow(in->addresses, in->address_count + 1, sizeof(*in->addresses));
	a = &in->addresses[in->address_count++];
	*a = (struct capfile_address){.v6 = v6};
	memcpy(a->bytes, value->at, v6 ? 16 : 4);
	if (v6) {
		a->prefix = value->at[16];
		return;
	}
	mask = be32(value->at + 4);
	a->prefix = mask == UINT32_MAX ? 32 : (uint8_t)__builtin_clz(~mask);
}

static uint64_t options_power_of_ten(unsigned int n)
{
	uint64_t v = 1;

	while (n--)
		v *= 10;
	return v;
}

/* if_tsresol: units of 10^-v seconds, or of 2^-v with the top bit set. */
static void options_set_resolution(struct interface_state *is, uint8_t v)
{
	is->shift = 0;
	is->divide = 1;
	is->multiply = 1000000000;
	if (v & 0x80)
		is->shift = v & 0x7f;
	else if (v <= 9)
		is->multiply = options_power_of_ten(9 - v);
	else if (v <= 28) {
		is->multiply = 1;
		is->divide = options_power_of_ten(v - 9u);
	} else {
		is->multiply = 0; /* all that 64 bits can hold is below a nanosecond */
	}
}

static int64_t options_clamp(wide ns)
{
	if (ns > INT64_MAX)
		return INT64_MAX;
	return ns <= INT64_MIN ? INT64_MIN + 1 : (int64_t)ns; /* INT64_MIN itself means unknown */
}

int64_t pcapng_time_wide(const struct interface_state *is, uint64_t ticks)
{
	uwide ns = (uwide)ticks * is->multiply;

	return options_clamp((wide)(ns / is->divide >> is->shift) + is->offset_ns);
}

static void options_set_simple(struct interface_state *is)
{
	int64_t room = INT64_MAX - (is->offset_ns > 0 ? is->offset_ns : 0);

	is->simple_below =
		is->divide == 1 && !is->shift && is->multiply ? (uint64_t)room / is->multiply : 0;
}

static void options_numeric_fact(
	struct capfile *cf, uint32_t index, const char *key, const struct cursor *value)
{
	if (value->left == 8)
		capfile_add_fact(cf, index, INT64_MIN, key,
			mem_printf("%llu", (unsigned long long)file_u64(cf, value->at)));
	else if (value->left == 1)
		capfile_add_fact(cf, index, INT64_MIN, key, mem_printf("%u", value->at[0]));
}

static void options_set_filter(struct capfile_interface *in, struct cursor value)
{
	const uint8_t *kind = cur_take(&value, 1);

	if (!kind)
		return;
	if (!*kind) {
		options_set_text(&in->filter, &value);
		return;
	}
	free(in->filter);
	in->filter =
		mem_strdup("(a BPF program)"); /* its source is unknown, that it filters is not */
}

static void options_interface_option(struct capfile *cf, uint32_t index, const struct option *o)
{
	struct capfile_interface *in = &cf->info.interfaces[index];
	struct interface_state *is = &cf->states[index];

	switch (o->code) {
	case IF_NAME:
		options_set_text(&in->name, &o->value);
		break;
	case IF_DESCRIPTION:
		options_set_text(&in->description, &o->value);
		break;
	case IF_IPV4:
	case IF_IPV6:
		options_add_address(in, &o->value, o->code == IF_IPV6);
		break;
	case IF_MAC:
		in->has_mac = o->value.left == sizeof(in->mac);
		if (in->has_mac)
			memcpy(in->mac, o->value.at, sizeof(in->mac));
		break;
	case IF_EUI:
		capfile_add_fact(cf, index, INT64_MIN, "if_EUIaddr", options_hex(&o->value));
		break;
	case IF_TSRESOL:
		if (o->value.left == 1)
			options_set_resolution(is, o->value.at[0]);
		break;
	case IF_TSOFFSET:
		if (o->value.left == 8)
			is->offset_ns = options_clamp(
				(wide)(int64_t)file_u64(cf, o->value.at) * 1000000000);
		break;
	case IF_FILTER:
		options_set_filter(in, o->value);
		break;
	case IF_OS:
		options_set_text(&in->os, &o->value);
		break;
	case IF_HARDWARE:
		options_set_text(&in->hardware, &o->value);
		break;
	case IF_SPEED:
		options_numeric_fact(cf, index, "if_speed", &o->value);
		break;
	case IF_TX_SPEED:
		options_numeric_fact(cf, index, "if_txspeed", &o->value);
		break;
	case IF_RX_SPEED:
		options_numeric_fact(cf, index, "if_rxspeed", &o->value);
		break;
	case IF_FCSLEN:
		options_numeric_fact(cf, index, "if_fcslen", &o->value);
		break;
	default:
		options_common_option(cf, index, o);
	}
}

bool pcapng_interface(struct capfile *cf, struct cursor body)
{
	const uint8_t *h = cur_take(&body, 8);
	uint32_t index = cf->info.interface_count;
	struct option o;

	if (!h || index == INTERFACES_MAX)
		return false;
	(void)capfile_add_interface(cf, file_u16(cf, h), file_u32(cf, h + 4));
	while (pcapng_option(cf, &body, &o))
		options_interface_option(cf, index, &o);
	options_set_simple(&cf->states[index]);
	return true;
}

static int64_t options_counter(struct capfile *cf, const struct cursor *value, int64_t old)
{
	uint64_t v;

	if (value->left != 8)
		return old;
	v = file_u64(cf, value->at);
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static int64_t options_split_time(struct capfile *cf, const struct interface_state *is,
	const struct cursor *value, int64_t old)
{
	if (value->left != 8)
		return old;
	return pcapng_time(
		is, (uint64_t)file_u32(cf, value->at) << 32 | file_u32(cf, value->at + 4));
}

static void options_statistics_option(struct capfile *cf, uint32_t index,
	const struct interface_state *clock, const struct option *o)
{
	struct capfile_interface *in = &cf->info.interfaces[index];

	switch (o->code) {
	case ISB_START:
		in->start_ns = options_split_time(cf, clock, &o->value, in->start_ns);
		break;
	case ISB_END:
		in->end_ns = options_split_time(cf, clock, &o->value, in->end_ns);
		break;
	case ISB_RECEIVED:
		in->received = options_counter(cf, &o->value, in->received);
		break;
	case ISB_IFDROP:
		in->dropped_interface = options_counter(cf, &o->value, in->dropped_interface);
		break;
	case ISB_ACCEPTED:
		in->filter_accepted = options_counter(cf, &o->value, in->filter_accepted);
		break;
	case ISB_OSDROP:
		in->dropped_kernel = options_counter(cf, &o->value, in->dropped_kernel);
		break;
	case ISB_DELIVERED:
		in->delivered = options_counter(cf, &o->value, in->delivered);
		break;
	default:
		options_common_option(cf, index, o);
	}
}

/*
 * Drops that this block adds to the one before it, less those that frames between the two have
 * already told (epb_dropcount, which says more exactly when): nothing is counted twice.
 */
static void options_statistics_drop(struct capfile *cf, uint32_t index, int64_t at_ns)
{
	const struct capfile_interface *in = &cf->info.interfaces[index];
	struct interface_state *is = &cf->states[index];
	uint64_t stated = 0, growth;
	int64_t from_ns = is->statistics_ns;

	if (in->dropped_interface > 0)
		stated += (uint64_t)in->dropped_interface;
	if (in->dropped_kernel > 0)
		stated += (uint64_t)in->dropped_kernel;
	growth = stated > is->dropped_stated ? stated - is->dropped_stated : 0;
	if (from_ns == INT64_MIN)
		from_ns = in->start_ns != INT64_MIN ? in->start_ns : is->first_ns;
	if (growth > is->dropped_since)
		capfile_add_drop(cf, index, from_ns, at_ns, growth - is->dropped_since);
	is->dropped_stated = stated;
	is->dropped_since = 0;
	is->statistics_ns = at_ns;
}

/*
 * dumpcap (seen with 4.0) counts statistics in microseconds whatever if_tsresol says. Of the two
 * readings the one nearer to the last frame wins. Without a frame the stated one does, unless it
 * lies before 1980 and the other after 2000: captures on a real clock are far more common than
 * idle ones on a clock that counts from its own start, which are then misread.
 */
static bool options_is_in_microseconds(const struct capfile *cf,
	const struct interface_state *stated, const struct interface_state *other, uint64_t ticks)
{
	const wide y1980 = (wide)315532800 * 1000000000, y2000 = (wide)946684800 * 1000000000;
	wide a = pcapng_time(stated, ticks), b = pcapng_time(other, ticks);

	if (cf->last_ns == INT64_MIN)
		return a < y1980 && b > y2000;
	a = a > cf->last_ns ? a - cf->last_ns : cf->last_ns - a;
	b = b > cf->last_ns ? b - cf->last_ns : cf->last_ns - b;
	return b < a;
}

bool pcapng_statistics(struct capfile *cf, struct cursor body)
{
	const uint8_t *h = cur_take(&body, 12);
	struct interface_state clock, other;
	uint32_t id, index;
	uint64_t ticks;
	struct option o;

	if (!h)
		return false;
	id = file_u32(cf, h);
	if (id >= cf->info.interface_count - cf->section_first)
		return false;
	index = cf->section_first + id;
	ticks = (uint64_t)file_u32(cf, h + 4) << 32 | file_u32(cf, h + 8);
	clock = other = cf->states[index];
	options_set_resolution(&other, 6);
	options_set_simple(&other);
	if (options_is_in_microseconds(cf, &clock, &other, ticks))
		clock = other;
	while (pcapng_option(cf, &body, &o))
		options_statistics_option(cf, index, &clock, &o);
	options_statistics_drop(cf, index, pcapng_time(&clock, ticks));
	return true;
}
