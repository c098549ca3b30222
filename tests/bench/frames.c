#include "frames.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ETHERNET 14
#define IPV4 20
#define PATTERN 65536 /* payload bytes repeat after so many */
#define BUFFER (4U << 20)

/* Payload bytes, and the sum of all 16-bit words before each even offset, for checksums in O(1). */
static uint8_t pattern[PATTERN + FRAMES_MSS];
static uint32_t pattern_sum[(PATTERN + FRAMES_MSS) / 2 + 1];

static const uint8_t mac_of[2][6] = {{2, 0, 0, 0, 1, 90}, {2, 0, 0, 0, 2, 20}};
static const uint8_t router_of[2][6] = {{2, 0, 0, 0, 1, 1}, {2, 0, 0, 0, 2, 1}};
static const uint8_t ip_of[2][4] = {{10, 0, 1, 90}, {10, 0, 2, 20}};

struct capture {
	int fd;
	uint32_t snaplen, used;
	bool nanoseconds;
	uint64_t frames, bytes;
	uint8_t buffer[BUFFER];
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

/* Sums stay in the byte order of memory: RFC 1071 section 2 (B). */
static uint64_t sum_words(const uint8_t *p, unsigned n, uint64_t sum)
{
	for (unsigned i = 0; i < n; i += 2) {
		uint16_t w;

		memcpy(&w, p + i, 2);
		sum += w;
	}
	return sum;
}

static void put_checksum(uint8_t *p, uint64_t sum)
{
	uint16_t w;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	w = (uint16_t)~sum;
	memcpy(p, &w, 2);
}

void frames_init(void)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	for (unsigned i = 0; i < PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		pattern[i] = (uint8_t)(x >> 32);
	}
	memcpy(pattern + PATTERN, pattern, FRAMES_MSS);
	for (unsigned i = 0; i < (PATTERN + FRAMES_MSS) / 2; i++)
		pattern_sum[i + 1] =
			(uint32_t)sum_words(pattern + 2 * (size_t)i, 2, pattern_sum[i]);
}

static uint8_t *put_timestamps(uint8_t *o, const struct segment_spec *s)
{
	o[0] = 8;
	o[1] = 10;
	put32(o + 2, s->tsval);
	put32(o + 6, s->tsecr);
	return o + 10;
}

/* As Linux lays them out. Returns the end. */
static uint8_t *put_options(uint8_t *o, const struct segment_spec *s)
{
	if (s->flags & TCP_SYN) {
		memcpy(o, "\2\4\5\264\4\2", 6); /* MSS 1460, SACK permitted */
		o = put_timestamps(o + 6, s);
		memcpy(o, "\1\3\3\7", 4); /* window scale 7 */
		return o + 4;
	}
	o[0] = o[1] = 1;
	o = put_timestamps(o + 2, s);
	if (!s->sacks)
		return o;
	o[0] = o[1] = 1;
	o[2] = 5;
	o[3] = (uint8_t)(2 + 8 * s->sacks);
	o += 4;
	for (unsigned i = 0; i < s->sacks; i++, o += 8) {
		put32(o, s->sack[i][0]);
		put32(o + 4, s->sack[i][1]);
	}
	return o;
}

static void put_ipv4(uint8_t *h, const struct segment_spec *s, uint32_t length)
{
	memcpy(h, "\x45\0\0\0\0\0\x40\0\x40\6\0\0", 12); /* DF, TTL 64, TCP */
	put16(h + 2, length);
	put16(h + 4, s->ip_id);
	memcpy(h + 12, ip_of[!s->to_server], 4);
	memcpy(h + 16, ip_of[s->to_server], 4);
	put_checksum(h + 10, sum_words(h, IPV4, 0));
}

void frames_build(struct wire *w, const struct segment_spec *s)
{
	uint8_t *ip = w->headers + ETHERNET, *tcp = ip + IPV4, *end = put_options(tcp + 20, s);
	uint32_t header = (uint32_t)(end - tcp), at = s->pattern % PATTERN;
	uint64_t sum = pattern_sum[(at + s->length) / 2] - pattern_sum[at / 2];

	memcpy(w->headers, router_of[!s->to_server], 6);
	memcpy(w->headers + 6, mac_of[!s->to_server], 6);
	put16(w->headers + 12, 0x0800);
	put_ipv4(ip, s, IPV4 + header + s->length);
	put16(tcp, s->to_server ? s->client_port : s->server_port);
	put16(tcp + 2, s->to_server ? s->server_port : s->client_port);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->flags & TCP_ACK ? s->ack : 0);
	tcp[12] = (uint8_t)(header << 2);
	tcp[13] = s->flags;
	put16(tcp + 14, s->window);
	memset(tcp + 16, 0, 4);
	sum = sum_words(tcp, header, sum_words(ip + 12, 8, sum));
	put_checksum(tcp + 16,
		sum + __builtin_bswap16(6) + __builtin_bswap16((uint16_t)(header + s->length)));
	w->header_length = (uint16_t)(end - w->headers);
	w->payload_length = (uint16_t)s->length;
	w->pattern = at;
}

void frames_route(struct wire *w, bool to_server)
{
	uint8_t *ip = w->headers + ETHERNET;

	memcpy(w->headers, mac_of[to_server], 6);
	memcpy(w->headers + 6, router_of[to_server], 6);
	ip[8] -= 3;
	put16(ip + 10, 0);
	put_checksum(ip + 10, sum_words(ip, IPV4, 0));
}

static void flush(struct capture *c)
{
	for (uint32_t at = 0; at < c->used;) {
		ssize_t n = write(c->fd, c->buffer + at, c->used - at);

		if (n < 0)
			err(2, "cannot write a capture");
		at += (uint32_t)n;
	}
	c->bytes += c->used;
	c->used = 0;
}

struct capture *capture_new(const char *path, uint32_t snaplen, bool nanoseconds)
{
	struct capture *c = calloc(1, sizeof(*c));
	const uint32_t header[6] = {
		nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 2 | 4U << 16, 0, 0, snaplen, 1};

	if (!c)
		err(2, "no memory");
	c->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (c->fd < 0)
		err(2, "cannot create '%s'", path);
	c->snaplen = snaplen;
	c->nanoseconds = nanoseconds;
	memcpy(c->buffer, header, sizeof(header));
	c->used = sizeof(header);
	return c;
}

void capture_write(struct capture *c, const struct wire *w, int64_t time_ns)
{
	uint32_t length = (uint32_t)w->header_length + w->payload_length;
	uint32_t kept = length < c->snaplen ? length : c->snaplen;
	uint32_t headers = kept < w->header_length ? kept : w->header_length;
	uint32_t fraction = (uint32_t)(time_ns % 1000000000);
	const uint32_t record[4] = {(uint32_t)(time_ns / 1000000000),
		c->nanoseconds ? fraction : fraction / 1000, kept, length};

	if (BUFFER - c->used < sizeof(record) + kept)
		flush(c);
	memcpy(c->buffer + c->used, record, sizeof(record));
	c->used += sizeof(record);
	memcpy(c->buffer + c->used, w->headers, headers);
	memcpy(c->buffer + c->used + headers, pattern + w->pattern, kept - headers);
	c->used += kept;
	c->frames++;
}

uint64_t capture_frames(const struct capture *c)
{
	return c->frames;
}

uint64_t capture_bytes(const struct capture *c)
{
	return c->bytes + c->used;
}

struct capture *capture_close(struct capture *c)
{
	if (!c)
		return NULL;
	flush(c);
	if (close(c->fd) < 0)
		err(2, "cannot write a capture");
	free(c);
	return NULL;
}
