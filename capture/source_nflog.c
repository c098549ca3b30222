/*
 * A netfilter log group through libnetfilter_log. A record becomes a LINKTYPE_NFLOG frame: family,
 * version 0, group (big-endian), then the kernel's attributes unchanged (pcap-linktype, 239).
 */
#include "source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "trim.h"

#define FRAME_MAX (256U * 1024)
#define MESSAGE_MAX (1U << 17)

struct group {
	struct nflog_handle *handle;
	struct nflog_g_handle *group;
	uint16_t number;
	uint32_t next_seq;
	char *message;
	uint8_t *frame;
	uint32_t length;
};

static void source_nflog_put_tlv(struct group *g, uint16_t type, const void *value, uint32_t length)
{
	uint16_t head[2] = {(uint16_t)(length + 4), type};

	if (g->length + length + 8 > FRAME_MAX || length > UINT16_MAX - 4)
		return;
	memcpy(g->frame + g->length, head, sizeof(head));
	memcpy(g->frame + g->length + 4, value, length);
	g->length += 4 + length;
	memset(g->frame + g->length, 0, -g->length & 3U);
	g->length += -g->length & 3U;
}

static void source_nflog_put_be32(struct group *g, uint16_t type, uint32_t value)
{
	value = htonl(value);
	source_nflog_put_tlv(g, type, &value, sizeof(value));
}

static void source_nflog_put_devices(struct group *g, struct nflog_data *d)
{
	uint32_t v;

	if ((v = nflog_get_indev(d)))
		source_nflog_put_be32(g, NFULA_IFINDEX_INDEV, v);
	if ((v = nflog_get_outdev(d)))
		source_nflog_put_be32(g, NFULA_IFINDEX_OUTDEV, v);
	if ((v = nflog_get_physindev(d)))
		source_nflog_put_be32(g, NFULA_IFINDEX_PHYSINDEV, v);
	if ((v = nflog_get_physoutdev(d)))
		source_nflog_put_be32(g, NFULA_IFINDEX_PHYSOUTDEV, v);
}

static void source_nflog_put_link_layer(struct group *g, struct nflog_data *d)
{
	struct nfulnl_msg_packet_hw *hw = nflog_get_packet_hw(d);
	uint16_t type = htons(nflog_get_hwtype(d)),
		 length = (uint16_t)nflog_get_msg_packet_hwhdrlen(d);
	uint16_t length_be = htons(length);

	if (hw)
		source_nflog_put_tlv(g, NFULA_HWADDR, hw, sizeof(*hw));
	if (!length)
		return;
	source_nflog_put_tlv(g, NFULA_HWTYPE, &type, sizeof(type));
	source_nflog_put_tlv(g, NFULA_HWHEADER, nflog_get_msg_packet_hwhdr(d), length);
	source_nflog_put_tlv(g, NFULA_HWLEN, &length_be, sizeof(length_be));
}

