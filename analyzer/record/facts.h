/* facts: what rows of several tables have in common: places of frames, MACs, limits. */
#pragma once

#include "base/address.h"
#include "join/join.h"
#include "store/db.h"

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

/* mac NULL: NULL. buf must stay as it is until db_step(). */
void facts_bind_mac(sqlite3_stmt *s, int column, const uint8_t *mac, char buf[MAC_TEXT_SIZE]);
