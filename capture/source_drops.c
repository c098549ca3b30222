/*
 * The packets that the kernel drops, each with its reason: drops_bpf.c on the tracepoint
 * skb:kfree_skb. A record becomes a LINKTYPE_LINUX_SLL2 frame, since packets of any link are
 * dropped, with or without a link header; reason and place stand in a comment (docs/facts.md).
 */
#include "source_drops.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hashmap.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "drops.skel.h"
#include "drops_event.h"
#include "drops_reasons.h"

#define LINKTYPE_SLL2 276
#define SLL2_HEADER 20
#define SLL2_OUTGOING 4 /* packet type: made by this host */
#define BUFFER_MAX (16U << 20)
#define BUFFER_MIN (256U << 10)
#define FUNCTIONS_MAX 4096
#define COMMENT_SIZE 256
#define PER_SECOND 10 /* windows of the limit */

struct drops {
	struct drops_bpf *bpf;
	struct ring_buffer *events;
	struct drops_reasons reasons;
	struct hashmap functions; /* address -> name */
	int64_t monotonic_ns;	  /* CLOCK_REALTIME less CLOCK_MONOTONIC, at this dispatch */
	int left;		  /* packets that this dispatch may still take */
	uint8_t frame[SLL2_HEADER + DROPS_DATA];
	char comment[COMMENT_SIZE];
};

static int64_t source_drops_clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* cooked capture v2: protocol, reserved, interface index, ARPHRD, packet type, address. */
static void source_drops_put_header(uint8_t *h, const struct drops_packet *p)
{
	uint32_t index = htonl(p->ifindex);
	uint16_t link_type = htons(p->link_type);

	memset(h, 0, SLL2_HEADER);
	memcpy(h, &p->protocol, 2);
	memcpy(h + 4, &index, 4);
	memcpy(h + 8, &link_type, 2);
	h[10] = p->received ? p->type : SLL2_OUTGOING;
	if (!p->has_source)
		return;
	h[11] = sizeof(p->source);
	memcpy(h + 12, p->source, sizeof(p->source));
}

static const char *source_drops_socket(const struct drops_packet *p)
{
	if (p->family == AF_PACKET)
		return "packet";
	switch (p->socket) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "dgram";
	case SOCK_RAW:
		return "raw";
	default:
		return NULL;
	}
}

static uint32_t source_drops_add_word(
	struct drops *d, uint32_t at, const char *name, const char *value)
{
	int n;

	if (!value || !value[0])
		return at;
	n = snprintf(d->comment + at, COMMENT_SIZE - at, " %s=%s", name, value);
	return n > 0 && (uint32_t)n < COMMENT_SIZE - at ? at + (uint32_t)n : at;
}

static const char *source_drops_number(char text[16], const char *format, uint32_t n)
{
	(void)snprintf(text, 16, format, n);
	return text;
}

static uint32_t source_drops_put_comment(struct drops *d, const struct drops_packet *p)
{
	const char *name = p->reason < d->reasons.count ? d->reasons.names[p->reason] : NULL;
	uint32_t at = (uint32_t)snprintf(d->comment, COMMENT_SIZE, "kernel-drop");
	char number[16];

	/* Reasons of subsystems have no names: the number, with the subsystem's in its high half.
	 */
	at = source_drops_add_word(
		d, at, "reason", name ? name : source_drops_number(number, "0x%x", p->reason));
	at = source_drops_add_word(d, at, "function", hashmap_get(&d->functions, &p->function));
	at = source_drops_add_word(d, at, "interface", p->interface);
	at = source_drops_add_word(d, at, "socket", source_drops_socket(p));
	if (p->segments > 1)
		at = source_drops_add_word(
			d, at, "segments", source_drops_number(number, "%u", p->segments));
	return p->netns ? source_drops_add_word(
				  d, at, "netns", source_drops_number(number, "%u", p->netns))
			: at;
}

static void source_drops_on_packet(struct source *s, const struct drops_packet *p)
{
	struct drops *d = s->impl;
	struct record r = {
		.time_ns = (int64_t)p->at_ns + d->monotonic_ns,
		.data = d->frame,
		.cap_len = SLL2_HEADER + p->kept,
		.wire_len = SLL2_HEADER + (p->length > p->kept ? p->length : p->kept),
		.flags = p->received ? PCAPNG_INBOUND : PCAPNG_OUTBOUND,
		.comment = d->comment,
	};
	struct payload_hash hash;

	source_drops_put_header(d->frame, p);
	memcpy(d->frame + SLL2_HEADER, p->data, p->kept);
	r.comment_length = source_drops_put_comment(d, p);
	source_cut(s, s->settings.snaplen + SLL2_HEADER, &r, &hash);
	s->taken++;
	s->sink(s->sink_arg, s, &r);
}

/* "nft_do_chain [nf_tables]": the module is left out, so that the value is one word. */
static void source_drops_on_name(struct drops *d, const struct drops_name *n)
{
	bool fresh;
	char *name = hashmap_at(&d->functions, &n->function, &fresh);

	if (!name || !fresh)
		return;
	memcpy(name, n->name, DROPS_FUNCTION);
	name[strcspn(name, " ")] = '\0';
}

/* A negative value ends ring_buffer__consume() after this record. */
static int source_drops_on_event(void *arg, void *data, size_t size)
{
	struct source *s = arg;
	struct drops *d = s->impl;
	const struct drops_packet *p = data;

	if (size >= sizeof(struct drops_name) && p->kind == DROPS_NAME)
		source_drops_on_name(d, data);
	else if (size >= DROPS_HEAD && p->kind == DROPS_PACKET && p->kept <= size - DROPS_HEAD)
		source_drops_on_packet(s, p);
	return --d->left > 0 ? 0 : -EAGAIN;
}

