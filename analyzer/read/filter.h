/*
 * filter: a pcap-filter(7) expression, compiled by libpcap for each link type that it meets.
 *
 * Host and port names in an expression are looked up by libpcap, which may ask the network; numbers
 * are not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "read/capfile.h"

struct filter;
struct filter_program;

enum filter_result {
	FILTER_UNFIT = 1, /* filter_for: the expression has no meaning for this link type */
};

/*
 * 0, or negative with err set to what libpcap says when the expression fits no link type at all
 * (a mistake in it). The filter may be used by several threads.
 */
int filter_new(struct filter **ret_filter, const char *expression, struct error *err);
struct filter *filter_free(struct filter *fi); /* NULL is fine; returns NULL */

/*
 * The program for one link type (a LINKTYPE_ value), compiled once and owned by the filter. 0; or
 * FILTER_UNFIT with err->text saying why ("ether host" on raw IP): then it is for the caller to
 * count such frames under that name.
 */
int filter_for(struct filter *fi, uint32_t link_type, const struct filter_program **ret_program,
	struct error *err);

/*
 * Whether a frame passes. What lies beyond the captured bytes fails to match, as in tcpdump. For
 * NFLOG, which libpcap cannot filter, the expression is applied to the IP packet within.
 */
bool filter_matches(const struct filter_program *program, const struct frame *f);
