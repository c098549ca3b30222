#include "base/pcapng_write.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

void pcapng_add_u16(struct strbuf *out, uint16_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

void pcapng_add_u32(struct strbuf *out, uint32_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

void pcapng_add_time(struct strbuf *out, int64_t t_ns)
{
	pcapng_add_u32(out, (uint32_t)((uint64_t)t_ns >> 32));
	pcapng_add_u32(out, (uint32_t)t_ns);
}

void pcapng_add_data(struct strbuf *out, const void *data, size_t size)
{
	static const char zeros[4];

	strbuf_add(out, data, size);
	strbuf_add(out, zeros, -size & 3U);
}

void pcapng_add_option(struct strbuf *out, uint16_t code, const void *value, size_t size)
{
	if (size > UINT16_MAX)
		size = UINT16_MAX;
	pcapng_add_u16(out, code);
	pcapng_add_u16(out, (uint16_t)size);
	pcapng_add_data(out, value, size);
}

void pcapng_add_option_text(struct strbuf *out, uint16_t code, const char *text)
{
	if (text && text[0])
		pcapng_add_option(out, code, text, utf8_cut(text, UINT16_MAX));
}

void pcapng_add_option_u64(struct strbuf *out, uint16_t code, uint64_t v)
{
	pcapng_add_option(out, code, &v, sizeof(v));
}

void pcapng_add_option_time(struct strbuf *out, uint16_t code, int64_t t_ns)
{
	pcapng_add_u16(out, code);
	pcapng_add_u16(out, 8);
	pcapng_add_time(out, t_ns);
}

size_t pcapng_begin_block(struct strbuf *out, uint32_t type)
{
	size_t at = out->length;

	assert(at % 4 == 0);
	pcapng_add_u32(out, type);
	pcapng_add_u32(out, 0);
	return at;
}

void pcapng_end_block(struct strbuf *out, size_t at)
{
	uint32_t length;

	pcapng_add_option(out, PCAPNG_OPT_END, "", 0);
	assert((out->length - at) % 4 == 0 && out->length - at < UINT32_MAX - 4);
	length = (uint32_t)(out->length - at) + 4;
	pcapng_add_u32(out, length);
	memcpy(out->text + at + 4, &length, sizeof(length));
}

size_t pcapng_begin_section(struct strbuf *out)
{
	size_t at = pcapng_begin_block(out, PCAPNG_SECTION);

	pcapng_add_u32(out, 0x1A2B3C4D);
	pcapng_add_u16(out, 1);
	pcapng_add_u16(out, 0);
	pcapng_add_u32(out, UINT32_MAX);
	pcapng_add_u32(out, UINT32_MAX);
	return at;
}

size_t pcapng_begin_interface(struct strbuf *out, uint16_t link_type, uint32_t snaplen)
{
	size_t at = pcapng_begin_block(out, PCAPNG_INTERFACE);

	pcapng_add_u16(out, link_type);
	pcapng_add_u16(out, 0);
	pcapng_add_u32(out, snaplen);
	return at;
}

void pcapng_add_resolution(struct strbuf *out)
{
	static const uint8_t nanoseconds = 9;

	pcapng_add_option(out, PCAPNG_IF_TSRESOL, &nanoseconds, 1);
}
