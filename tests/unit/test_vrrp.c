/* VRRP advertisements of both versions and the checksum conventions that are in the field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/nsec.h"
#include "decode/vrrp.h"
#include "read/capfile.h"

#include "guard.h"
#include "hex.h"

#define LINK_RAW 101
#define FRAME_MAX 512

/* 192.168.0.2 > 224.0.0.18 and > 192.168.0.3; fe80::2 > ff02::12; the length stands before. */
#define V4(len) "4500 " len " 0001 0000 ff70 0000 c0a8 0002 e000 0012 "
#define V4_UNICAST(len) "4500 " len " 0001 0000 ff70 0000 c0a8 0002 c0a8 0003 "
#define V6(len)                                                                                    \
	"6000 0000 " len " 70ff fe80 0000 0000 0000 0000 0000 0000 0002 "                          \
	"ff02 0000 0000 0000 0000 0000 0000 0012 "

static const struct vrrp_case {
	const char *name;
	const char *bytes;
	uint8_t version, vrid, priority, auth_type;
	int64_t interval_ns;
	enum vrrp_checksum checksum;
	uint8_t address_count, address_kept;
	const char *first, *last; /* addresses */
	const char *auth;	  /* 8 bytes, NULL: none */
} cases[] = {
	/* VRRPv2, Advertisement, vrid 1, prio 100, authtype none, intvl 1s, length 20, addrs:
	   192.168.0.1 */
	{"v2", V4("0028") "2101 6401 0001 ba52 c0a8 0001 0000 0000 0000 0000", 2, 1, 100, 0,
		NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 1, 1, "192.168.0.1", "192.168.0.1",
		"\0\0\0\0\0\0\0\0"},
	/* authtype simple, auth "secret"; the sum covers it */
	{"v2 with a password", V4("0028") "2101 6401 0101 7d06 c0a8 0001 7365 6372 6574 0000", 2, 1,
		100, 1, NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 1, 1, "192.168.0.1", "192.168.0.1",
		"secret\0\0"},
	{"v2 without the authentication data", V4("0020") "2101 6401 0001 ba52 c0a8 0001", 2, 1,
		100, 0, NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 1, 1, "192.168.0.1", "192.168.0.1",
		NULL},
	{"v2, two addresses",
		V4("002c") "2101 0002 0001 5da7 c0a8 0001 c0a8 0002 0000 0000 0000 0000", 2, 1, 0,
		0, NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 2, 2, "192.168.0.1", "192.168.0.2",
		"\0\0\0\0\0\0\0\0"},
	/* the same with one bit of the priority turned */
	{"v2, wrong sum", V4("0028") "2101 6501 0001 ba52 c0a8 0001 0000 0000 0000 0000", 2, 1, 101,
		0, NSEC_PER_SEC, VRRP_CHECKSUM_BAD, 1, 1, "192.168.0.1", "192.168.0.1",
		"\0\0\0\0\0\0\0\0"},
	/* VRRPv3, Advertisement, vrid 1, prio 100, intvl 100cs, length 12, addrs: 192.168.0.1 */
	{"v3, sum of the message", V4("0020") "3101 6401 0064 a9ef c0a8 0001", 3, 1, 100, 0,
		NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 1, 1, "192.168.0.1", "192.168.0.1", NULL},
	{"v3, sum with the pseudo-header", V4("0020") "3101 6401 0064 08b6 c0a8 0001", 3, 1, 100, 0,
		NSEC_PER_SEC, VRRP_CHECKSUM_PSEUDO, 1, 1, "192.168.0.1", "192.168.0.1", NULL},
	/* to one peer, but the group in the pseudo-header: keepalived of old */
	{"v3 to one peer, sum with the group", V4_UNICAST("0020") "3101 6401 0064 08b6 c0a8 0001",
		3, 1, 100, 0, NSEC_PER_SEC, VRRP_CHECKSUM_PSEUDO, 1, 1, "192.168.0.1",
		"192.168.0.1", NULL},
	{"v3 to one peer, sum with the peer", V4_UNICAST("0020") "3101 6401 0064 281d c0a8 0001", 3,
		1, 100, 0, NSEC_PER_SEC, VRRP_CHECKSUM_PSEUDO, 1, 1, "192.168.0.1", "192.168.0.1",
		NULL},
	{"v3, wrong sum", V4("0020") "3101 6401 0064 a9ee c0a8 0001", 3, 1, 100, 0, NSEC_PER_SEC,
		VRRP_CHECKSUM_BAD, 1, 1, "192.168.0.1", "192.168.0.1", NULL},
	/* reserved bits are no part of the interval: 4095 cs */
	{"v3, longest interval", V4("0020") "3101 ff01 ffff 0f53 c0a8 0001", 3, 1, 255, 0,
		40950 * NSEC_PER_MSEC, VRRP_CHECKSUM_MESSAGE, 1, 1, "192.168.0.1", "192.168.0.1",
		NULL},
	/* fe80::2 > ff02::12: VRRPv3, vrid 1, prio 100, intvl 10cs, addrs: fe80::1 */
	{"v3 over IPv6", V6("0018") "3101 6401 000a 6e51 fe80 0000 0000 0000 0000 0000 0000 0001",
		3, 1, 100, 0, 100 * NSEC_PER_MSEC, VRRP_CHECKSUM_PSEUDO, 1, 1, "fe80::1", "fe80::1",
		NULL},
	{"v3 over IPv6 has no other convention",
		V6("0018") "3101 6401 000a 6c71 fe80 0000 0000 0000 0000 0000 0000 0001", 3, 1, 100,
		0, 100 * NSEC_PER_MSEC, VRRP_CHECKSUM_BAD, 1, 1, "fe80::1", "fe80::1", NULL},
	/* 12 more bytes than the fields take; the sum is over the fields */
	{"v3 with a trailer",
		V4("002c") "3101 6401 0064 a9ef c0a8 0001 0102 0304 0506 0708 090a 0b0c", 3, 1, 100,
		0, NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 1, 1, "192.168.0.1", "192.168.0.1", NULL},
	{"count beyond the message", V4("0020") "3101 6409 0064 a9e7 c0a8 0001", 3, 1, 100, 0,
		NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 9, 1, "192.168.0.1", "192.168.0.1", NULL},
	{"no address", V4("001c") "3101 6400 0064 6a9a", 3, 1, 100, 0, NSEC_PER_SEC,
		VRRP_CHECKSUM_MESSAGE, 0, 0, NULL, NULL, NULL},
	/* 21 addresses, 192.168.0.1 to .21; 20 are kept and the authentication data is found behind
	   all */
	{"more addresses than are kept",
		V4("0078") "2101 6415 0001 a724 c0a80001 c0a80002 c0a80003 c0a80004 c0a80005 "
			   "c0a80006 c0a80007"
			   "c0a80008 c0a80009 c0a8000a c0a8000b c0a8000c c0a8000d c0a8000e "
			   "c0a8000f c0a80010"
			   "c0a80011 c0a80012 c0a80013 c0a80014 c0a80015 4141 4141 4141 4141",
		2, 1, 100, 0, NSEC_PER_SEC, VRRP_CHECKSUM_MESSAGE, 21, 20, "192.168.0.1",
		"192.168.0.20", "AAAAAAAA"},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct guard guard;

static bool decode(const uint8_t *bytes, size_t size, uint32_t wire_len, struct vrrp_message *ret)
{
	struct frame f = {.data = guard_put(&guard, bytes, size),
		.cap_len = (uint32_t)size,
		.wire_len = wire_len};
	struct packet p;

	memset(&p, 1, sizeof(p));
	memset(ret, 1, sizeof(*ret));
	(void)packet_decode(&f, LINK_RAW, &p);
	return vrrp_decode(&p, ret);
}

static void check_address(const char *name, const uint8_t got[16], const char *expected)
{
	uint8_t want[16] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET, expected, want + 12) != 1)
		assert_int_equal(inet_pton(AF_INET6, expected, want), 1);
	if (memcmp(got, want, 16) != 0)
		fail_msg("%s: address is not %s", name, expected);
}

