#include "record/survey.h"

#include <stdlib.h>

#include "base/address.h"
#include "base/mem.h"
#include "record/facts.h"
#include "survey/coverage.h"

/* "FILE frame N" of the packet that contradicts a claim. */
static char *survey_proof(const struct dataset *data, const struct claim *c)
{
	struct fileindex_place p = facts_place(data, c->proof_vantage, c->proof->frame);

	return mem_printf("%s frame %u", data->captures[p.file - 1].path, p.number);
}

/* What speaks against a claim. */
static char *survey_contradiction(const struct dataset *data, const struct claim *c)
{
	const char *rival = c->rival == CLAIM_NOBODY ? NULL : data->hosts[c->rival].name;
	char *proof CLEANUP_FREE = c->proof ? survey_proof(data, c) : NULL;

	switch (c->against) {
	case AGAINST_RIVAL:
		return mem_printf(
			c->has_mac ? "%s has it by the same evidence" : "it is %s's", rival);
	case AGAINST_RECORDED:
		return mem_printf("the capture of %s records it as its own interface's", rival);
	case AGAINST_ARRIVING:
		return mem_printf("%s arrives from it", proof);
	case AGAINST_HANDED_ON:
		return mem_printf(
			"%s is from it and has TTL %u, another capture has it with a larger "
			"one: a router handed it on",
			proof, c->proof->ttl);
	case AGAINST_TTL:
		return mem_printf("%s is from it and has TTL %u, as if a router had handed it on",
			proof, c->proof->ttl);
	case AGAINST_UNSEEN:
		return mem_printf(
			"no frame of %s's captures is from or to it", data->hosts[c->host].name);
	default:
		return NULL;
	}
}

static void survey_insert_claim(struct db *db, const struct dataset *data, const struct claim *c)
{
	sqlite3_stmt *s = db_insert(db, TABLE_IDENTITY_CLAIM);
	char *contradiction CLEANUP_FREE = survey_contradiction(data, c);
	char ip[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];

	db_int(s, 1, data->hosts[c->host].id);
	db_int_or_null(s, 2, c->vantage == CLAIM_NOBODY ? DB_NONE : data->vantages[c->vantage].id);
	db_text(s, 3, c->has_ip ? ip_text(c->ip, ip) : NULL);
	db_text(s, 4, c->has_mac ? mac_text(c->mac, mac) : NULL);
	db_text(s, 5, claim_ruling_name(c->ruling));
	db_text(s, 6, claim_evidence_name(c->evidence));
	db_text(s, 7, claim_strength_name(claim_strength(c->evidence)));
	db_text(s, 8, contradiction);
	db_int_or_null(s, 9, c->frames ? c->first_ns : DB_NONE);
	db_int_or_null(s, 10, c->frames ? c->last_ns : DB_NONE);
	db_int(s, 11, (int64_t)c->frames);
	db_step(db, s);
}

static void survey_insert_order(
	struct db *db, const struct dataset *data, const struct order_row *o)
{
	sqlite3_stmt *s = db_insert(db, TABLE_VANTAGE_ORDER);

	db_int(s, 1, data->vantages[o->key.nearer].id);
	db_int(s, 2, data->vantages[o->key.farther].id);
	db_int(s, 3, order_is_known(o->key.evidence));
	db_text(s, 4, order_evidence_name(o->key.evidence));
	db_int(s, 5, (int64_t)o->flows);
	db_step(db, s);
}

/* Frames that the stated scope would have left out. */
static char *survey_outside(
	const struct dataset *data, const struct host_scope *scope, uint32_t vantage)
{
	struct fileindex_place p;

	if (!scope || !scope->outside)
		return NULL;
	p = facts_place(data, vantage, scope->first_outside);
	return mem_printf("%s frame %u is outside of it%s", data->captures[p.file - 1].path,
		p.number, scope->outside > 1 ? ", and others are" : "");
}

/* What the capture files say of filter, snap length and drops is added by the schema. */
static void survey_insert_coverage(
	struct db *db, const struct dataset *data, uint32_t vantage, const struct coverage *c)
{
	sqlite3_stmt *s = db_insert(db, TABLE_COVERAGE);
	const struct vantage *v = &data->vantages[vantage];
	const struct host_scope *scope = data->hosts[v->host].scope;
	char *outside CLEANUP_FREE = survey_outside(data, scope, vantage);
	int64_t from_ns, to_ns;
	bool recorded, any = coverage_span(v, &from_ns, &to_ns, &recorded);

	db_int(s, 1, v->id);
	db_text(s, 2, coverage_direction_name(c->direction));
	db_text(s, 3, coverage_role_name(coverage_role(v)));
	db_text(s, 4, coverage_shown_name(c->shown));
	db_int(s, 5, (int64_t)c->frames);
	db_int_or_null(s, 6, any ? from_ns : DB_NONE);
	db_int_or_null(s, 7, any ? to_ns : DB_NONE);
	db_int(s, 8, recorded);
	db_int(s, 9, v->unrecorded.gaps.count);
	db_null(s, 10);
	db_text(s, 11, scope ? scope->expression : NULL);
	db_text(s, 12, outside);
	db_null(s, 13);
	db_null(s, 14);
	db_step(db, s);
}

void survey_store(struct db *db, const struct dataset *data, const struct owners *owners,
	const struct ordering *ordering)
{
	for (uint32_t i = 0; i < owners->claims.count; i++)
		survey_insert_claim(db, data, &owners->claims.list[i]);
	for (uint32_t i = 0; i < ordering->pair_count; i++)
		survey_insert_order(db, data, &ordering->pairs[i]);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		struct coverage rows[2];
		int n = data->vantages[i].kind == VANTAGE_KERNEL
				? 0
				: coverage_of(&data->vantages[i], rows);

		for (int k = 0; k < n; k++)
			survey_insert_coverage(db, data, i, &rows[k]);
	}
}
