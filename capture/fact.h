/*
 * fact: current facts about the host, which of them have changed since they were last written, and
 * events. Collectors add facts; the recorder writes the changes to the capture and its sidecar.
 * Keys and values: docs/facts.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "comments.h"

#define FACT_KEY_SIZE 256
#define FACT_VALUE_MAX 4096 /* longer values are truncated */
/* Events waiting to be written; further ones are counted and dropped. */
#define FACT_EVENT_BYTES 1048576

struct facts;

/* Where facts are written. Either may be NULL. */
struct fact_out {
	struct comments *comments;
	struct strbuf *json;
};

struct facts *fact_new(void);
void fact_free(struct facts *f);

/*
 * A round of collecting: facts put between begin and end have the time now_ns. States not put in
 * the round are forgotten: the next file does not repeat them.
 */
void fact_begin(struct facts *f, int64_t now_ns);
void fact_end(struct facts *f);

/* Sets the time of facts put outside a round. */
void fact_time(struct facts *f, int64_t now_ns);

/* A state or sample. Put outside a round, it is never forgotten. If unchanged, nothing is written.
 */
void fact_put(struct facts *f, const char *value, const char *key_fmt, ...)
	__attribute__((format(printf, 3, 4)));
void fact_put_u64(struct facts *f, uint64_t value, const char *key_fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An event, with its own time. */
void fact_event(struct facts *f, int64_t at_ns, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * A set. identity: the part of an entry (without ages) whose change causes the set to be written
 * again. force: write it even if nothing changed.
 */
void fact_set_begin(struct facts *f, const char *key);
void fact_set_add(struct facts *f, const char *identity, const char *value);
void fact_set_end(struct facts *f, uint64_t omitted, bool force);

/* Writes the facts that changed since the last drain, and the events, oldest first. */
void fact_drain(struct facts *f, const struct fact_out *out);

/* Writes all current facts (at the start of a file); none of them counts as changed after that. */
void fact_write_all(struct facts *f, const struct fact_out *out);

/* The value of a state, or NULL. Valid until the next put. */
const char *fact_get(const struct facts *f, const char *key);

uint64_t fact_events_dropped(const struct facts *f);