static void check_fields(const struct vrrp_case *c, const struct vrrp_message *m)
{
	if (m->version != c->version || m->vrid != c->vrid || m->priority != c->priority ||
		m->auth_type != c->auth_type || m->interval_ns != c->interval_ns ||
		m->address_count != c->address_count)
		fail_msg("%s: version %u vrid %u priority %u auth %u interval %lld count %u",
			c->name, m->version, m->vrid, m->priority, m->auth_type,
			(long long)m->interval_ns, m->address_count);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct vrrp_case *c = &cases[i];
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(c->bytes, bytes, sizeof(bytes));
		struct vrrp_message m;

		if (!decode(bytes, size, (uint32_t)size, &m))
			fail_msg("%s: not decoded", c->name);
		check_fields(c, &m);
		if (m.checksum != c->checksum)
			fail_msg("%s: checksum %d, expected %d", c->name, m.checksum, c->checksum);
		if (m.address_kept != c->address_kept)
			fail_msg("%s: %u addresses kept", c->name, m.address_kept);
		if (c->first)
			check_address(c->name, m.addresses[0], c->first);
		if (c->last)
			check_address(c->name, m.addresses[c->address_kept - 1], c->last);
		if (m.has_auth_data != (c->auth != NULL) ||
			(c->auth && memcmp(m.auth_data, c->auth, 8)))
			fail_msg("%s: authentication data", c->name);
	}
}

/* A cut message has the same fields, fewer addresses, and a checksum that nobody can know. */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct vrrp_case *c = &cases[i];
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(c->bytes, bytes, sizeof(bytes));
		size_t header = (bytes[0] >> 4 == 4 ? 20 : 40) + 8;

		for (size_t n = 0; n < size; n++) {
			struct vrrp_message m;

			assert_false(decode(bytes, n, (uint32_t)n, &m));
			if (decode(bytes, n, (uint32_t)size, &m) != (n >= header))
				fail_msg("%s, %zu bytes: decoded or not", c->name, n);
			if (n < header)
				continue;
			check_fields(c, &m);
			if (m.checksum != VRRP_CHECKSUM_UNKNOWN || m.address_kept > c->address_kept)
				fail_msg("%s, %zu bytes: sum %d", c->name, n, m.checksum);
		}
	}
}

static void test_not_ours(void **state)
{
	static const char *const others[] = {
		/* CARP: 36 bytes, 7 in the place of the count */
		V4("0038") "2101 0007 0001 0000 1111 1111 1111 1111 1111 1111 1111 1111 "
			   "1111 1111 1111 1111"
			   "1111 1111 1111",
		V4("0020") "4101 6401 0064 a9ef c0a8 0001", /* version 4 */
		V4("0020") "3201 6401 0064 a9ef c0a8 0001", /* type 2 */
		"4500 0020 0001 0000 ff32 0000 c0a8 0002 e000 0012 3101 6401 0064 a9ef "
		"c0a8 0001", /* ESP */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(others[i], bytes, sizeof(bytes));
		struct vrrp_message m;

		if (decode(bytes, size, (uint32_t)size, &m))
			fail_msg("number %zu was taken for VRRP", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_not_ours),
	};
	int failed;

	guard = guard_new(FRAME_MAX);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	guard_free(&guard);
	return failed;
}
