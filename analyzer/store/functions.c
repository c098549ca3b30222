#include "store/functions.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "store/community_id.h"
#include "store/ref_ns.h"

/* iso(ns): a time as RFC 3339 text; NULL for NULL. */
static void fn_iso(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char buf[NSEC_TEXT_SIZE];

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_NULL)
		sqlite3_result_text(
			ctx, nsec_format(sqlite3_value_int64(argv[0]), buf), -1, SQLITE_TRANSIENT);
}

/* span(ns): a length of time for people: "3.2 s". */
static void fn_span(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char buf[NSEC_TEXT_SIZE];

	(void)argc;
	if (sqlite3_value_type(argv[0]) != SQLITE_NULL)
		sqlite3_result_text(
			ctx, nsec_span(sqlite3_value_int64(argv[0]), buf), -1, SQLITE_TRANSIENT);
}

/* Wilson score interval for count of total at 95 %; sign -1 gives the low end, 1 the high one. */
static double functions_wilson(double count, double total, double sign)
{
	const double z = 1.959964;
	double p = count / total, zz = z * z / total;
	double middle = p + zz / 2, half = z * sqrt(p * (1 - p) / total + zz / (4 * total));
	double v = (middle + sign * half) / (1 + zz);

	return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void fn_wilson(sqlite3_context *ctx, sqlite3_value **argv, double sign)
{
	double total = sqlite3_value_double(argv[1]);

	if (total > 0)
		sqlite3_result_double(
			ctx, functions_wilson(sqlite3_value_double(argv[0]), total, sign));
}

static void fn_wilson_low(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	fn_wilson(ctx, argv, -1);
}

static void fn_wilson_high(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	fn_wilson(ctx, argv, 1);
}

/* endpoint(ip, port): "10.0.1.20:27017", "[2001:db8::1]:443"; the address alone without a port. */
static void fn_endpoint(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *ip = (const char *)sqlite3_value_text(argv[0]);
	char text[128];

	(void)argc;
	if (!ip)
		return;
	if (sqlite3_value_int64(argv[1]) == 0)
		(void)snprintf(text, sizeof(text), "%s", ip);
	else
		(void)snprintf(text, sizeof(text), strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip,
			(long long)sqlite3_value_int64(argv[1]));
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* percent(rate): a share of 1 for people: "2.1 %", "0.05 %"; two significant digits, none below
 * 0.001 %. */
static void fn_percent(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	double v = 100 * sqlite3_value_double(argv[0]);
	char text[32];

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	(void)snprintf(text, sizeof(text),
		v >= 99.95 || v == 0 ? "%.0f %%"
		: v >= 10	     ? "%.1f %%"
				     : "%.2g %%",
		v < 0.001 ? 0 : v);
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

struct ip {
	int family;
	uint8_t bytes[16];
};

static bool functions_parse_ip(const char *text, struct ip *ret)
{
	ret->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(ret->family, text, ret->bytes) == 1;
}

static int functions_ip_bits(const struct ip *ip)
{
	return ip->family == AF_INET ? 32 : 128;
}

static bool functions_same_prefix(const struct ip *a, const struct ip *b, int prefix)
{
	int whole = prefix / 8, rest = prefix % 8;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, (size_t)whole) != 0)
		return false;
	return !rest || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8", or an address alone: all of its bits. */
static bool functions_parse_network(const char *text, struct ip *ret, int *ret_prefix)
{
	char address[64], *end;
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	long prefix;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = 0;
	if (!functions_parse_ip(address, ret))
		return false;
	*ret_prefix = functions_ip_bits(ret);
	if (!slash)
		return true;
	prefix = strtol(slash + 1, &end, 10);
	if (!isdigit((unsigned char)slash[1]) || *end || prefix < 0 ||
		prefix > functions_ip_bits(ret))
		return false;
	*ret_prefix = (int)prefix;
	return true;
}

/*
 * ip_in(address, network): 1 or 0; NULL for what is no address. A network that is none is an error:
 * a slip of the pen must not look like "no rows".
 */
static void fn_ip_in(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *address = (const char *)sqlite3_value_text(argv[0]);
	const char *network = (const char *)sqlite3_value_text(argv[1]);
	struct ip a, n;
	char message[128];
	int prefix;

	(void)argc;
	if (!network)
		return;
	if (!functions_parse_network(network, &n, &prefix)) {
		(void)snprintf(
			message, sizeof(message), "ip_in: '%.60s' is not a network", network);
		sqlite3_result_error(ctx, message, -1);
		return;
	}
	if (address && functions_parse_ip(address, &a))
		sqlite3_result_int(ctx, functions_same_prefix(&a, &n, prefix));
}

/* ip_same_subnet(a, b, prefix): 1 or 0; NULL for what is no address or no prefix length. */
static void fn_ip_same_subnet(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *ta = (const char *)sqlite3_value_text(argv[0]);
	const char *tb = (const char *)sqlite3_value_text(argv[1]);
	int64_t prefix = sqlite3_value_int64(argv[2]);
	struct ip a, b;

	(void)argc;
	if (!ta || !tb || sqlite3_value_type(argv[2]) == SQLITE_NULL ||
		!functions_parse_ip(ta, &a) || !functions_parse_ip(tb, &b))
		return;
	if (prefix >= 0 && prefix <= functions_ip_bits(&a))
		sqlite3_result_int(ctx, functions_same_prefix(&a, &b, (int)prefix));
}

/* tcp_flags(n): "SYN,ACK"; "" for none (RFC 9293 3.1; AE: draft-ietf-tcpm-accurate-ecn, bit 8). */
static void fn_tcp_flags(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"};
	int64_t flags = sqlite3_value_int64(argv[0]);
	char text[64] = "";
	size_t n = 0;

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & (INT64_C(1) << i))
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s%s", n ? "," : "", names[i]);
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* Six octets as colon hex, lower or upper case. */
static bool functions_parse_mac(sqlite3_value *value, uint8_t mac[6])
{
	const char *text = (const char *)sqlite3_value_text(value);

	if (!text || strlen(text) != 17)
		return false;
	for (int i = 0; i < 6; i++) {
		const char *p = text + 3 * i;
		unsigned octet;

		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
			(i < 5 && p[2] != ':'))
			return false;
		(void)sscanf(p, "%2x", &octet);
		mac[i] = (uint8_t)octet;
	}
	return true;
}

/* mac_local(mac): 1 where the address is locally administered (IEEE 802 8.2); NULL for what is no
 * MAC. */
static void fn_mac_local(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	uint8_t mac[6];

	(void)argc;
	if (functions_parse_mac(argv[0], mac))
		sqlite3_result_int(ctx, (mac[0] & 2) != 0);
}

/* mac_virtual(mac): 1 where a MAC belongs to a protocol that shares addresses between machines. */
static void fn_mac_virtual(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	static const struct {
		uint64_t prefix;
		int bits;
	} shared[] = {
		{0x00005e0001, 40}, /* VRRP for IPv4 (RFC 9568 7.3), CARP */
		{0x00005e0002, 40}, /* VRRP for IPv6 */
		{0x00000c07ac, 40}, /* HSRP version 1 */
		{0x00000c9ff, 36},  /* HSRP version 2 */
		{0x000573a00, 36},  /* HSRP for IPv6 */
		{0x0007b400, 32},   /* GLBP */
		{0x02bf, 16},	    /* network load balancing, unicast */
		{0x03bf, 16},	    /* and multicast */
		{0x01005e7f, 32},   /* and IGMP */
	};
	uint8_t mac[6];
	uint64_t v = 0;
	int found = 0;

	(void)argc;
	if (!functions_parse_mac(argv[0], mac))
		return;
	for (int i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		found |= v >> (48 - shared[i].bits) == shared[i].prefix;
	sqlite3_result_int(ctx, found);
}

/* A release that comes before the bare number: 1.0rc1, 1.0~beta. */
static bool functions_is_early(const char *suffix)
{
	static const char *const names[] = {"~", "rc", "alpha", "beta", "pre"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(suffix, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The next number of a version; false where its numbers end. Separators are . - _ + and :. */
static bool functions_next_number(const char **p, uint64_t *ret)
{
	const char *at = *p + (**p && strchr(".-_+:", **p) ? 1 : 0);
	uint64_t v = 0;

	if (!isdigit((unsigned char)*at))
		return false;
	for (; isdigit((unsigned char)*at); at++)
		v = v > UINT64_MAX / 16 ? v : v * 10 + (uint64_t)(*at - '0');
	*p = at;
	*ret = v;
	return true;
}

/*
 * Numbers are compared one by one, a missing one is 0. Behind them 1.0rc1 is older than 1.0; any
 * other suffix changes nothing: 2.14.2-k is 2.14.2 as far as "older than 2.14.2" goes.
 */
static int functions_compare_versions(const char *a, const char *b)
{
	bool more_a = true, more_b = true;

	while (more_a || more_b) {
		uint64_t na = 0, nb = 0;

		more_a = more_a && functions_next_number(&a, &na);
		more_b = more_b && functions_next_number(&b, &nb);
		if (na != nb)
			return na < nb ? -1 : 1;
	}
	a += *a && strchr(".-_+", *a) ? 1 : 0;
	b += *b && strchr(".-_+", *b) ? 1 : 0;
	return (int)functions_is_early(b) - (int)functions_is_early(a);
}

/* version_cmp(a, b): -1, 0 or 1; NULL where one of them holds no number. A leading word ("v") is
 * skipped. */
static void fn_version_cmp(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *a = (const char *)sqlite3_value_text(argv[0]);
	const char *b = (const char *)sqlite3_value_text(argv[1]);

	(void)argc;
	if (!a || !b)
		return;
	a += strcspn(a, "0123456789");
	b += strcspn(b, "0123456789");
	if (*a && *b)
		sqlite3_result_int(ctx, functions_compare_versions(a, b));
}

static void functions_free_regex(void *regex)
{
	regfree(regex);
	sqlite3_free(regex);
}

/* \d stands for [0-9], which POSIX lacks. The caller frees with sqlite3_free; NULL: no memory. */
static char *functions_posix_pattern(const char *pattern)
{
	char *text = sqlite3_malloc64(strlen(pattern) * 5 + 1), *out = text;

	if (!text)
		return NULL;
	while (*pattern) {
		if (pattern[0] == '\\' && pattern[1] == 'd') {
			memcpy(out, "[0-9]", 5);
			out += 5;
			pattern += 2;
		} else {
			if (pattern[0] == '\\' && pattern[1])
				*out++ = *pattern++;
			*out++ = *pattern++;
		}
	}
	*out = 0;
	return text;
}

/* Compiles and hands the pattern to SQLite, which keeps it for the next rows. */
static regex_t *functions_compile_regex(sqlite3_context *ctx, const char *pattern)
{
	regex_t *regex = sqlite3_malloc(sizeof(*regex));
	char *posix = functions_posix_pattern(pattern), reason[128], message[256];
	int r;

	if (!regex || !posix) {
		sqlite3_free(regex);
		sqlite3_free(posix);
		sqlite3_result_error_nomem(ctx);
		return NULL;
	}
	r = regcomp(regex, posix, REG_EXTENDED | REG_NOSUB);
	sqlite3_free(posix);
	if (r) {
		(void)regerror(r, regex, reason, sizeof(reason));
		(void)snprintf(message, sizeof(message), "regexp: '%.60s': %s", pattern, reason);
		sqlite3_result_error(ctx, message, -1);
		sqlite3_free(regex);
		return NULL;
	}
	sqlite3_set_auxdata(ctx, 0, regex, functions_free_regex);
	return sqlite3_get_auxdata(ctx, 0);
}

/* regexp(pattern, text), so text REGEXP pattern: POSIX extended, anywhere in the text, case
 * matters. */
static void fn_regexp(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *pattern = (const char *)sqlite3_value_text(argv[0]);
	const char *text = (const char *)sqlite3_value_text(argv[1]);
	regex_t *regex;

	(void)argc;
	if (!pattern || !text)
		return;
	regex = sqlite3_get_auxdata(ctx, 0);
	if (!regex)
		regex = functions_compile_regex(ctx, pattern);
	if (regex)
		sqlite3_result_int(ctx, regexec(regex, text, 0, NULL, 0) == 0);
}

/* The clock model of a connection, read anew when anything was written since. */
struct clocks_read {
	struct ref_ns_model clocks;
	int64_t changes;
	bool done;
};

static void functions_clocks_read_free(void *user)
{
	struct clocks_read *c = user;

	ref_ns_release(&c->clocks);
	free(c);
}

static int functions_clocks_refresh(sqlite3 *handle, struct clocks_read *c)
{
	int64_t changes = sqlite3_total_changes64(handle);
	int r;

	if (c->done && c->changes == changes)
		return SQLITE_OK;
	ref_ns_release(&c->clocks);
	r = ref_ns_read(handle, &c->clocks);
	c->done = r == SQLITE_OK;
	c->changes = changes;
	return r;
}

/* ref_ns(vantage_id, t): a time of its clock on the reference clock; NULL for NULL, t unchanged
 * where vantage_id is NULL or nothing is known of its clock. */
static void fn_ref_ns(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct clocks_read *c = sqlite3_user_data(ctx);

	(void)argc;
	if (sqlite3_value_type(argv[1]) == SQLITE_NULL)
		return;
	if (functions_clocks_refresh(sqlite3_context_db_handle(ctx), c) != SQLITE_OK)
		sqlite3_result_error(ctx, sqlite3_errmsg(sqlite3_context_db_handle(ctx)), -1);
	else
		sqlite3_result_int64(ctx, ref_ns(&c->clocks, sqlite3_value_int64(argv[0]),
						  sqlite3_value_int64(argv[1])));
}

/* ln of n over k. */
static double functions_ln_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/*
 * Fisher's exact test, one-sided: ln of the probability that of a + b that died at least a have a
 * trait that a + c of all a + b + c + d have, if they died by chance.
 */
static double functions_fisher(double a, double b, double c, double d)
{
	double n = a + b + c + d, with = a + c, died = a + b, first, sum = 1, term = 1;

	if (a * n <= with * died)
		return 0;
	first = functions_ln_choose(with, a) + functions_ln_choose(n - with, b) -
		functions_ln_choose(n, died);
	for (double k = a; k < with && k < died && term > sum * 1e-17; k++) {
		term *= (with - k) * (died - k) / ((k + 1) * (n - with - died + k + 1));
		sum += term;
	}
	first += log(sum);
	return first < 0 ? first : 0;
}

/* fisher(a, b, c, d): died with and without the trait, lived with and without it. */
static void fn_fisher(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	double v[4];

	(void)argc;
	for (int i = 0; i < 4; i++) {
		v[i] = sqlite3_value_double(argv[i]);
		if (!(v[i] >= 0) || v[i] > 1e15)
			return;
	}
	sqlite3_result_double(ctx, functions_fisher(v[0], v[1], v[2], v[3]));
}

static const struct {
	const char *name;
	int argc;
	void (*run)(sqlite3_context *, int, sqlite3_value **);
} functions[] = {
	{"community_id", 5, community_id_sql},
	{"iso", 1, fn_iso},
	{"span", 1, fn_span},
	{"endpoint", 2, fn_endpoint},
	{"fisher", 4, fn_fisher},
	{"ip_in", 2, fn_ip_in},
	{"ip_same_subnet", 3, fn_ip_same_subnet},
	{"mac_local", 1, fn_mac_local},
	{"mac_virtual", 1, fn_mac_virtual},
	{"percent", 1, fn_percent},
	{"regexp", 2, fn_regexp},
	{"tcp_flags", 1, fn_tcp_flags},
	{"version_cmp", 2, fn_version_cmp},
	{"wilson_low", 2, fn_wilson_low},
	{"wilson_high", 2, fn_wilson_high},
};

int functions_register(sqlite3 *handle)
{
	for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		int r = sqlite3_create_function_v2(handle, functions[i].name, functions[i].argc,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
			functions[i].run, NULL, NULL, NULL);

		if (r != SQLITE_OK)
			return r;
	}
	/* Deterministic as SQLite means it: within a statement. */
	return sqlite3_create_function_v2(handle, "ref_ns", 2,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
		mem_zalloc(sizeof(struct clocks_read)), fn_ref_ns, NULL, NULL,
		functions_clocks_read_free);
}
