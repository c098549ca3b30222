#include "record/peer_activity.h"

#include "base/address.h"
#include "record/facts.h"

#define PEER_SECONDS_LIMIT 1000000

void peer_activity_init(struct hashmap *seconds)
{
	hashmap_init(seconds, sizeof(struct peer_key), sizeof(uint64_t), PEER_SECONDS_LIMIT);
}

void peer_activity_add(struct hashmap *seconds, const struct join_batch *b)
{
	for (uint32_t i = 0; i < b->second_count; i++) {
		uint64_t *frames;
		bool fresh;

		frames = hashmap_at(seconds, &b->seconds[i].key, &fresh);
		if (frames)
			*frames += b->seconds[i].frames;
	}
}

void peer_activity_store(const struct hashmap *seconds, const struct dataset *data, struct db *db)
{
	sqlite3_stmt *s = db_insert(db, TABLE_PEER_ACTIVITY);
	char ip[2][IP_TEXT_SIZE];

	for (uint32_t i = 0; i < seconds->count; i++) {
		const struct peer_key *k = hashmap_key(seconds, i);

		db_int(s, 1, data->vantages[k->vantage].id);
		db_text(s, 2, ip_text(k->src, ip[0]));
		db_text(s, 3, ip_text(k->dst, ip[1]));
		db_int(s, 4, k->second_ns);
		db_int(s, 5, (int64_t) * (const uint64_t *)hashmap_value(seconds, i));
		db_step(db, s);
	}
	facts_limit_reached(db, "peer_activity", seconds->count, seconds->count + seconds->refused);
}
