/* Options of a TCP header: each kind, the usual layouts, and each way to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "decode/tcpopt.h"

#include "guard.h"
#include "hex.h"

#define OPTIONS_MAX 40

#define MSS TCPOPT_HAS_MSS
#define WSCALE TCPOPT_HAS_WSCALE
#define SACKOK TCPOPT_HAS_SACK_PERMITTED
#define TIMESTAMP TCPOPT_HAS_TIMESTAMP
#define SACK TCPOPT_HAS_SACK
#define TFO TCPOPT_HAS_FAST_OPEN
#define MPTCP TCPOPT_HAS_MPTCP

static const struct option_case {
	const char *name;
	const char *bytes;
	uint8_t options; /* bits */
	bool bad;
	/* Where the bit is set. */
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval, tsecr;
	uint8_t sack_count;
	uint32_t sack[PACKET_SACK_MAX][2];
} cases[] = {
	{"none", "", 0, .bad = false},
	/* [nop,nop,TS val 1000 ecr 2000] */
	{"usual", "0101 080a 000003e8 000007d0", TIMESTAMP, .tsval = 1000, .tsecr = 2000},
	/* [mss 1460,sackOK,TS val 4294967295 ecr 0,nop,wscale 7] */
	{"SYN of Linux", "0204 05b4 0402 080a ffffffff 00000000 01 0303 07",
		MSS | SACKOK | TIMESTAMP | WSCALE, .mss = 1460, .wscale = 7, .tsval = UINT32_MAX},
	/* [mss 1460,nop,wscale 8,nop,nop,sackOK] */
	{"SYN of Windows", "0204 05b4 01 0303 08 01 01 0402", MSS | WSCALE | SACKOK, .mss = 1460,
		.wscale = 8},
	/* [mss 1460,nop,wscale 6,nop,nop,TS val 1 ecr 0,sackOK,eol] */
	{"SYN of macOS", "0204 05b4 01 0303 06 0101 080a 00000001 00000000 0402 0000",
		MSS | WSCALE | TIMESTAMP | SACKOK, .mss = 1460, .wscale = 6, .tsval = 1},
	/* [TS val 1 ecr 2,nop,nop]: not the usual order */
	{"time stamp first", "080a 00000001 00000002 0101", TIMESTAMP, .tsval = 1, .tsecr = 2},
	/* [nop,nop,TS val 1 ecr 2,nop,nop,sack 3 {3000:4000}{5000:6000}{7000:8000}] */
	{"three SACK blocks",
		"0101 080a 00000001 00000002 0101 051a 00000bb8 00000fa0 00001388 00001770"
		"00001b58 00001f40",
		TIMESTAMP | SACK, .tsval = 1, .tsecr = 2, .sack_count = 3,
		.sack = {{3000, 4000}, {5000, 6000}, {7000, 8000}}},
	/* [nop,nop,sack 4 {1:2}{3:4}{5:6}{4294967295:1}] */
	{"four SACK blocks",
		"0101 0522 00000001 00000002 00000003 00000004 00000005 00000006 ffffffff"
		"00000001",
		SACK, .sack_count = 4, .sack = {{1, 2}, {3, 4}, {5, 6}, {UINT32_MAX, 1}}},
	{"wscale above 14 as sent", "0303 ff 01", WSCALE, .wscale = 255},
	{"fast open request", "2202 0101", TFO, .bad = false},
	{"fast open cookie", "220a 0102030405060708 0101", TFO, .bad = false},
	{"MPTCP capable", "1e0c 0081 0102030405060708", MPTCP, .bad = false},
	{"unknown kinds pass", "fd04 abcd 1312 00000000000000000000000000000000 0204 0218 0101",
		MSS, .mss = 536},
	{"what follows the end does not count", "0204 05b4 00 0303 07", MSS, .mss = 1460},
	{"of two the last counts", "0204 05b4 0204 0218", MSS, .mss = 536},
	{"length 0", "0200 05b4 0101 0101", 0, .bad = true},
	{"length 1", "0303 07 0201 0101 01", WSCALE, .bad = true, .wscale = 7},
	{"length beyond the header", "0303 07 0205 05b4", WSCALE, .bad = true, .wscale = 7},
	{"kind without length", "0101 01 02", 0, .bad = true},
	{"MSS of a wrong length is passed over", "0206 05b4 0000 0303 07 01", WSCALE, .bad = true,
		.wscale = 7},
	{"wscale of a wrong length", "0304 0701 0101 0101", 0, .bad = true},
	{"sackOK of a wrong length", "0404 0000", 0, .bad = true},
	{"time stamp of a wrong length", "080c 00000001 00000002 0000", 0, .bad = true},
	{"SACK without a block", "0502 0101", 0, .bad = true},
	{"SACK of half a block", "0506 00000001 0101", 0, .bad = true},
	{"SACK of five blocks would not fit a header", "052a 0101", 0, .bad = true},
	{"fast open cookie of 3 bytes", "2205 010203 010101", TFO, .bad = true},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct guard guard;

static void decode(const uint8_t *bytes, uint32_t captured, uint32_t length, struct packet *p)
{
	memset(p, 1, sizeof(*p));
	tcpopt_decode(guard_put(&guard, bytes, captured), captured, length, p);
}

/* A field counts only where its bit is set, so that a cut header is compared in what it has. */
static bool values_agree(const struct packet *p, const struct option_case *c)
{
	if ((p->tcp.options & MSS) && p->tcp.mss != c->mss)
		return false;
	if ((p->tcp.options & WSCALE) && p->tcp.wscale != c->wscale)
		return false;
	if ((p->tcp.options & TIMESTAMP) && (p->tcp.tsval != c->tsval || p->tcp.tsecr != c->tsecr))
		return false;
	if (!!(p->tcp.options & SACK) != (p->tcp.sack_count > 0))
		return false;
	return p->tcp.sack_count <= c->sack_count &&
	       memcmp(p->tcp.sack, c->sack, p->tcp.sack_count * sizeof(p->tcp.sack[0])) == 0;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct option_case *c = &cases[i];
		uint8_t bytes[OPTIONS_MAX];
		uint32_t n = (uint32_t)hex_bytes(c->bytes, bytes, sizeof(bytes));
		struct packet p;

		decode(bytes, n, n, &p);
		if (p.tcp.options != c->options || p.tcp.options_bad != c->bad)
			fail_msg("%s: options %02x, bad %d", c->name, p.tcp.options,
				p.tcp.options_bad);
		if (!values_agree(&p, c) || p.tcp.sack_count != c->sack_count)
			fail_msg("%s: values differ", c->name);
		if (p.tcp.option_hash == 0)
			fail_msg("%s: hash is 0, which means truncated", c->name);
	}
}

