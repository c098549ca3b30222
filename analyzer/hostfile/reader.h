/*
 * reader: the content of one file of a host, a whole file or a member of an archive, as lines of
 * bounded length. Bytes come from strangers: a line ends at its newline or at a limit, and a NUL
 * in it becomes a blank.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_LINE_MAX (64u << 10)  /* the rest of a longer line is passed over */
#define READER_HEAD_MAX (16u << 10)  /* what reader_head() shows */
#define READER_WHOLE_MAX (32u << 20) /* what reader_whole() takes: listings, not logs */

/* Up to size bytes of the content into to; 0 at its end. */
typedef size_t reader_pull(void *from, char *to, size_t size);

struct reader {
	reader_pull *pull;
	void *from;
	char *buffer; /* content from at to end, and a byte for a NUL */
	size_t at, end;
	bool ended;    /* pull has no more */
	bool passing;  /* the rest of the last line is still to be passed over */
	uint64_t line; /* number of the line that was taken last, from 1 */
	uint64_t cut;  /* lines that were longer than the limit */
};

/* The caller releases it; from must outlive it. */
void reader_init(struct reader *r, reader_pull *pull, void *from);
void reader_release(struct reader *r);

/* The first bytes, without moving; at most READER_HEAD_MAX. Before any line is taken only. */
size_t reader_head(struct reader *r, const char **ret_bytes);

/*
 * The next line without its end (\n or \r\n), ended by a NUL; the caller may change it, and it is
 * valid until the next call. false: there is none.
 */
bool reader_line(struct reader *r, char **ret_line, size_t *ret_size);

/* All that is left, ended by a NUL, freed by the caller; NULL when it is longer than the limit. */
char *reader_whole(struct reader *r, size_t *ret_size);

/* Bytes as they are, not lines: up to size of them; 0 at the end. */
size_t reader_take(struct reader *r, char *to, size_t size);

/* Passes over what is left. */
void reader_skip(struct reader *r);
