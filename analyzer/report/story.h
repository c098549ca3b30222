/*
 * story: the findings of a database, grouped for people: a finding, what it explains, and
 * everything else about the same pair of hosts are one story.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

#define STORY_FINDINGS_MAX 20000 /* findings read; the worst come first */

struct story_finding {
	int64_t id, cause_id; /* cause_id 0: none */
	int64_t host_low, host_high; /* the pair it is about; 0: none */
	double confidence;
	char *kind, *severity, *summary, *remedy;
	char *host, *from, *to, *src_ip, *dst_ip; /* NULL: none */
	char *detail;				  /* JSON */
	int64_t first_ns, last_ns, count, total;  /* DB_NONE: none */
	size_t group;				  /* index of the first finding of its story */
};

struct story_list {
	struct story_finding *findings; /* by id: the most important first */
	size_t count;
};

int story_load(struct story_list *s, struct db *db, struct error *err);
void story_release(struct story_list *s);

/* The finding with that id, or NULL. */
const struct story_finding *story_find(const struct story_list *s, int64_t id);

/*
 * The finding whose sentence opens a story: the weightiest, which is an effect that people noticed;
 * its cause_id leads to the cause. group is the story's index.
 */
const struct story_finding *story_headline(const struct story_list *s, size_t group);
