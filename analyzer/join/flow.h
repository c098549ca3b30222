/* flow: a flow with all the vantage points that saw it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/prefetch.h"
#include "flow/dataset.h"

/* Index of a direction everywhere in the join. */
enum direction { C2S = 0, S2C = 1 };

static inline const char *direction_name(enum direction d)
{
	return d == C2S ? "c2s" : "s2c";
}

enum pairing_evidence {
	PAIRED_ALONE,	   /* one vantage point only */
	PAIRED_ISN,	   /* both initial sequence numbers agree: 64 bits */
	PAIRED_CLIENT_ISN, /* one agrees, the other was not captured on one side */
	PAIRED_ADDRESS,	   /* addresses, ports and sequence numbers fit; no SYN on one side */
	PAIRED_OFFSET, /* sequence numbers differ by a constant in a direction: rewritten on the way
			*/
	PAIRED_CONTENT,	  /* addresses differ; payload, time stamps and lengths agree */
	PAIRED_HASH,	  /* datagrams: addresses and ports agree */
	PAIRED_PROXY,	  /* same addresses, unrelated sequence numbers: two connections */
	PAIRED_AMBIGUOUS, /* several candidates fit equally; none was taken */
};

const char *pairing_name(enum pairing_evidence p);

/* What tells which of two places is nearer to the client; what decides first has the larger value.
 */
enum order_evidence {
	ORDER_UNKNOWN, /* nothing */
	ORDER_COUNTS,  /* loss only shrinks: may be chance */
	ORDER_LIKELY,  /* delays within the noise of stamps, where many agree */
	/* From here on it is known. */
	ORDER_DELAY, /* no delay is negative */
	ORDER_TTL,   /* only decreases along the path */
	ORDER_HOOK,  /* a netfilter hook is nearer to the host's own sockets than the interface */
	ORDER_OWNER, /* one of them owns the end's address */
};

static inline bool order_is_known(enum order_evidence e)
{
	return e >= ORDER_DELAY;
}

struct member {
	struct flow_vantage *flow; /* in its vantage's table, where it stays */
	uint32_t vantage;	   /* index in dataset.vantages */
	uint32_t next;	       /* next member of the flow; in path order after position_members() */
	uint8_t next_by;       /* enum order_evidence: that it is nearer to the client than the next
				  one; after position_members() */
	bool client_is_b;      /* which end of the flow's key is the client */
	bool proxy, ambiguous; /* while pairing: why it stays alone */
	bool untranslated;     /* an unanswered request, or its reply from another address */
	bool stray;	       /* set aside while pairing; then: packets of its flow that
				  translation skipped, beside the member of the same vantage */
	bool owns[2];	   /* its host owns the client's (C2S), the server's (S2C) address; after
			      position_members() */
	uint32_t delta[2]; /* sequence numbers of C2S, S2C here minus those of the first member,
			      modulo 2^32 */
};

_Static_assert(sizeof(struct member) == 32, "two in a line of the cache");

#define MEMBER_NONE UINT32_MAX

struct flow {
	uint32_t first_member;
	uint16_t members;
	uint8_t pairing; /* enum pairing_evidence */
	bool client_known;
};

struct flows {
	struct flow *list;
	uint32_t count, cap;
	struct member *members; /* one for each flow of each vantage */
	uint32_t member_count;
};

/* The side of a member's flow that sends in a direction. */
static inline struct flow_side *member_side(const struct member *m, enum direction d)
{
	return &m->flow->side[(d == C2S) == m->client_is_b];
}

/* Address and port of the client (or server) as this member saw it. */
static inline const uint8_t *member_ip(const struct member *m, bool client)
{
	const struct flow_vantage *f = m->flow;

	return client == m->client_is_b ? f->key.b : f->key.a;
}

/* The member that a vantage point's flow is, after pairing. */
static inline const struct member *flow_member_at(
	const struct flows *all, const struct flow_vantage *f)
{
	uint32_t i = all->list[f->flow].first_member;

	while (all->members[i].flow != f)
		i = all->members[i].next;
	return &all->members[i];
}

/* NULL: that vantage point did not see the flow. */
static inline const struct member *flow_member_seen_from(
	const struct flows *all, uint32_t flow, uint32_t vantage)
{
	uint32_t i = all->list[flow].first_member;

	while (i != MEMBER_NONE && all->members[i].vantage != vantage)
		i = all->members[i].next;
	return i == MEMBER_NONE ? NULL : &all->members[i];
}

/* Prefetch distance, in flows. */
#define FLOWS_AHEAD 8

/* Prefetches the flow_vantage of each member, so that their cache misses overlap. */
static inline void flow_prefetch(const struct flows *all, uint32_t flow)
{
	for (uint32_t i = all->list[flow].first_member; i != MEMBER_NONE; i = all->members[i].next)
		prefetch_to_read(all->members[i].flow, sizeof(struct flow_vantage));
}

static inline uint16_t member_port(const struct member *m, bool client)
{
	const struct flow_vantage *f = m->flow;

	return client == m->client_is_b ? f->key.b_port : f->key.a_port;
}
