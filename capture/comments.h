/* comments: facts as pcapng comments and as lines of the sidecar; see docs/facts.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

#define COMMENT_MAX 60000 /* bytes of one comment; a pcapng option holds 65535 */

struct comments {
	struct strbuf text; /* all comments, concatenated */
	struct comment_end {
		size_t offset; /* end of the comment in text */
	} * ends;
	size_t count, cap;
	int64_t at_ns; /* of the first line */
};

void comments_begin(struct comments *c, int64_t at_ns); /* empties it */
void comments_add(struct comments *c, int64_t at_ns, const char *key, const char *value);
void comments_end(struct comments *c); /* closes the last comment; call before reading */
void comments_release(struct comments *c);

/* The n-th comment's first byte and its length. */
const char *comments_get(const struct comments *c, size_t n, size_t *ret_length);

/* Appends a fact as a line of the sidecar. */
void comments_json(struct strbuf *out, int64_t at_ns, const char *key, const char *value);

/* Appends a value with backslash, control characters and bytes that are not UTF-8 escaped. */
void comments_escape(struct strbuf *out, const char *value);

/* A name from the host as part of a key: special characters become %HH. Returns out. */
const char *comments_word(char *out, size_t size, const char *word);
