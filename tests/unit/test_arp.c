/* ARP and neighbour discovery, from whole frames: the operation, and who claims what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "decode/arp.h"
#include "read/capfile.h"

#include "guard.h"
#include "hex.h"

#define LINK_ETHERNET 1
#define FRAME_MAX 256

#define MAC_70 "0000 01fc b370"
#define MAC_48 "0000 01fc b348"
#define BROADCAST "ffff ffff ffff"
#define NO_MAC "0000 0000 0000"
#define IP_90 "0a00 015a"
#define IP_20 "0a00 0114"
#define ARP_TO(dst) dst MAC_70 "0806 0001 0800 06 04 "
#define ND_FROM(src, dst, len, hops)                                                               \
	"3333 ff00 0020" MAC_70 "86dd 6000 0000 " len " 3a " hops src dst
#define FE80_1 "fe80 0000 0000 0000 0000 0000 0000 0001 "
#define DB8_20 "2001 0db8 0000 0000 0000 0000 0000 0020 "
#define ALL_NODES "ff02 0000 0000 0000 0000 0000 0000 0001 "
#define SOLICITED "ff02 0000 0000 0000 0000 0001 ff00 0020 "
#define UNSPECIFIED "0000 0000 0000 0000 0000 0000 0000 0000 "

/* An expected text of NULL: not a message. */
static const struct neighbor_case {
	const char *name;
	const char *bytes;
	const char *text;
} cases[] = {
	/* ARP, Request who-has 10.0.1.20 tell 10.0.1.90, length 28 */
	{"request", ARP_TO(BROADCAST) "0001" MAC_70 IP_90 NO_MAC IP_20,
		"request 00:00:01:fc:b3:70 10.0.1.90 - 10.0.1.20 override"},
	/* ARP, Request who-has 10.0.1.20 (00:00:01:fc:b3:48) tell 10.0.1.90: a unicast probe */
	{"request with the target's MAC", ARP_TO(MAC_48) "0001" MAC_70 IP_90 MAC_48 IP_20,
		"request 00:00:01:fc:b3:70 10.0.1.90 00:00:01:fc:b3:48 10.0.1.20 override"},
	/* ARP, Reply 10.0.1.90 is-at 00:00:01:fc:b3:70, length 46: padded */
	{"reply, padded",
		ARP_TO(MAC_48) "0002" MAC_70 IP_90 MAC_48 IP_20
			       "000000000000000000000000000000000000",
		"reply 00:00:01:fc:b3:70 10.0.1.90 00:00:01:fc:b3:48 10.0.1.20 override"},
	/* ARP, Probe 10.0.1.90, length 28 */
	{"probe", ARP_TO(BROADCAST) "0001" MAC_70 "0000 0000" NO_MAC IP_90,
		"probe 00:00:01:fc:b3:70 - - 10.0.1.90 override"},
	/* ARP, Announcement 10.0.1.90, length 28 */
	{"announcement", ARP_TO(BROADCAST) "0001" MAC_70 IP_90 NO_MAC IP_90,
		"announcement 00:00:01:fc:b3:70 10.0.1.90 - 10.0.1.90 override"},
	/* ARP, Reply 10.0.1.90 is-at 00:00:01:fc:b3:70, to everyone */
	{"gratuitous reply", ARP_TO(BROADCAST) "0002" MAC_70 IP_90 BROADCAST IP_90,
		"announcement 00:00:01:fc:b3:70 10.0.1.90 ff:ff:ff:ff:ff:ff 10.0.1.90 override"},
	/* a request from and about 0.0.0.0 announces nothing */
	{"probe for nothing", ARP_TO(BROADCAST) "0001" MAC_70 "0000 0000" NO_MAC "0000 0000",
		"probe 00:00:01:fc:b3:70 - - - override"},
	{"RARP operation 3", ARP_TO(BROADCAST) "0003" MAC_70 IP_90 NO_MAC IP_20, NULL},
	{"hardware type of IEEE 802",
		BROADCAST MAC_70 "0806 0006 0800 0604 0001" MAC_70 IP_90 NO_MAC IP_20,
		"request 00:00:01:fc:b3:70 10.0.1.90 - 10.0.1.20 override"},
	{"other hardware", BROADCAST MAC_70 "0806 0018 0800 0604 0001" MAC_70 IP_90 NO_MAC IP_20,
		NULL},
	{"other protocol", BROADCAST MAC_70 "0806 0001 86dd 0604 0001" MAC_70 IP_90 NO_MAC IP_20,
		NULL},
	{"longer hardware address",
		BROADCAST MAC_70 "0806 0001 0800 0804 0001 0000" MAC_70 IP_90 "0000" NO_MAC IP_20,
		NULL},

	/* fe80::1 > ff02::1:ff00:20: ICMP6, neighbor solicitation, who has 2001:db8::20,
	 * source link-address option (1), length 8 (1): 00:00:01:fc:b3:70 */
	{"solicitation",
		ND_FROM(FE80_1, SOLICITED, "0020", "ff") "8700 0000 00000000" DB8_20 "0101" MAC_70,
		"request 00:00:01:fc:b3:70 fe80::1 - 2001:db8::20"},
	{"solicitation without the option",
		ND_FROM(FE80_1, DB8_20, "0018", "ff") "8700 0000 00000000" DB8_20,
		"request - fe80::1 - 2001:db8::20"},
	/* :: > ff02::1:ff00:20: ICMP6, neighbor solicitation, who has 2001:db8::20, nonce option */
	{"duplicate address detection",
		ND_FROM(UNSPECIFIED, SOLICITED, "0020", "ff") "8700 0000 00000000" DB8_20
							      "0e01 0102 0304 0506",
		"probe - - - 2001:db8::20"},
	/* 2001:db8::20 > fe80::1: ICMP6, neighbor advertisement, tgt is 2001:db8::20,
	 * Flags [solicited, override], destination link-address option (2): 00:00:01:fc:b3:70 */
	{"solicited advertisement",
		ND_FROM(DB8_20, FE80_1, "0020", "ff") "8800 0000 60000000" DB8_20 "0201" MAC_70,
		"reply 00:00:01:fc:b3:70 2001:db8::20 - fe80::1 override"},
	/* Flags [router] */
	{"unsolicited advertisement of a router",
		ND_FROM(FE80_1, ALL_NODES, "0020", "ff") "8800 0000 80000000" DB8_20 "0201" MAC_70,
		"announcement 00:00:01:fc:b3:70 2001:db8::20 - 2001:db8::20 router"},
	{"option behind another one",
		ND_FROM(DB8_20, FE80_1, "0030",
			"ff") "8800 0000 40000000" DB8_20
			      "0502 00000000 0000000000000000 0000 0201" MAC_70,
		"reply 00:00:01:fc:b3:70 2001:db8::20 - fe80::1"},
	{"the source option is none of an advertisement",
		ND_FROM(DB8_20, FE80_1, "0020", "ff") "8800 0000 40000000" DB8_20 "0101" MAC_70,
		"reply - 2001:db8::20 - fe80::1"},
	{"option of length 0",
		ND_FROM(DB8_20, FE80_1, "0020", "ff") "8800 0000 40000000" DB8_20 "0200" MAC_70,
		NULL},
	{"through a router",
		ND_FROM(DB8_20, FE80_1, "0020", "fe") "8800 0000 40000000" DB8_20 "0201" MAC_70,
		NULL},
	{"code 1", ND_FROM(DB8_20, FE80_1, "0020", "ff") "8801 0000 40000000" DB8_20 "0201" MAC_70,
		NULL},
	{"router solicitation",
		ND_FROM(FE80_1, ALL_NODES, "0010", "ff") "8500 0000 00000000 0101" MAC_70, NULL},
	{"shorter than a solicitation",
		ND_FROM(FE80_1, SOLICITED, "0010", "ff") "8700 0000 00000000 2001 0db8 0000 0000",
		NULL},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct guard guard;

static void text_mac(char *ret, size_t room, bool has, const uint8_t m[6])
{
	if (has)
		snprintf(ret, room, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
			m[5]);
	else
		snprintf(ret, room, "-");
}

static void text_ip(char *ret, size_t room, const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, none[16];

	if (memcmp(a, none, 16) == 0)
		snprintf(ret, room, "-");
	else if (memcmp(a, mapped, 12) == 0)
		inet_ntop(AF_INET, a + 12, ret, (socklen_t)room);
	else
		inet_ntop(AF_INET6, a, ret, (socklen_t)room);
}

static void message_text(char *ret, size_t room, const struct neighbor_message *m)
{
	char sender_mac[18], target_mac[18], sender_ip[INET6_ADDRSTRLEN],
		target_ip[INET6_ADDRSTRLEN];

	text_mac(sender_mac, sizeof(sender_mac), m->has_sender_mac, m->sender_mac);
	text_mac(target_mac, sizeof(target_mac), m->has_target_mac, m->target_mac);
	text_ip(sender_ip, sizeof(sender_ip), m->sender_ip);
	text_ip(target_ip, sizeof(target_ip), m->target_ip);
	snprintf(ret, room, "%s %s %s %s %s%s%s", neighbor_operation_name(m->operation), sender_mac,
		sender_ip, target_mac, target_ip, m->router ? " router" : "",
		m->override ? " override" : "");
}

/* "" when it is no message. The structs are full of other bytes before. */
static void decode(
	const uint8_t *bytes, size_t size, uint32_t wire_len, char *ret_text, size_t room)
{
	struct frame f = {.data = guard_put(&guard, bytes, size),
		.cap_len = (uint32_t)size,
		.wire_len = wire_len};
	struct packet p;
	struct neighbor_message m;

	memset(&p, 1, sizeof(p));
	memset(&m, 1, sizeof(m));
	ret_text[0] = '\0';
	(void)packet_decode(&f, LINK_ETHERNET, &p);
	if (neighbor_decode(&p, &m))
		message_text(ret_text, room, &m);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(cases[i].bytes, bytes, sizeof(bytes));
		char text[256];

		decode(bytes, size, (uint32_t)size, text, sizeof(text));
		if (strcmp(text, cases[i].text ? cases[i].text : "") != 0)
			fail_msg("%s: got '%s', expected '%s'", cases[i].name, text,
				cases[i].text ? cases[i].text : "");
	}
}

/*
 * A cut message is no message, or the same one without the MAC of an option that was cut: never
 * another claim.
 */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct neighbor_case *c = &cases[i];
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(c->bytes, bytes, sizeof(bytes));

		for (size_t n = 0; n < size; n++) {
			char text[256], *mac;

			decode(bytes, n, (uint32_t)n, text, sizeof(text));
			decode(bytes, n, (uint32_t)size, text, sizeof(text));
			if (text[0] == '\0' || !c->text || strcmp(text, c->text) == 0)
				continue;
			mac = strchr(text, ' ') + 1;
			if (*mac != '-' || strncmp(text, c->text, (size_t)(mac - text)) != 0)
				fail_msg("%s, %zu bytes: '%s'", c->name, n, text);
		}
	}
}

static void test_not_ours(void **state)
{
	struct packet p;
	struct neighbor_message m;

	(void)state;
	memset(&p, 0, sizeof(p));
	for (int d = 0; d < PACKET_DISPOSITIONS; d++) {
		p.disposition = (enum packet_disposition)d;
		p.body.at = NULL;
		p.body.cap = 0;
		assert_false(neighbor_decode(&p, &m));
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
