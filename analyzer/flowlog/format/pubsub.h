/*
 * pubsub: events of Google's Pub/Sub, which carry a log entry as base64 in message.data, as a push
 * delivers them, a pull prints them, or an archive of a subscription holds them.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether text may hold such events with flow-log entries: told by what is in the base64. */
bool pubsub_recognise(const uint8_t *bytes, size_t n);

/* The entry that an event carries, to be released by the caller; NULL: it is no event, or what it
 * carries is no JSON object. */
json_t *pubsub_entry(const json_t *event);
