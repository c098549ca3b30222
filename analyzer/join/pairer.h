/* pairer: the state of pairing that pair.c and pair_content.c share. */
#pragma once

#include <string.h>

#include "flow/dataset.h"
#include "join/flow.h"
#include "join/keymap.h"

/* Candidates looked at for one flow; a 5-tuple reused more often than this is left to stronger
 * keys. */
#define CANDIDATES_MAX 64

#define VANTAGE_NONE UINT32_MAX

struct pairer {
	struct dataset *data;
	struct flows *all;
	unsigned threads;
	uint32_t *first;	 /* by vantage: its first member; one more, where they end */
	uint32_t *answers_seen;	 /* by vantage: answers without question */
	uint32_t *midflow_seen;	 /* by vantage: short flows without SYN */
	struct keymap isn;	 /* (client isn, server isn) and each alone */
	struct keymap anchors;	 /* content */
	struct hashmap contents; /* of datagrams -> struct content_holder; once contents_found */
	bool contents_found;
	bool translated; /* some flow has members of several 5-tuples */
	struct stray {
		uint32_t member, main; /* the connection of the same client port */
	} * strays;		       /* members set aside: pair_untranslated.h */
	uint32_t stray_count, stray_cap;
};

static inline struct member *pair_first_member(const struct pairer *p, uint32_t flow)
{
	return &p->all->members[p->all->list[flow].first_member];
}

static inline bool pair_has_vantage(const struct pairer *p, uint32_t flow, uint32_t vantage)
{
	uint32_t i = p->all->list[flow].first_member;

	for (; i != MEMBER_NONE; i = p->all->members[i].next)
		if (p->all->members[i].vantage == vantage)
			return true;
	return false;
}

/* May a flow take a member of this vantage point? One that was joined to another is empty. */
static inline bool pair_takes(const struct pairer *p, uint32_t flow, uint32_t vantage)
{
	return p->all->list[flow].members && !pair_has_vantage(p, flow, vantage);
}

static inline bool pair_same_tuple(const struct flow_vantage *a, const struct flow_vantage *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key)) == 0;
}

/* The member of a flow that has this 5-tuple; NULL: none has. Before and behind a translator a flow
 * has two. */
static inline struct member *pair_member_of_tuple(
	const struct pairer *p, uint32_t flow, const struct flow_vantage *f)
{
	uint32_t i = p->all->list[flow].first_member;

	for (; i != MEMBER_NONE; i = p->all->members[i].next)
		if (pair_same_tuple(p->all->members[i].flow, f))
			return &p->all->members[i];
	return NULL;
}

/* Adds a member to a flow that has none of its vantage point. */
void pair_join_flow(
	struct pairer *p, uint32_t flow, uint32_t member, enum pairing_evidence evidence);
