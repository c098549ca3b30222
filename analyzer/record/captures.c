#include "record/captures.h"

#include <assert.h>

#include "base/address.h"
#include "read/digest.h"
#include "record/facts.h"

static void captures_insert_host(struct db *db, const struct host *h)
{
	sqlite3_stmt *s = db_insert(db, TABLE_HOST);

	db_int(s, 1, h->id);
	db_text(s, 2, h->name);
	db_step(db, s);
}

/*
 * Trust is settled by a statement of the schema after the join; here stands what the files say
 * themselves.
 */
static void captures_insert_vantage(
	struct db *db, const struct dataset *data, const struct join *j, uint32_t index)
{
	const struct vantage *v = &data->vantages[index];
	sqlite3_stmt *s = db_insert(db, TABLE_VANTAGE);
	char mac[MAC_TEXT_SIZE];
	bool empty = v->span.first_ns > v->span.last_ns;

	assert(v->id == index + 1);
	db_int(s, 1, v->id);
	db_int(s, 2, data->hosts[v->host].id);
	db_text(s, 3, v->name);
	db_text(s, 4, vantage_kind_name(v->kind));
	db_text(s, 5, v->interface);
	facts_bind_mac(s, 6, vantage_mac(v, v->inferred.own_mac), mac);
	db_int(s, 7, v->link_type);
	db_text(s, 8, "sound");
	db_text(s, 9, "[]");
	if (v->foreign_seen)
		db_int(s, 10, 1);
	else
		db_null(s, 10);
	db_int_or_null(s, 11, empty ? DB_NONE : v->span.first_ns);
	db_int_or_null(s, 12, empty ? DB_NONE : v->span.last_ns);
	db_int(s, 13, 0);
	db_int(s, 14,
		(int64_t)(v->counts.duplicates +
			  (j->duplicates_by_capture[index] ? v->counts.duplicate_segments : 0)));
	db_step(db, s);
}

/* A count, or NULL where nobody counted. */
static void captures_known(sqlite3_stmt *s, int column, int64_t count)
{
	db_int_or_null(s, column, count < 0 ? DB_NONE : count);
}

static void captures_insert_capture(
	struct db *db, const struct dataset *data, const struct capture *c)
{
	sqlite3_stmt *s = db_insert(db, TABLE_CAPTURE_FILE);
	bool empty = c->first_ns > c->last_ns;
	char hash[DIGEST_TEXT_SIZE];

	digest_text(c->hash, hash);
	assert(c->interface_count || data->hosts[c->host].vantage_count);
	db_int(s, 1, c->id);
	db_int(s, 2, data->hosts[c->host].id);
	db_int(s, 3,
		data->vantages[c->interface_count ? c->interfaces[0].vantage
						  : data->hosts[c->host].vantages[0]]
			.id);
	db_text(s, 4, c->path);
	db_text(s, 5, c->format);
	db_text(s, 6, c->compression);
	db_int(s, 7, c->snaplen);
	db_int(s, 8, (int64_t)c->frames);
	db_int(s, 9, (int64_t)c->bytes);
	db_int_or_null(s, 10, empty ? DB_NONE : c->first_ns);
	db_int_or_null(s, 11, empty ? DB_NONE : c->last_ns);
	captures_known(s, 12, c->dropped_kernel);
	captures_known(s, 13, c->dropped_interface);
	db_text(s, 14, c->damaged);
	db_text(s, 15, hash);
	db_text(s, 16, c->sha256[0] ? c->sha256 : NULL);
	db_step(db, s);
}

static void captures_insert_interfaces(
	struct db *db, const struct dataset *data, const struct capture *c)
{
	sqlite3_stmt *s = db_insert(db, TABLE_CAPTURE_INTERFACE);

	for (uint32_t i = 0; i < c->interface_count; i++) {
		db_int(s, 1, c->id);
		db_int(s, 2, c->interfaces[i].interface);
		db_int(s, 3, data->vantages[c->interfaces[i].vantage].id);
		db_text(s, 4, c->interfaces[i].name);
		db_int(s, 5, c->interfaces[i].link_type);
		db_int(s, 6, c->interfaces[i].snaplen);
		db_text(s, 7, c->interfaces[i].filter);
		captures_known(s, 8, c->interfaces[i].dropped_kernel);
		captures_known(s, 9, c->interfaces[i].dropped_interface);
		db_step(db, s);
	}
}

static uint64_t captures_accounted(const struct capture *c)
{
	uint64_t frames = 0;

	for (int d = 0; d < CAPTURE_DISPOSITIONS; d++)
		frames += c->account[d].frames;
	return frames;
}

static void captures_insert_account(struct db *db, const struct capture *c)
{
	sqlite3_stmt *s = db_insert(db, TABLE_FRAME_ACCOUNT);

	assert(captures_accounted(c) == c->frames); /* each frame has one disposition */
	for (int d = 0; d < CAPTURE_DISPOSITIONS; d++) {
		if (!c->account[d].frames)
			continue;
		db_int(s, 1, c->id);
		db_text(s, 2, capture_disposition_name(d));
		db_int(s, 3, (int64_t)c->account[d].frames);
		db_int(s, 4, (int64_t)c->account[d].bytes);
		db_step(db, s);
	}
}

static void captures_insert_addresses(struct db *db, const struct host *h)
{
	sqlite3_stmt *s = db_insert(db, TABLE_HOST_ADDRESS);
	char ip[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];

	for (uint32_t i = 0; i < h->address_count; i++) {
		const struct host_address *a = &h->addresses[i];

		db_int(s, 1, h->id);
		db_text(s, 2, a->has_ip ? ip_text(a->ip, ip) : NULL);
		facts_bind_mac(s, 3, a->has_mac ? a->mac : NULL, mac);
		db_text(s, 4, a->interface);
		db_int_or_null(s, 5, a->prefix == 255 ? DB_NONE : a->prefix);
		db_text(s, 6, a->source);
		db_step(db, s);
	}
}

static void captures_insert_drops(struct db *db, const struct vantage *v)
{
	sqlite3_stmt *s = db_insert(db, TABLE_CAPTURE_DROP);

	for (uint32_t i = 0; i < v->unrecorded.drops.count; i++) {
		db_int(s, 1, v->id);
		db_int(s, 2, v->unrecorded.drops.rows[i].from_ns);
		db_int(s, 3, v->unrecorded.drops.rows[i].to_ns);
		db_int(s, 4, (int64_t)v->unrecorded.drops.rows[i].frames);
		db_text(s, 5, v->unrecorded.drops.rows[i].source);
		db_step(db, s);
	}
}

void captures_store(struct db *db, const struct dataset *data, const struct join *j)
{
	for (uint32_t i = 0; i < data->host_count; i++)
		captures_insert_host(db, &data->hosts[i]);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		captures_insert_vantage(db, data, j, i);
	for (uint32_t i = 0; i < data->capture_count; i++) {
		captures_insert_capture(db, data, &data->captures[i]);
		captures_insert_interfaces(db, data, &data->captures[i]);
		captures_insert_account(db, &data->captures[i]);
	}
	for (uint32_t i = 0; i < data->host_count; i++)
		captures_insert_addresses(db, &data->hosts[i]);
	for (uint32_t i = 0; i < data->vantage_count; i++)
		captures_insert_drops(db, &data->vantages[i]);
}
