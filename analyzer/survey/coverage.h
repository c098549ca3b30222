/*
 * coverage: what a vantage point's capture could have recorded: when it ran, in which directions,
 * and as what it stands on its link. Learned also from what it never shows. After the owners are
 * known; direction is as the recording host sees it.
 */
#pragma once

#include "flow/dataset.h"

enum coverage_direction {
	COVERAGE_ANY, /* nothing tells directions apart */
	COVERAGE_IN,
	COVERAGE_OUT
};

enum coverage_role {
	ROLE_UNKNOWN,
	ROLE_HOST,   /* most unicast frames are its own */
	ROLE_ROUTER, /* the same, and it hands on what others sent */
	ROLE_MIRROR, /* most are not: a mirror port, a tap, a session of a traffic mirror */
	ROLE_HOOK    /* netfilter, inside of the host */
};

enum coverage_shown {
	SHOWN_YES,
	SHOWN_NOTHING, /* none; nothing says that there were any */
	SHOWN_NEVER /* none, though what it shows of the other direction proves them: out of scope
		     */
};

struct coverage {
	enum coverage_direction direction;
	uint64_t frames; /* of all kinds, ARP too */
	enum coverage_shown shown;
};

enum coverage_role coverage_role(const struct vantage *v);
const char *coverage_role_name(enum coverage_role r);

/* One row (COVERAGE_ANY), or two; returns how many. */
int coverage_of(const struct vantage *v, struct coverage ret[2]);
const char *coverage_direction_name(enum coverage_direction d);
const char *coverage_shown_name(enum coverage_shown s);

/* When it ran, its own clock; *ret_recorded: the capture says so itself, else these are its frames
 * alone, and it may have run longer. False: there is no frame. */
bool coverage_span(
	const struct vantage *v, int64_t *ret_from_ns, int64_t *ret_to_ns, bool *ret_recorded);
