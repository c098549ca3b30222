/*
 * path: one direction of a flow between two adjacent vantage points: what became of every
 * transmission, counted so that nothing is left over, and named with the rule that decided.
 */
#pragma once

#include "join/clocks.h"
#include "join/match.h"
#include "join/proof.h"
#include "join/scope.h"

enum event_kind {
	EVENT_LOST,
	EVENT_CAPTURE_MISSED,
	EVENT_MISADDRESSED,
	EVENT_UNJUDGED,
	EVENT_DUPLICATED,
	EVENT_SENDER_MISSED,
	EVENT_REORDERED,
	EVENT_INJECTED,
	EVENT_MODIFIED,
	EVENT_BOTH_MISSED,
	EVENT_KINDS
};

const char *event_kind_name(enum event_kind k);

struct event {
	uint8_t kind, flags;
	uint8_t direction;   /* enum direction */
	bool while_running;  /* missed while the capture was running: the capture is at fault */
	bool sender_running; /* both_missed: the sender's capture is at fault too */
	bool pending; /* lost becomes unjudged if the receiving capture proves incomplete then:
			 pending_losses_settle() */
	uint32_t seq, length, segments;
	uint32_t from, to;		       /* vantage indexes */
	const struct segment *sent, *received; /* NULL: not captured there */
	const char *reason;		       /* static text; docs/verdicts.md lists them */
	uint32_t proof_vantage;
	const struct segment *proof; /* NULL: absence */
	char detail[40];   /* CHANGE_TEXT_SIZE: what was changed: "mss 1460 -> 1380"; "" */
	int64_t judged_ns; /* when it would have arrived, receiver's clock */
	int64_t sender_ns; /* both_missed, sender_missed: when it was sent, sender's clock */
};

/* Segments and payload bytes of one kind. */
struct volume {
	uint64_t segments, bytes;
};

struct path_counts {
	uint32_t from, to; /* vantage indexes */
	uint8_t direction;
	bool estimated;
	struct volume sent, delivered, misaddressed, lost, capture_missed, unjudged, received,
		duplicated, injected, sender_missed, retransmitted;
	uint64_t modified, reordered, syn_sent, syn_lost;
	int64_t largest_delivered, smallest_lost;      /* -1: none */
	int64_t owd_min_ns, owd_median_ns, owd_max_ns; /* INT64_MIN: unknown */
};

/* Events of one thread's batch, in order. */
struct event_list {
	struct event *events;
	uint32_t count, cap;
};

/* Input. Judging changes only the marks in the half-flows. */
struct path_input {
	const struct dataset *data;
	const struct clocks *clocks;
	struct clock_memo *clock_memo; /* this thread's */
	enum direction direction;
	uint32_t from, to;			   /* vantage indexes */
	const struct shown *from_shown, *to_shown; /* the interfaces that make up each place */
	bool to_is_end;	    /* the receiving vantage's host owns the destination address */
	bool flow_absent;   /* the receiving vantage never saw the flow */
	bool sender_absent; /* the sending one never did */
	bool from_is_first,
		to_is_last; /* of the places along the way; their captures have one path only */
	enum scope scope;   /* would the capture that lacks the flow have recorded it? */
	struct half_flow *sent, *received;	     /* this direction */
	const struct half_flow *acks_from, *acks_to; /* the other one, at from and at to */
	struct matcher *matcher;		     /* after match_half_flows() */
	const char *filter;			     /* --filter; NULL: none */
};

/* Memory of one thread, kept from path to path. */
struct path_scratch {
	struct proofs proofs; /* of matcher.missing, while the path is judged */
	struct both_missed *both_missed;
	int64_t *delays;
	uint32_t delay_cap;
};

/* What judging finds. */
struct path_output {
	struct event_list *events; /* those of the path are appended */
	struct path_counts *counts;
	uint32_t first_whole,
		last_whole; /* first and last sent transmission that arrived; TRANSMISSION_NONE */
	uint32_t first_arrived,
		last_arrived; /* first and last received one that is matched; NONE, 0 */
	uint8_t modal_ttl;    /* the TTL that most arrivals have */
	bool has_modal_ttl;
	uint64_t other_ttls[4]; /* a bit for each TTL that an arrival has, where they differ */
	int64_t sent_end;	/* behind the last byte on record as sent */
	bool sent_jumps;	/* a sent transmission lies beyond the end of those before it */
	bool direction_unseen;	/* the receiver's capture has the other direction alone, although
				   this one arrived */
};

struct path {
	struct path_input in;
	struct path_scratch *scratch;
	struct path_output out;
};

/* A new event at the end of the path's; the caller fills it in. */
struct event *path_add_event(struct path *path, enum event_kind kind, const char *reason);

/* Judges what the matcher left; fills counts and events. Sums of a path close, which is asserted.
 */
void path_judge(struct path *path);
