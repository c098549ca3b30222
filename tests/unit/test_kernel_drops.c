/* What the kernel said of a packet: words by name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "flow/notes/kernel_drops.h"
#include "flow/observation.h"

static struct kernel_drop *add(struct kernel_drops *d, const char *said)
{
	static const struct packet arp = {.disposition = PACKET_ARP};
	const struct frame f = {.drop = said, .drop_length = (uint16_t)strlen(said)};
	const struct observation o = {.frame = &f, .packet = &arp};

	kernel_drops_add(d, &o);
	return &d->rows[d->count - 1];
}

static void test_words(void **state)
{
	char value[KERNEL_DROP_SAID], longest[400];
	const struct kernel_drop *row;
	struct kernel_drops d = {0};

	(void)state;
	kernel_drops_init(&d);
	row = add(&d, "reasons=no reason=TCP_CSUM  function= socket=stream");
	assert_true(kernel_drops_word(&d, row, "reason", value));
	assert_string_equal(value, "TCP_CSUM");
	assert_true(kernel_drops_word(&d, row, "socket", value));
	assert_string_equal(value, "stream");
	assert_true(kernel_drops_word(&d, row, "function", value));
	assert_string_equal(value, "");
	assert_false(kernel_drops_word(&d, row, "netns", value));
	assert_false(kernel_drops_word(&d, row, "reason=TCP", value));
	row = add(&d, "");
	assert_false(kernel_drops_word(&d, row, "reason", value));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "reason=", 7);
	longest[sizeof(longest) - 1] = '\0';
	row = add(&d, longest);
	assert_true(kernel_drops_word(&d, row, "reason", value));
	assert_int_equal(strlen(value), KERNEL_DROP_SAID - 1 - 7);
	assert_int_equal(d.said.count, 3);
	(void)add(&d, "");
	assert_int_equal(d.said.count, 3);
	kernel_drops_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
