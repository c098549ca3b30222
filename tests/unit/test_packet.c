/*
 * Every case, and every prefix of every case, placed against an unreadable page. A prefix is tried
 * as what a snap length leaves of the frame, and as a frame that was so short on the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decode/packet.h"
#include "read/capfile.h"

#include "guard.h"
#include "hex.h"
#include "packet_cases.h"
#include "packet_text.h"

#define FRAME_MAX 1024

static struct guard guard;

/* The short cut for the most common frames says what the steps say, in every field that is valid.
 */
static void in_steps(const struct frame *f, uint32_t link_type, int fill, const struct packet *p,
	const struct strbuf *text)
{
	CLEANUP_STRBUF struct strbuf again = STRBUF_INIT;
	struct packet q;

	memset(&q, fill, sizeof(q));
	(void)packet_decode_in_steps(f, link_type, &q);
	packet_text(&again, &q);
	assert_string_equal(text->text, again.text);
	if (p->disposition != PACKET_TCP)
		return;
	assert_ptr_equal(p->payload, q.payload);
	assert_int_equal(p->payload_cap, q.payload_cap);
	assert_int_equal(p->tcp.option_hash, q.tcp.option_hash);
	assert_int_equal(p->frag.more, q.frag.more);
	assert_int_equal(p->tcp.urgent, q.tcp.urgent);
}

/*
 * Decodes with the struct full of the given byte before: fields that the disposition makes valid
 * must not depend on it. The text is the caller's.
 */
static enum packet_disposition decode(const uint8_t *bytes, size_t size, uint32_t wire_len,
	uint32_t link_type, int fill, struct strbuf *ret_text)
{
	struct frame f = {.data = guard_put(&guard, bytes, size),
		.cap_len = (uint32_t)size,
		.wire_len = wire_len};
	struct packet p;
	enum packet_disposition d;

	memset(&p, fill, sizeof(p));
	d = packet_decode(&f, link_type, &p);
	strbuf_reset(ret_text);
	packet_text(ret_text, &p);
	if (d != p.disposition)
		fail_msg("returned %d, disposition is %d", d, p.disposition);
	in_steps(&f, link_type, fill, &p, ret_text);
	return d;
}

static void test_cases(void **state)
{
	CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < PACKET_CASES; i++) {
		const struct packet_case *c = &packet_cases[i];
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(c->bytes, bytes, sizeof(bytes));
		uint32_t wire_len = c->wire_len ? c->wire_len : (uint32_t)size;

		(void)decode(bytes, size, wire_len, c->link_type, 0, &text);
		if (strcmp(text.text, c->text) == 0)
			continue;
		printf("%s:\n  got      %s\n  expected %s\n", c->name, text.text, c->text);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* The struct is reused from frame to frame: nothing of the last one may show. */
static void check_fill(
	const char *name, const uint8_t *bytes, size_t size, uint32_t wire_len, uint32_t link_type)
{
	CLEANUP_STRBUF struct strbuf zeros = STRBUF_INIT, ones = STRBUF_INIT;

	(void)decode(bytes, size, wire_len, link_type, 0, &zeros);
	(void)decode(bytes, size, wire_len, link_type, 1, &ones);
	if (strcmp(zeros.text, ones.text) != 0)
		fail_msg("%s, first %zu bytes of %u: stale fields:\n  %s\n  %s", name, size,
			wire_len, zeros.text, ones.text);
}

static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PACKET_CASES; i++) {
		const struct packet_case *c = &packet_cases[i];
		uint8_t bytes[FRAME_MAX];
		size_t size = hex_bytes(c->bytes, bytes, sizeof(bytes));
		uint32_t wire_len = c->wire_len ? c->wire_len : (uint32_t)size;

		for (size_t n = 0; n <= size; n++) {
			check_fill(c->name, bytes, n, wire_len, c->link_type);
			check_fill(c->name, bytes, n, (uint32_t)n, c->link_type);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_prefixes)};
	int failed;

	guard = guard_new(FRAME_MAX);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	guard_free(&guard);
	return failed;
}
