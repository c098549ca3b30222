/*
 * pcapng_write: blocks of a pcapng file in the machine's byte order (draft-ietf-opsawg-pcapng),
 * appended to a buffer. A block is begun, filled with words and options, and ended; nothing is
 * written to a file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

#define PCAPNG_SECTION 0x0A0D0D0AU
#define PCAPNG_INTERFACE 1U
#define PCAPNG_STATISTICS 5U
#define PCAPNG_PACKET 6U

/* Options of every block, then those of each kind. */
enum { PCAPNG_OPT_END = 0, PCAPNG_OPT_COMMENT = 1 };
enum { PCAPNG_SHB_HARDWARE = 2, PCAPNG_SHB_OS = 3, PCAPNG_SHB_APPLICATION = 4 };
enum {
	PCAPNG_IF_NAME = 2,
	PCAPNG_IF_DESCRIPTION = 3,
	PCAPNG_IF_IPV4 = 4,
	PCAPNG_IF_IPV6 = 5,
	PCAPNG_IF_MAC = 6,
	PCAPNG_IF_SPEED = 8,
	PCAPNG_IF_TSRESOL = 9,
	PCAPNG_IF_FILTER = 11,
	PCAPNG_IF_HARDWARE = 15,
};
enum { PCAPNG_EPB_FLAGS = 2, PCAPNG_EPB_DROPCOUNT = 4 };
enum {
	PCAPNG_ISB_START = 2,
	PCAPNG_ISB_END = 3,
	PCAPNG_ISB_RECEIVED = 4,
	PCAPNG_ISB_IFDROP = 5,
	PCAPNG_ISB_OSDROP = 7,
	PCAPNG_ISB_DELIVERED = 8,
};

/* Begins a block; the result goes to pcapng_end_block(), which writes both lengths. */
size_t pcapng_begin_block(struct strbuf *out, uint32_t type);

/* Ends the options, if any may follow the block's fixed part, and the block. */
void pcapng_end_block(struct strbuf *out, size_t at);

void pcapng_add_u16(struct strbuf *out, uint16_t v);
void pcapng_add_u32(struct strbuf *out, uint32_t v);
void pcapng_add_time(struct strbuf *out, int64_t t_ns);			 /* high word, low word */
void pcapng_add_data(struct strbuf *out, const void *data, size_t size); /* padded to 4 bytes */

/* Options. A value longer than an option's 65,535 bytes is cut; text never within a character. */
void pcapng_add_option(struct strbuf *out, uint16_t code, const void *value, size_t size);
void pcapng_add_option_text(
	struct strbuf *out, uint16_t code, const char *text); /* NULL, "": left out */
void pcapng_add_option_u64(struct strbuf *out, uint16_t code, uint64_t v);
void pcapng_add_option_time(struct strbuf *out, uint16_t code, int64_t t_ns);

/* Begins the section header with its fixed part: this byte order, version 1.0, length not known. */
size_t pcapng_begin_section(struct strbuf *out);

/* Begins an interface description with its fixed part; times are in nanoseconds: add
 * pcapng_add_resolution(). */
size_t pcapng_begin_interface(struct strbuf *out, uint16_t link_type, uint32_t snaplen);
void pcapng_add_resolution(struct strbuf *out);
