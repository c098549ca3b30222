#include "record/facts.h"

#include <assert.h>

#include "base/address.h"

struct fileindex_place facts_place(const struct dataset *data, uint32_t vantage, uint32_t ordinal)
{
	struct fileindex_place p =
		fileindex_find(&data->hosts[data->vantages[vantage].host].frames, ordinal);

	p.file = data->captures[p.file].id;
	return p;
}

void facts_put_frame(
	sqlite3_stmt *s, int column, const struct dataset *data, uint32_t vantage, uint32_t ordinal)
{
	struct fileindex_place p;

	if (ordinal == FRAME_NONE) {
		db_null(s, column);
		db_null(s, column + 1);
		return;
	}
	p = facts_place(data, vantage, ordinal);
	db_int(s, column, p.file);
	db_int(s, column + 1, p.number);
}

uint64_t facts_offset(const struct dataset *data, uint32_t vantage, uint32_t ordinal)
{
	return fileindex_offset(&data->hosts[data->vantages[vantage].host].frames, ordinal);
}

void facts_bind_mac(sqlite3_stmt *s, int column, const uint8_t *mac, char buf[MAC_TEXT_SIZE])
{
	db_text(s, column, mac ? mac_text(mac, buf) : NULL);
}

void facts_limit_reached(struct db *db, const char *table, uint64_t kept, uint64_t total)
{
	sqlite3_stmt *s = db_insert(db, TABLE_LIMIT_REACHED);

	assert(kept <= total);
	if (kept == total)
		return;
	db_text(s, 1, table);
	db_int(s, 2, (int64_t)kept);
	db_int(s, 3, (int64_t)total);
	db_step(db, s);
}
