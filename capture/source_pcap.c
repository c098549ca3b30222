/* A network interface through libpcap: TPACKET_V3 ring, nanosecond CLOCK_REALTIME timestamps. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/nsec.h"

#define WHOLE 262144 /* longer than any packet */

struct nic {
	pcap_t *pcap;
	uint8_t mac[6];
	bool has_mac;
	uint32_t last_recv, last_drop, last_ifdrop; /* libpcap's 32-bit counters wrap */
};

/*
 * Only what the frame itself proves: own source MAC: outbound; own destination MAC: inbound. Group
 * and other addresses may go either way on bridges and with virtual MACs.
 */
static uint32_t source_pcap_direction(
	const struct source *s, const struct nic *n, const uint8_t *p, uint32_t len)
{
	if (s->link_type == DLT_LINUX_SLL2 && len >= 20)
		return p[10] == LINUX_SLL_OUTGOING ? PCAPNG_OUTBOUND : PCAPNG_INBOUND;
	if (!n->has_mac || len < 12)
		return 0;
	if (!memcmp(p + 6, n->mac, 6))
		return PCAPNG_OUTBOUND;
	return memcmp(p, n->mac, 6) ? 0 : PCAPNG_INBOUND;
}

static void source_pcap_on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct source *s = (struct source *)user;
	const struct nic *n = s->impl;
	struct payload_hash hash;
	struct record r = {
		/* tv_usec holds nanoseconds: the precision was set so. */
		.time_ns = (int64_t)h->ts.tv_sec * NSEC_PER_SEC + h->ts.tv_usec,
		.data = bytes,
		.cap_len = h->caplen,
		.wire_len = h->len,
	};

	r.flags = source_pcap_direction(s, n, bytes, h->caplen);
	source_cut(s, s->settings.snaplen, &r, &hash);
	s->taken++;
	s->sink(s->sink_arg, s, &r);
}

static bool source_pcap_takes_whole(const struct source *s)
{
	return s->settings.hashes && !s->settings.payload;
}

static int source_pcap_nic_dispatch(struct source *s, int max)
{
	struct nic *n = s->impl;

	if (pcap_dispatch(n->pcap, max, source_pcap_on_packet, (u_char *)s) >= 0)
		return 0;
	/* libpcap reports whether the interface is gone; one that is only down recovers. */
	s->state = SOURCE_GONE;
	snprintf(s->note, sizeof(s->note), "%s: %s", s->name, pcap_geterr(n->pcap));
	return SOURCE_ENDED;
}

static void source_pcap_nic_stats(struct source *s)
{
	struct nic *n = s->impl;
	struct pcap_stat st;

	if (pcap_stats(n->pcap, &st) < 0)
		return;
	s->offered += st.ps_recv - n->last_recv;
	s->dropped_kernel += st.ps_drop - n->last_drop;
	if (s->settings.promiscuous) {
		/* libpcap updates this counter only in promiscuous mode. */
		s->dropped_interface += st.ps_ifdrop - n->last_ifdrop;
		s->has_dropped_interface = true;
	}
	n->last_recv = st.ps_recv;
	n->last_drop = st.ps_drop;
	n->last_ifdrop = st.ps_ifdrop;
}

static void source_pcap_nic_close(struct source *s)
{
	struct nic *n = s->impl;

	if (n->pcap)
		pcap_close(n->pcap);
	free(n);
}

static const struct source_ops nic_ops = {
	source_pcap_nic_dispatch, source_pcap_nic_stats, source_pcap_nic_close};

static void source_pcap_read_mac(struct source *s, struct nic *n)
{
	struct ifreq req = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	memcpy(req.ifr_name, s->name, strnlen(s->name, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFHWADDR, &req) == 0 && req.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
		memcpy(n->mac, req.ifr_hwaddr.sa_data, sizeof(n->mac));
		n->has_mac = s->link_type == DLT_EN10MB;
	}
	close(fd);
}

/* A BPF program returns how many bytes of a packet go into the ring: the snap length of those that
 * "tcp" chooses, all of others. wanted: which packets at all. */
static int source_pcap_join_filters(struct bpf_insn *joined, const struct bpf_program *wanted,
	const struct bpf_program *tcp, uint32_t snaplen)
{
	for (uint32_t i = 0; i < wanted->bf_len; i++) {
		joined[i] = wanted->bf_insns[i];
		if (joined[i].code == (BPF_RET | BPF_K) && joined[i].k)
			joined[i] =
				(struct bpf_insn)BPF_STMT(BPF_JMP | BPF_JA, wanted->bf_len - i - 1);
	}
	for (uint32_t i = 0; i < tcp->bf_len; i++) {
		struct bpf_insn *to = &joined[wanted->bf_len + i];

		*to = tcp->bf_insns[i];
		if (to->code == (BPF_RET | BPF_K))
			to->k = to->k ? snaplen : WHOLE;
	}
	return (int)(wanted->bf_len + tcp->bf_len);
}