/* The kernel's timestamp, or the current time if the hook set none. */
static int64_t source_nflog_record_time(struct source *s, struct group *g, struct nflog_data *d)
{
	struct timespec now;
	struct timeval tv;
	uint64_t be[2];

	if (nflog_get_timestamp(d, &tv) == 0) {
		be[0] = __builtin_bswap64((uint64_t)tv.tv_sec);
		be[1] = __builtin_bswap64((uint64_t)tv.tv_usec);
		source_nflog_put_tlv(g, NFULA_TIMESTAMP, be, sizeof(be));
		return (int64_t)tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC;
	}
	s->read_stamps++;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* A gap in the sequence numbers is the exact number of records lost in the kernel. */
static void source_nflog_count_gap(struct source *s, struct group *g, uint32_t seq)
{
	uint32_t lost = seq - g->next_seq;

	if (lost < UINT32_C(1) << 31) {
		s->dropped_kernel += lost;
		s->recorded.lost_since_packet += lost;
		s->offered += lost;
	}
	g->next_seq = seq + 1;
}

static void source_nflog_put_identity(struct source *s, struct group *g, struct nflog_data *d)
{
	char *prefix = nflog_get_prefix(d);
	uint32_t v;

	if ((v = nflog_get_nfmark(d)))
		source_nflog_put_be32(g, NFULA_MARK, v);
	if (prefix && prefix[0])
		source_nflog_put_tlv(g, NFULA_PREFIX, prefix, (uint32_t)strlen(prefix) + 1);
	if (nflog_get_uid(d, &v) == 0)
		source_nflog_put_be32(g, NFULA_UID, v);
	if (nflog_get_gid(d, &v) == 0)
		source_nflog_put_be32(g, NFULA_GID, v);
	if (nflog_get_seq(d, &v) == 0) {
		source_nflog_put_be32(g, NFULA_SEQ, v);
		source_nflog_count_gap(s, g, v);
	}
	if (nflog_get_seq_global(d, &v) == 0)
		source_nflog_put_be32(g, NFULA_SEQ_GLOBAL, v);
}

/* The packet's length on the wire, from the IP header: the copy may be shorter. */
static uint32_t source_nflog_ip_length(const uint8_t *p, uint32_t n)
{
	if (n >= 20 && p[0] >> 4 == 4)
		return (uint32_t)(p[2] << 8 | p[3]);
	if (n >= 40 && p[0] >> 4 == 6)
		return 40U + (uint32_t)(p[4] << 8 | p[5]);
	return n;
}

static int source_nflog_on_record(
	struct nflog_g_handle *gh, struct nfgenmsg *msg, struct nflog_data *d, void *arg)
{
	struct source *s = arg;
	struct group *g = s->impl;
	struct nfulnl_msg_packet_hdr *header = nflog_get_msg_packet_hdr(d);
	uint16_t number = htons(g->number);
	struct record r = {.data = g->frame};
	uint32_t kept, whole;
	struct trim_payload cut = {0};
	struct payload_hash hash;
	char *payload = NULL;
	int length = nflog_get_payload(d, &payload);

	(void)gh;
	g->frame[0] = msg->nfgen_family;
	g->frame[1] = 0;
	memcpy(g->frame + 2, &number, sizeof(number));
	g->length = 4;
	if (header)
		source_nflog_put_tlv(g, NFULA_PACKET_HDR, header, sizeof(*header));
	source_nflog_put_devices(g, d);
	source_nflog_put_identity(s, g, d);
	source_nflog_put_link_layer(g, d);
	r.time_ns = source_nflog_record_time(s, g, d);
	kept = length > 0 ? (uint32_t)length : 0;
	whole = kept ? source_nflog_ip_length((uint8_t *)payload, kept) : 0;
	if (kept && !s->settings.payload)
		kept = trim_ip((uint8_t *)payload, kept, &cut);
	if (kept > s->settings.snaplen)
		kept = s->settings.snaplen;
	if (cut.at && s->settings.hashes) {
		hash = payload_hash_of(&s->settings.key, cut.at, cut.length);
		r.hash = &hash;
	}
	if (kept)
		source_nflog_put_tlv(g, NFULA_PAYLOAD, payload, kept);
	r.cap_len = g->length;
	r.wire_len = g->length + (whole > kept ? whole - kept : 0);
	s->offered++;
	s->taken++;
	s->sink(s->sink_arg, s, &r);
	return 0;
}

static int source_nflog_group_dispatch(struct source *s, int max)
{
	struct group *g = s->impl;
	ssize_t n;

	for (; max > 0; max--) {
		n = recv(s->fd, g->message, MESSAGE_MAX, MSG_DONTWAIT);
		if (n > 0) {
			(void)nflog_handle_packet(
				g->handle, g->message, (int)n); /* malformed: skipped */
		} else if (n < 0 && errno == ENOBUFS) {
			s->no_buffer++;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n == 0 || errno == EAGAIN) {
			return 0;
		} else {
			s->state = SOURCE_GONE;
			snprintf(s->note, sizeof(s->note), "%s: %s", s->name, strerror(errno));
			return SOURCE_ENDED;
		}
	}
	return 0;
}

static void source_nflog_group_stats(struct source *s)
{
	(void)s; /* counted as records come */
}

static void source_nflog_group_close(struct source *s)
{
	struct group *g = s->impl;

	/* Closing the socket ends the binding; unbinding needs privileges that were dropped. */
	if (g->handle)
		(void)nflog_close(g->handle);
	free(g->message);
	free(g->frame);
	free(g->group);
	free(g);
}

static const struct source_ops group_ops = {
	source_nflog_group_dispatch, source_nflog_group_stats, source_nflog_group_close};

static int source_nflog_open_error(const struct source *s, struct error *err)
{
	if (errno == EPERM)
		return error_set(err, -EPERM,
			"no permission for '%s': start as root or with CAP_NET_ADMIN", s->name);
	if (errno == EBUSY)
		return error_set(err, -EBUSY, "'%s' is in use by another program", s->name);
	return error_errno(err, "cannot open '%s'", s->name);
}

/* Delivers each record at once (qthresh 1), so that the time of reading can replace a missing
 * kernel timestamp. */
static int source_nflog_configure(struct source *s, struct group *g, struct error *err)
{
	uint32_t copy = s->settings.snaplen < 0xffff - 4 ? s->settings.snaplen : 0xffff - 4;
	int size = (int)s->settings.buffer_bytes, fd = nflog_fd(g->handle);

	if (nflog_set_mode(g->group, NFULNL_COPY_PACKET, copy) < 0 ||
		nflog_set_qthresh(g->group, 1) < 0 || nflog_set_timeout(g->group, 1) < 0 ||
		nflog_set_flags(g->group, NFULNL_CFG_F_SEQ | NFULNL_CFG_F_SEQ_GLOBAL) < 0)
		return source_nflog_open_error(s, err);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(
			fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)); /* as much as allowed */
	(void)nflog_callback_register(g->group, source_nflog_on_record, s);
	return 0;
}

int source_open_nflog(struct source *s, uint16_t number, const struct source_settings *settings,
	struct error *err)
{
	struct group *g = mem_zalloc(sizeof(*g));

	s->ops = &group_ops;
	s->impl = g;
	s->settings = *settings;
	s->settings.filter = NULL; /* the nftables rules decide what is logged */
	s->settings.promiscuous = false;
	s->kind = SOURCE_NETFILTER;
	s->link_type = LINKTYPE_NFLOG;
	s->fd = -1;
	s->counts_exactly = true;
	snprintf(s->name, sizeof(s->name), "nflog:%u", number);
	g->number = number;
	g->message = mem_alloc(MESSAGE_MAX);
	g->frame = mem_alloc(FRAME_MAX);
	g->handle = nflog_open();
	if (!g->handle)
		return source_nflog_open_error(s, err);
	g->group = nflog_bind_group(g->handle, number);
	if (!g->group)
		return source_nflog_open_error(s, err);
	s->fd = nflog_fd(g->handle);
	return source_nflog_configure(s, g, err);
}
