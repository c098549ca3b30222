/* error: the text of a fatal failure, set where the cause is known. */
#pragma once

/*
 * Functions that can fail here return 0, or a negative errno-like number after
 * they have called error_set(). Callers pass both up unchanged; only main and
 * the subcommands print. Positive returns are outcomes of one function, listed
 * in its header.
 */
struct error {
	char text[512]; /* one line, lower case, no full stop; "" when unset */
};

#define ERROR_INIT                                                                                 \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/* Sets the text and returns code, which must be negative. err may be NULL. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set, followed by ": " and the text for errno; returns -errno. */
int error_errno(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the text that is there (file:line of the caller's context). */
void error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
