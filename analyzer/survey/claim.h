/*
 * claim: an address or a MAC that is, or may be, a host's own: by what evidence, and whether it
 * holds. One that is contradicted stays on record as ruled out.
 */
#pragma once

#include "flow/dataset.h"

enum claim_evidence {
	CLAIM_STATED,	    /* the user said so */
	CLAIM_RECORDED,	    /* the capture's own description of its interface */
	CLAIM_SENT_OUT,	    /* the capture marks its packets as leaving, and no router counted their
			       TTL down */
	CLAIM_SENT_BY_MAC,  /* it sends from the host's own MAC, with a TTL that no router counted
			       down */
	CLAIM_SENDER_MAC,   /* the one MAC that the host's own addresses send from */
	CLAIM_ARP_LENGTH,   /* only its ARP messages were recorded before they were padded */
	CLAIM_ARP_PEERS,    /* only it exchanges ARP messages with several others */
	CLAIM_EVER_PRESENT, /* the one MAC, or address, that is in (nearly) all unicast frames */
	CLAIM_NEAREST, /* in all frames of several hosts' captures, of which this is the nearest */
	CLAIM_EVIDENCE
};

enum claim_strength { STRENGTH_STATED, STRENGTH_PROVEN, STRENGTH_LIKELY };

enum claim_ruling { CLAIM_OWN, CLAIM_RULED_OUT, CLAIM_OPEN };

/* What contradicts a claim. */
enum claim_against {
	AGAINST_NOTHING,
	AGAINST_RIVAL,	   /* another host has it by as good evidence */
	AGAINST_RECORDED,  /* another host's capture recorded it as its interface's */
	AGAINST_ARRIVING,  /* the host's captures mark its packets as arriving, none as leaving */
	AGAINST_HANDED_ON, /* a router counted all its packets down: another place saw them before
			      it */
	/* These two do not rule it out: */
	AGAINST_TTL,	/* its packets have a TTL that systems do not begin with */
	AGAINST_UNSEEN, /* the host's captures show nothing from or to it */
};

#define CLAIM_NOBODY UINT32_MAX

struct claim {
	uint32_t host;	  /* index */
	uint32_t vantage; /* index, where the evidence was seen; CLAIM_NOBODY: none */
	bool has_ip, has_mac;
	uint8_t ip[16], mac[6];
	enum claim_evidence evidence;
	enum claim_ruling ruling;
	enum claim_against against;
	uint32_t rival;		/* host index: the one that has it, too; CLAIM_NOBODY: none */
	uint32_t proof_vantage; /* index, and a packet there that contradicts it; NULL: none */
	const struct segment *proof;
	/* When it sent from here as its own, that place's clock, by its frames with a MAC; 0
	 * frames: not seen. */
	int64_t first_ns, last_ns;
	uint64_t frames;
};

struct claims {
	struct claim *list;
	uint32_t count, cap;
};

/* The claim, to be completed by the caller; valid until the next is added. */
struct claim *claims_add_ip(struct claims *c, const struct dataset *data, uint32_t vantage,
	const uint8_t ip[16], enum claim_evidence evidence);
struct claim *claims_add_mac(struct claims *c, const struct dataset *data, uint32_t vantage,
	const uint8_t mac[6], enum claim_evidence evidence);
void claims_release(struct claims *c);

/* What the captures and the user say of the hosts' addresses and MACs. */
void claims_of_record(struct claims *c, const struct dataset *data);

/* When each address sent from its host, once the own MACs are known. */
void claims_note_times(struct claims *c, const struct dataset *data);

enum claim_strength claim_strength(enum claim_evidence e);
const char *claim_evidence_name(enum claim_evidence e);
const char *claim_strength_name(enum claim_strength s);
const char *claim_ruling_name(enum claim_ruling r);
