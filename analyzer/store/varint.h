/* varint: the variable-length integers of SQLite's file format (1.6), at most 9 bytes. */
#pragma once

#include <stdint.h>

/* Writes v and returns its length. */
static inline unsigned put_varint(uint8_t *p, uint64_t v)
{
	uint8_t reversed[10];
	unsigned n = 0;

	if (v < 0x80) {
		p[0] = (uint8_t)v;
		return 1;
	}
	if (v < 0x4000) {
		p[0] = (uint8_t)(v >> 7 | 0x80);
		p[1] = (uint8_t)(v & 0x7f);
		return 2;
	}
	if (v < 0x200000) {
		p[0] = (uint8_t)(v >> 14 | 0x80);
		p[1] = (uint8_t)(v >> 7 | 0x80);
		p[2] = (uint8_t)(v & 0x7f);
		return 3;
	}
	if (v >> 56) {
		p[8] = (uint8_t)v;
		v >>= 8;
		for (int i = 7; i >= 0; i--, v >>= 7)
			p[i] = (uint8_t)(v | 0x80);
		return 9;
	}
	do {
		reversed[n++] = (uint8_t)(v & 0x7f);
		v >>= 7;
	} while (v);
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(reversed[n - 1 - i] | (i + 1 < n ? 0x80 : 0));
	return n;
}
