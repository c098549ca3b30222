/*
 * pcapout: writes a small pcapng file (draft-ietf-opsawg-pcapng): one section, nanosecond times,
 * packets with comments. The bytes of a packet are written as they are.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/strbuf.h"

#define PCAPOUT_COMMENT_MAX 4000 /* longer comments are cut */

void pcapout_section(FILE *out, const char *application, const char *comment);

/* Interfaces are numbered from 0 in the order of these calls. Text may be NULL. */
void pcapout_interface(FILE *out, uint32_t link_type, uint32_t snaplen, const char *name, const char *description);

struct pcapout_packet {
	uint32_t interface;
	int64_t time_ns;
	const uint8_t *data;
	uint32_t cap_len, wire_len;
	uint32_t flags;	     /* epb_flags; 0: none */
	const char *comment; /* UTF-8; NULL: none */
};

void pcapout_packet(FILE *out, const struct pcapout_packet *p);
