/* cursor: a bounds-checked reader over untrusted bytes. A failed take moves nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at; /* next byte */
	size_t left;	   /* bytes that may be read from at */
};

static inline struct cursor cur_of(const void *bytes, size_t size)
{
	return (struct cursor){.at = bytes, .left = size};
}

/* The next n bytes, or NULL when fewer are left (then nothing moves). */
static inline const uint8_t *cur_take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (n > c->left)
		return NULL;
	c->at += n;
	c->left -= n;
	return p;
}

/* The next n bytes without moving, or NULL. */
static inline const uint8_t *cur_peek(const struct cursor *c, size_t n)
{
	return n > c->left ? NULL : c->at;
}

/* A child window over the next n bytes, so that an inner length cannot escape; moves past them. */
static inline bool cur_sub(struct cursor *c, size_t n, struct cursor *ret_sub)
{
	const uint8_t *p = cur_take(c, n);

	if (!p)
		return false;
	*ret_sub = cur_of(p, n);
	return true;
}

/* Cuts the window to at most n bytes (a length field below what was captured). */
static inline void cur_limit(struct cursor *c, size_t n)
{
	if (n < c->left)
		c->left = n;
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static inline uint64_t be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

/* Host order (little endian machines only are supported; meson checks). */
static inline uint16_t le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static inline uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}
