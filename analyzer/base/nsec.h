/* nsec: times as integer nanoseconds since the Unix epoch, UTC; and sizes and spans as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_USEC INT64_C(1000)

#define NSEC_TEXT_SIZE 96

int64_t nsec_now(void); /* CLOCK_REALTIME */

/* "2026-09-21T14:13:24.100000001Z"; the fraction has 9 digits. Returns buf. */
const char *nsec_format(int64_t t_ns, char buf[NSEC_TEXT_SIZE]);

/* RFC 3339: date, T or blank, time, optional fraction, Z or +hh:mm. false: not such a time. */
bool nsec_parse(const char *text, int64_t *ret_ns);

/* "1.5 ms", "3.2 s", "2 min 5 s", "4 h", "3 d 7 h": for people, three digits or two units. Returns
 * buf. */
const char *nsec_span(int64_t span_ns, char buf[NSEC_TEXT_SIZE]);

/* "256M", "1.5G", "4096": bytes with a binary suffix K, M, G or T. false: not a size. */
bool size_parse(const char *text, uint64_t *ret_bytes);
