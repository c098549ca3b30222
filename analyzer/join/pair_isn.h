/*
 * pair_isn: pairs TCP flows by the initial sequence numbers of their SYNs, which translators of
 * addresses leave as they are.
 */
#pragma once

#include "join/pairer.h"

/* Initial sequence numbers of two flows in one direction. */
enum isn_relation { ISN_UNKNOWN, ISN_EQUAL, ISN_DIFFERENT };

enum isn_relation pair_isn_relate(const struct flow_side *a, const struct flow_side *b);

/* Do the initial sequence numbers of two flows let them be one? *ret: what that rests on. */
bool pair_isn_fits(const struct member *m, const struct member *other, enum pairing_evidence *ret);

/* Makes the flows findable by their initial sequence numbers, but for those that have a member of
 * this vantage point (VANTAGE_NONE: all of them). */
void pair_isn_index(struct pairer *p, uint32_t vantage);

/* The member of a flow that has both initial sequence numbers; else its first one. */
struct member *pair_isn_best_member(const struct pairer *p, uint32_t flow);

/* The one flow that a member fits under other addresses, or with one number rewritten; UINT32_MAX:
 * none, or several equally well. */
uint32_t pair_isn_find(
	const struct pairer *p, const struct member *m, enum pairing_evidence *ret_evidence);

/* Joins a member, under other addresses or with one number rewritten, to the one flow that fits. */
bool pair_isn_join(struct pairer *p, uint32_t member);
