/* json: values out of a parsed object, with the tolerance that flow logs need. */
#pragma once

#include <jansson.h>

#include "flowlog/format/record.h"

/* Parses one object; NULL: it is not valid. The caller releases it with json_decref(). */
json_t *json_object_of(const char *text, size_t n);

/* The string under a key; no text when it is absent or something else. Lives as long as the object.
 */
struct flowlog_text json_text_of(const json_t *object, const char *key);

/* A whole number written as integer, string or integral float ("443", 443, 443.0); else false. */
bool json_number_of(const json_t *value, int64_t *ret);
