#include "flow/fragments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Datagrams in progress; the oldest gives way. RFC 791 lets them live for seconds only. */
#define FRAGMENT_SLOTS 256

struct fragment_slot {
	bool used, has_first;
	uint32_t vantage, ip_id;
	uint8_t src[16], dst[16], protocol;
	uint32_t rest;	     /* bytes of fragments other than the first */
	uint32_t rest_begin; /* smallest offset among them; UINT32_MAX: none yet */
	uint32_t end;	     /* from the last fragment; 0: not seen */
	struct packet packet;
	struct frame frame;
	uint32_t ordinal;
	uint8_t head[64]; /* the payload's first bytes, for its hash */
};

struct fragments {
	struct fragment_slot slots[FRAGMENT_SLOTS];
	uint32_t oldest;
	uint64_t given_up_frames, given_up_bytes;
};

_Static_assert(
	sizeof(((struct fragment_whole *)0)->head) == sizeof(((struct fragment_slot *)0)->head),
	"copied whole");

struct fragments *fragments_new(void)
{
	return mem_zalloc(sizeof(struct fragments));
}

struct fragments *fragments_free(struct fragments *t)
{
	free(t);
	return NULL;
}

static void fragments_give_up(struct fragments *t, struct fragment_slot *s)
{
	if (s->used && s->has_first) {
		t->given_up_frames++;
		t->given_up_bytes += s->frame.wire_len;
	}
	s->used = false;
}

static struct fragment_slot *fragments_slot_for(
	struct fragments *t, uint32_t vantage, const struct packet *p)
{
	struct fragment_slot *s;

	for (uint32_t i = 0; i < FRAGMENT_SLOTS; i++) {
		s = &t->slots[i];
		if (s->used && s->vantage == vantage && s->ip_id == p->ip_id &&
			s->protocol == p->protocol && memcmp(s->src, p->src, 16) == 0 &&
			memcmp(s->dst, p->dst, 16) == 0)
			return s;
	}
	s = &t->slots[t->oldest];
	t->oldest = (t->oldest + 1) % FRAGMENT_SLOTS;
	fragments_give_up(t, s);
	*s = (struct fragment_slot){.used = true,
		.vantage = vantage,
		.ip_id = p->ip_id,
		.protocol = p->protocol,
		.rest_begin = UINT32_MAX};
	memcpy(s->src, p->src, 16);
	memcpy(s->dst, p->dst, 16);
	return s;
}

static void fragments_keep_first(struct fragment_slot *s, const struct packet *p,
	const struct frame *frame, uint32_t ordinal)
{
	uint32_t n = p->payload_cap < sizeof(s->head) ? p->payload_cap : (uint32_t)sizeof(s->head);

	assert(!s->has_first); /* a frame that is held is accounted once */
	s->has_first = true;
	s->packet = *p;
	s->frame = *frame;
	s->ordinal = ordinal;
	memcpy(s->head, p->payload, n);
	s->packet.payload_cap = n;
}

static void fragments_keep_rest(struct fragment_slot *s, const struct packet *p)
{
	s->rest += p->payload_len;
	if (p->frag.offset < s->rest_begin)
		s->rest_begin = p->frag.offset;
	if (!p->frag.more)
		s->end = p->frag.offset + p->payload_len;
}

/* Where the first fragment's payload begins at most: behind the longest TCP header. */
#define HEADER_MAX 60

/* The first fragment ends where the next begins; what is more than a header between them is
 * missing. */
static bool fragments_complete(const struct fragment_slot *s)
{
	return s->has_first && s->end && s->rest_begin != UINT32_MAX &&
	       s->rest_begin + s->rest == s->end && s->rest_begin >= s->packet.payload_len &&
	       s->rest_begin - s->packet.payload_len <= HEADER_MAX;
}

enum fragment_result fragments_add(struct fragments *t, uint32_t vantage, const struct packet *p,
	const struct frame *frame, uint32_t ordinal, struct fragment_whole *ret_whole)
{
	bool first = p->frag.offset == 0 && p->disposition != PACKET_FRAGMENT;
	struct fragment_slot *s = fragments_slot_for(t, vantage, p);

	if (first && s->has_first)
		return FRAGMENT_PART;
	if (first)
		fragments_keep_first(s, p, frame, ordinal);
	else
		fragments_keep_rest(s, p);
	if (!fragments_complete(s))
		return first ? FRAGMENT_HELD : FRAGMENT_PART;
	ret_whole->packet = s->packet;
	ret_whole->packet.payload_len += s->rest;
	ret_whole->packet.payload = memcpy(ret_whole->head, s->head, sizeof(s->head));
	ret_whole->packet.frag.any = false;
	ret_whole->frame = s->frame;
	ret_whole->frame.time_ns = frame->time_ns;
	ret_whole->ordinal = s->ordinal;
	ret_whole->is_current = first;
	s->used = false;
	return FRAGMENT_COMPLETE;
}

void fragments_flush(struct fragments *t, uint64_t *ret_frames, uint64_t *ret_bytes)
{
	for (uint32_t i = 0; i < FRAGMENT_SLOTS; i++)
		fragments_give_up(t, &t->slots[i]);
	*ret_frames = t->given_up_frames;
	*ret_bytes = t->given_up_bytes;
	t->given_up_frames = t->given_up_bytes = 0;
}
