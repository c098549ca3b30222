/* strbuf: a growing text buffer. */
#pragma once

#include <stddef.h>

struct strbuf {
	char *text; /* NUL-terminated once anything was added; NULL before */
	size_t length, cap;
};

#define STRBUF_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t n);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_reset(struct strbuf *sb); /* length 0; keeps the memory */
void strbuf_release(struct strbuf *sb);
/* The text, owned by the caller now (never NULL); sb is empty after. */
char *strbuf_steal(struct strbuf *sb);
#define CLEANUP_STRBUF __attribute__((cleanup(strbuf_release)))