static int source_drops_dispatch(struct source *s, int max)
{
	struct drops *d = s->impl;

	d->monotonic_ns =
		source_drops_clock_ns(CLOCK_REALTIME) - source_drops_clock_ns(CLOCK_MONOTONIC);
	d->left = max;
	(void)ring_buffer__consume(d->events);
	return 0;
}

static void source_drops_stats(struct source *s)
{
	const struct drops *d = s->impl;
	const struct drops_bpf__bss *counted = d->bpf->bss;

	s->offered = __atomic_load_n(&counted->seen, __ATOMIC_RELAXED);
	s->dropped_kernel = __atomic_load_n(&counted->no_room, __ATOMIC_RELAXED) +
			    __atomic_load_n(&counted->limited, __ATOMIC_RELAXED);
}

static void source_drops_close(struct source *s)
{
	struct drops *d = s->impl;

	ring_buffer__free(d->events);
	drops_bpf__destroy(d->bpf);
	drops_reasons_release(&d->reasons);
	hashmap_release(&d->functions);
	free(d);
}

static const struct source_ops drops_ops = {
	source_drops_dispatch, source_drops_stats, source_drops_close};

static uint32_t source_drops_buffer(uint64_t wanted)
{
	uint32_t size = BUFFER_MIN;

	while (size < BUFFER_MAX && 2 * (uint64_t)size <= wanted)
		size *= 2;
	return size;
}

static int source_drops_own_netns(uint32_t *ret_inode, struct error *err)
{
	struct stat st;

	if (stat("/proc/self/ns/net", &st) < 0)
		return error_errno(err, "cannot tell this network namespace");
	*ret_inode = (uint32_t)st.st_ino;
	return 0;
}

/* What the program has to know before it is loaded. */
static int source_drops_configure(
	struct source *s, struct drops *d, const struct drops_settings *o, struct error *err)
{
	struct drops_bpf__rodata *set = d->bpf->rodata;
	uint64_t unwanted[DROPS_REASONS / 64] = {0};
	uint32_t netns = 0;
	int r = 0;

	if (o->scope == DROPS_OWN)
		r = source_drops_own_netns(&netns, err);
	if (!r && o->reasons)
		r = drops_reasons_unwanted(
			&d->reasons, o->reasons, unwanted, DROPS_REASONS / 64, err);
	if (r)
		return r;
	set->own_netns = netns;
	set->window_limit = (o->rate + PER_SECOND - 1) / PER_SECOND;
	set->has_socket = d->reasons.has_socket;
	memcpy((void *)set->unwanted, unwanted, sizeof(unwanted));
	s->settings.buffer_bytes = source_drops_buffer(s->settings.buffer_bytes);
	if (bpf_map__set_max_entries(d->bpf->maps.events, (uint32_t)s->settings.buffer_bytes))
		return error_errno(err, "cannot size the buffer of drops");
	return 0;
}

static int source_drops_refused(const char *what, int code, struct error *err)
{
	if (code == -EPERM || code == -EACCES)
		return error_set(err, code,
			"the kernel refuses to %s: it takes root, or CAP_BPF and CAP_PERFMON, and "
			"no lockdown",
			what);
	return error_set(err, code, "cannot %s: %s", what, strerror(-code));
}

static int source_drops_load(
	struct source *s, struct drops *d, const struct drops_settings *o, struct error *err)
{
	int r;

	d->bpf = drops_bpf__open();
	if (!d->bpf)
		return source_drops_refused("open the program", -errno, err);
	r = source_drops_configure(s, d, o, err);
	if (r)
		return r;
	r = drops_bpf__load(d->bpf);
	if (r)
		return source_drops_refused("load the program", r, err);
	d->events =
		ring_buffer__new(bpf_map__fd(d->bpf->maps.events), source_drops_on_event, s, NULL);
	if (!d->events)
		return source_drops_refused("map the buffer", -errno, err);
	r = drops_bpf__attach(d->bpf);
	return r ? source_drops_refused("attach the program", r, err) : 0;
}

int source_open_drops(struct source *s, const struct drops_settings *drops,
	const struct source_settings *settings, struct error *err)
{
	struct drops *d = mem_zalloc(sizeof(*d));
	int r;

	s->ops = &drops_ops;
	s->impl = d;
	s->settings = *settings;
	s->settings.filter = NULL; /* of drops every IPv4, IPv6 and ARP packet is wanted */
	s->settings.promiscuous = false;
	if (s->settings.snaplen > DROPS_DATA)
		s->settings.snaplen = DROPS_DATA;
	s->kind = SOURCE_KERNEL;
	s->link_type = LINKTYPE_SLL2;
	s->fd = -1;
	s->counts_exactly = true;
	snprintf(s->name, sizeof(s->name), SOURCE_DROPS_NAME);
	hashmap_init(&d->functions, sizeof(uint64_t), DROPS_FUNCTION, FUNCTIONS_MAX);
	(void)libbpf_set_print(NULL); /* what fails is said in one line */
	r = drops_reasons_load(&d->reasons, err);
	if (!r)
		r = source_drops_load(s, d, drops, err);
	if (!r)
		s->fd = bpf_map__fd(d->bpf->maps.events);
	return r;
}
