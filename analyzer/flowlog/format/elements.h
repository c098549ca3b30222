/*
 * elements: the objects that matter inside a stream of JSON: one a line, concatenated, in an array,
 * or in the arrays "records", "events" and "logEvents" of an object around them. Only the frame of
 * an object is looked at here (strings and brackets); so memory is bounded by one object, and a
 * broken one costs itself alone where the next begins on a line of its own.
 */
#pragma once

#include "flowlog/format/record.h"
#include "read/source.h"

#define ELEMENTS_DEPTH 16
#define ELEMENTS_MAX (SOURCE_MAX_NEED - 4096) /* a larger object is malformed, and skipped */

struct elements {
	struct source *source;
	struct flowlog_sink *sink;
	uint64_t number;	    /* of the element: from 1, broken ones count */
	size_t pending;		    /* bytes of the element that was returned last */
	int depth;		    /* of stack */
	char stack[ELEMENTS_DEPTH]; /* '[' in an array of elements, '{' in an object around such an
				       array */
	char message_type[32], stream[128]; /* strings of the object around; "" when absent */
};

void elements_init(struct elements *e, struct source *s, struct flowlog_sink *sink);

/* The next element, until the next call; false at the end. Broken ones are counted and skipped. */
bool elements_next(struct elements *e, const char **ret_text, size_t *ret_n);