/* Whole datagrams are hashed; of TCP the ring has the headers, as without hashes. */
static int source_pcap_set_joined(const struct source *s, struct nic *n, struct bpf_program *wanted)
{
	struct bpf_program tcp, both = {0};
	int r;

	if (pcap_compile(n->pcap, &tcp, "tcp", 1, PCAP_NETMASK_UNKNOWN) < 0)
		return pcap_setfilter(n->pcap, wanted);
	both.bf_insns = mem_array(wanted->bf_len + tcp.bf_len, sizeof(*both.bf_insns));
	both.bf_len = (unsigned int)source_pcap_join_filters(
		both.bf_insns, wanted, &tcp, s->settings.snaplen);
	r = pcap_setfilter(n->pcap, &both);
	free(both.bf_insns);
	pcap_freecode(&tcp);
	return r;
}

static int source_pcap_set_filter(struct source *s, struct nic *n, struct error *err)
{
	const char *filter = s->settings.filter ? s->settings.filter : "";
	struct bpf_program program;
	int r;

	if (!s->settings.filter && !source_pcap_takes_whole(s))
		return 0;
	if (pcap_compile(n->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return error_set(
			err, -EINVAL, "invalid filter '%s': %s", filter, pcap_geterr(n->pcap));
	r = source_pcap_takes_whole(s) ? source_pcap_set_joined(s, n, &program)
				       : pcap_setfilter(n->pcap, &program);
	pcap_freecode(&program);
	return r < 0 ? error_set(err, -EINVAL, "cannot set the filter on '%s': %s", s->name,
			       pcap_geterr(n->pcap))
		     : 0;
}

static int source_pcap_activate_error(
	const struct source *s, pcap_t *p, int code, struct error *err)
{
	switch (code) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return error_set(err, -ENODEV, "no interface '%s' on this host", s->name);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return error_set(err, -EPERM,
			"no permission to capture on '%s': start as root or with CAP_NET_RAW",
			s->name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return error_set(err, -ENETDOWN, "interface '%s' is down: ip link set %s up",
			s->name, s->name);
	default:
		return error_set(err, -EIO, "cannot capture on '%s': %s", s->name, pcap_geterr(p));
	}
}

static int source_pcap_activate(struct source *s, struct nic *n, struct error *err)
{
	pcap_t *p = n->pcap;
	int code;

	(void)pcap_set_snaplen(p, source_pcap_takes_whole(s) ? WHOLE : (int)s->settings.snaplen);
	(void)pcap_set_promisc(p, s->settings.promiscuous);
	(void)pcap_set_timeout(p, 100);
	(void)pcap_set_buffer_size(p, (int)s->settings.buffer_bytes);
	if (pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO))
		return error_set(err, -ENOTSUP, "'%s' has no nanosecond timestamps", s->name);
	code = pcap_activate(p);
	if (code < 0)
		return source_pcap_activate_error(s, p, code, err);
	if (!strcmp(s->name, "any"))
		(void)pcap_set_datalink(p, DLT_LINUX_SLL2); /* else the older SLL: fine too */
	s->link_type = (uint16_t)pcap_datalink(p);
	return 0;
}

int source_open_pcap(struct source *s, const char *interface,
	const struct source_settings *settings, struct error *err)
{
	char text[PCAP_ERRBUF_SIZE];
	struct nic *n = mem_zalloc(sizeof(*n));
	int code;

	s->ops = &nic_ops;
	s->impl = n;
	s->settings = *settings;
	s->fd = -1;
	snprintf(s->name, sizeof(s->name), "%s", interface);
	n->pcap = pcap_create(interface, text);
	if (!n->pcap)
		return error_set(err, -ENODEV, "cannot capture on '%s': %s", interface, text);
	code = source_pcap_activate(s, n, err);
	if (!code)
		code = source_pcap_set_filter(s, n, err);
	if (code)
		return code;
	source_pcap_read_mac(s, n);
	if (pcap_setnonblock(n->pcap, 1, text) < 0)
		return error_set(
			err, -EIO, "cannot set '%s' to non-blocking mode: %s", interface, text);
	s->fd = pcap_get_selectable_fd(n->pcap);
	/* Loopback: libpcap counts both copies of a packet and delivers one. */
	s->counts_exactly = strcmp(interface, "lo") && strcmp(interface, "any");
	return 0;
}