/*
 * Cut by the snap length: what is kept is what the whole header says, the cut is flagged, and
 * nothing is called broken that was only not captured. The one exception to "what the whole header
 * says" is a repeated option whose last copy was cut away.
 */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct option_case *c = &cases[i];
		uint8_t bytes[OPTIONS_MAX];
		uint32_t n = (uint32_t)hex_bytes(c->bytes, bytes, sizeof(bytes));
		bool repeated = strcmp(c->name, "of two the last counts") == 0;

		for (uint32_t k = 0; k < n; k++) {
			struct packet p;

			decode(bytes, k, n, &p);
			if (!(p.tcp.options & TCPOPT_TRUNCATED) || p.tcp.option_hash != 0)
				fail_msg("%s, %u bytes: not flagged as cut", c->name, k);
			if (p.tcp.options & ~(c->options | TCPOPT_TRUNCATED))
				fail_msg("%s, %u bytes: options %02x", c->name, k, p.tcp.options);
			if (p.tcp.options_bad && !c->bad)
				fail_msg("%s, %u bytes: called broken", c->name, k);
			if (!repeated && !values_agree(&p, c))
				fail_msg("%s, %u bytes: values differ", c->name, k);
		}
	}
}

/* A time stamp in the captured part survives a cut behind it, and so does a whole SACK block. */
static void test_cut_sack(void **state)
{
	uint8_t bytes[OPTIONS_MAX];
	uint32_t n = (uint32_t)hex_bytes("0101 080a 00000001 00000002 0101 0512"
					 "00000bb8 00000fa0 00001388 00001770",
		bytes, sizeof(bytes));
	struct packet p;

	(void)state;
	decode(bytes, n - 1, n, &p);
	assert_int_equal(p.tcp.options, TIMESTAMP | SACK | TCPOPT_TRUNCATED);
	assert_int_equal(p.tcp.sack_count, 1);
	assert_int_equal(p.tcp.sack[0][0], 3000);
	assert_int_equal(p.tcp.sack[0][1], 4000);
	assert_int_equal(p.tcp.tsval, 1);
	assert_false(p.tcp.options_bad);
}

static uint32_t hash_of(const char *text)
{
	uint8_t bytes[OPTIONS_MAX];
	uint32_t n = (uint32_t)hex_bytes(text, bytes, sizeof(bytes));
	struct packet p;

	decode(bytes, n, n, &p);
	return p.tcp.option_hash;
}

/* The fingerprint is of the list and its order, not of the values. */
static void test_hash(void **state)
{
	(void)state;
	assert_int_equal(
		hash_of("0101 080a 00000001 00000002"), hash_of("0101 080a 00000003 00000004"));
	assert_int_equal(hash_of("0204 05b4 0402 0101"), hash_of("0204 0218 0402 0101"));
	assert_int_not_equal(hash_of("0204 05b4 0402 0101"), hash_of("0402 0204 05b4 0101"));
	assert_int_not_equal(hash_of("0204 05b4"), hash_of("0204 05b4 01010101"));
	assert_int_not_equal(
		hash_of("0101 080a 00000001 00000002"), hash_of("080a 00000001 00000002 0101"));
	assert_int_not_equal(hash_of("0101 080a 00000001 00000002 01010101"),
		hash_of("0101 080a 00000001 00000002"));
}

/* FNV-1a over kinds and lengths, as tcpopt.c says; n pairs. */
static uint32_t fingerprint(const uint8_t (*options)[2], size_t n)
{
	uint32_t hash = 0x811c9dc5u;

	for (size_t i = 0; i < 2 * n; i++)
		hash = (hash ^ options[i / 2][i % 2]) * 0x01000193u;
	return hash;
}

/* Layouts that are known at a glance have the same fingerprint as those that are walked through. */
static void test_usual_hash(void **state)
{
	static const uint8_t segment[][2] = {{1, 1}, {1, 1}, {8, 10}};
	static const uint8_t syn[][2] = {{2, 4}, {4, 2}, {8, 10}, {1, 1}, {3, 3}};
	static const uint8_t walked[][2] = {{2, 4}, {4, 2}, {8, 10}, {3, 3}, {1, 1}};

	(void)state;
	assert_int_equal(hash_of("0101 080a 00000001 00000002"), fingerprint(segment, 3));
	assert_int_equal(
		hash_of("0204 05b4 0402 080a 00000001 00000000 01 0303 07"), fingerprint(syn, 5));
	assert_int_equal(hash_of("0204 05b4 0402 080a 00000001 00000000 0303 07 01"),
		fingerprint(walked, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_cut_sack),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_usual_hash),
	};
	int failed;

	guard = guard_new(OPTIONS_MAX);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	guard_free(&guard);
	return failed;
}
