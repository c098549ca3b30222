#include "report/pcapout.h"

#include <string.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_APPLICATION = 4, OPTION_NAME = 2, OPTION_DESCRIPTION = 3, OPTION_RESOLUTION = 9, OPTION_FLAGS = 2 };

static void add16(struct strbuf *b, uint32_t v)
{
	const uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8)};

	strbuf_add(b, bytes, sizeof(bytes));
}

static void add32(struct strbuf *b, uint32_t v)
{
	add16(b, v & 0xffff);
	add16(b, v >> 16);
}

static void pad(struct strbuf *b, size_t size)
{
	static const char zero[4];

	strbuf_add(b, zero, -size & 3);
}

static void add_option(struct strbuf *b, uint32_t code, const void *value, size_t size)
{
	add16(b, code);
	add16(b, (uint32_t)size);
	strbuf_add(b, value, size);
	pad(b, size);
}

/* Cut text never ends inside a character. */
static void add_text(struct strbuf *b, uint32_t code, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (!size)
		return;
	if (size > PCAPOUT_COMMENT_MAX) {
		size = PCAPOUT_COMMENT_MAX;
		while (size && ((uint8_t)text[size] & 0xc0) == 0x80)
			size--;
	}
	add_option(b, code, text, size);
}

static void end_options(struct strbuf *b)
{
	add32(b, OPTION_END);
}

/* Type, length, body, length: both lengths count the whole block. */
static void put_block(FILE *out, uint32_t type, const struct strbuf *body)
{
	struct strbuf edge = STRBUF_INIT;
	uint32_t length = (uint32_t)body->length + 12;

	add32(&edge, type);
	add32(&edge, length);
	(void)fwrite(edge.text, 1, 8, out);
	(void)fwrite(body->text, 1, body->length, out);
	(void)fwrite(edge.text + 4, 1, 4, out);
	strbuf_release(&edge);
}

void pcapout_section(FILE *out, const char *application, const char *comment)
{
	CLEANUP_STRBUF struct strbuf b = STRBUF_INIT;

	add32(&b, 0x1a2b3c4d);
	add16(&b, 1);
	add16(&b, 0);
	add32(&b, UINT32_MAX); /* section length: not said */
	add32(&b, UINT32_MAX);
	add_text(&b, OPTION_APPLICATION, application);
	add_text(&b, OPTION_COMMENT, comment);
	end_options(&b);
	put_block(out, BLOCK_SECTION, &b);
}

void pcapout_interface(FILE *out, uint32_t link_type, uint32_t snaplen, const char *name, const char *description)
{
	CLEANUP_STRBUF struct strbuf b = STRBUF_INIT;

	add16(&b, link_type);
	add16(&b, 0);
	add32(&b, snaplen);
	add_text(&b, OPTION_NAME, name);
	add_text(&b, OPTION_DESCRIPTION, description);
	add_option(&b, OPTION_RESOLUTION, "\x09", 1);
	end_options(&b);
	put_block(out, BLOCK_INTERFACE, &b);
}

void pcapout_packet(FILE *out, const struct pcapout_packet *p)
{
	CLEANUP_STRBUF struct strbuf b = STRBUF_INIT;
	uint64_t t = (uint64_t)p->time_ns;

	add32(&b, p->interface);
	add32(&b, (uint32_t)(t >> 32));
	add32(&b, (uint32_t)t);
	add32(&b, p->cap_len);
	add32(&b, p->wire_len);
	strbuf_add(&b, p->data, p->cap_len);
	pad(&b, p->cap_len);
	add_text(&b, OPTION_COMMENT, p->comment);
	if (p->flags) {
		const uint8_t flags[] = {(uint8_t)p->flags, (uint8_t)(p->flags >> 8), (uint8_t)(p->flags >> 16),
			(uint8_t)(p->flags >> 24)};

		add_option(&b, OPTION_FLAGS, flags, sizeof(flags));
	}
	end_options(&b);
	put_block(out, BLOCK_PACKET, &b);
}
