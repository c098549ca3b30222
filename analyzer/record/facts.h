/* facts: writes hosts, vantage points, captures and the notes kept beside flows. */
#pragma once

#include "join/join.h"
#include "store/db.h"

/* Hosts, vantage points, capture files with their interfaces and accounts, drops, addresses, facts
 * of the files. */
void facts_captures(struct db *db, const struct dataset *data, const struct join *j);

/* mac_use, arp, vrrp_advert, icmp_error, activity, netfilter_log, kernel_drop. flow_row: each
 * flow's row, see join/order.h. */
void facts_observations(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row);

/* The pieces of the clock models. */
void facts_clocks(struct db *db, const struct clocks *c);

/* Says that a table was cut at its limit, if it was. */
void facts_limit_reached(struct db *db, const char *table, uint64_t kept, uint64_t total);

/* Which capture file and frame a segment's or row's ordinal is. */
struct fileindex_place facts_place(const struct dataset *data, uint32_t vantage, uint32_t ordinal);

/* Binds file and frame number of an ordinal to two columns; FRAME_NONE: NULL. */
#define FRAME_NONE UINT32_MAX
void facts_put_frame(sqlite3_stmt *s, int column, const struct dataset *data, uint32_t vantage,
	uint32_t ordinal);

/* Where it begins in that file. */
uint64_t facts_offset(const struct dataset *data, uint32_t vantage, uint32_t ordinal);
