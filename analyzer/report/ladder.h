/*
 * ladder: the life of one flow as a drawing: a life line for each vantage point, an arrow for each
 * transmission, a cross where it was lost. Loading, layout and drawing are apart, so that the
 * layout is tested without a database and without markup.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "report/ref_clock.h"
#include "report/html.h"
#include "store/db.h"

#define LADDER_POINTS 6	   /* vantage points drawn */
#define LADDER_MESSAGES 44 /* transmissions drawn */

enum ladder_fate {
	LADDER_DELIVERED,
	LADDER_LOST,
	LADDER_MISADDRESSED,   /* on the wire, for somebody else's MAC: lost in effect */
	LADDER_CAPTURE_MISSED, /* arrived, the capture lacks it */
	LADDER_UNJUDGED,
	LADDER_INJECTED,
	LADDER_SENDER_MISSED,
};

struct ladder_message {
	bool to_server;		      /* travels from point 0 to the last one */
	int64_t at_ns[LADDER_POINTS]; /* aligned; DB_NONE: not recorded there */
	int64_t frame[LADDER_POINTS]; /* frame number there; 0: not recorded */
	enum ladder_fate fate;
	unsigned fate_from, fate_to; /* points between which that happened */
	uint32_t seq;		     /* as at the sender's end, randomisation taken out */
	uint32_t length, flags;
	unsigned segments;
	const char *proves;    /* what the frame proves of another transmission; NULL: nothing */
	int retransmission_of; /* index of the earlier sending; -1: none */
	unsigned folded;       /* further ones just like it that followed and are not drawn */
	int64_t folded_ns;     /* the time from this one to the last of those */
	char label[64];
	double y[2][LADDER_POINTS]; /* by layout: -1 where not recorded */
};

struct ladder_gap { /* silence, or folded messages, that a drawing leaves room for and does not draw
		     */
	int layout;
	double y;
	int64_t span_ns;
	unsigned folded;
};

enum { LADDER_BY_ORDER, LADDER_TO_SCALE };

struct ladder {
	int64_t flow;
	char title[160];
	bool tcp;
	uint32_t client_isn, server_isn;
	unsigned points;
	struct ladder_point {
		int64_t vantage;
		char name[128], client[64], server[64]; /* names may hold anything */
		uint32_t delta[2]; /* sequence shift here: client's, server's */
		bool is_server;	   /* its host owns the server's address */
		bool ghost;	   /* the end that nobody captured */
	} point[LADDER_POINTS];
	struct ladder_message message[LADDER_MESSAGES];
	unsigned messages, left_out; /* left_out: recorded, neither drawn nor folded */
	int64_t start_ns;
	double height[2];
	struct ladder_gap gap[4 * LADDER_MESSAGES];
	unsigned gaps;
};

/* Reads a flow; *ret_any false when nothing of it was recorded packet by packet. */
int ladder_load(struct ladder *l, struct db *db, const struct ref_clock *clocks, int64_t flow,
	bool *ret_any, struct error *err);

/* Fills y, height, gaps. An arrow never points up: arrival is at or below departure. */
void ladder_layout(struct ladder *l);

/* Draws both layouts with a switch between them; id makes names unique in the page. */
void ladder_draw(const struct ladder *l, struct html *h, int64_t id);
