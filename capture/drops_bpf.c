/*
 * Every packet that the kernel drops, with its reason (tracepoint skb:kfree_skb). Loads on any
 * kernel since 5.17: libbpf finds the members of the structures below by name in the running
 * kernel's BTF.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "drops_event.h"

#define NAMED __attribute__((preserve_access_index))
#define ETHER_IPV4 __builtin_bswap16(0x0800)
#define ETHER_IPV6 __builtin_bswap16(0x86dd)
#define ETHER_ARP __builtin_bswap16(0x0806)
#define NO_MAC_HEADER 0xffff
#define ARPHRD_ETHER 1
#define FUNCTIONS_MAX 4096
#define WINDOW_NS 100000000

struct ns_common {
	unsigned int inum;
} NAMED;

struct net {
	struct ns_common ns;
} NAMED;

typedef struct {
	struct net *net;
} NAMED possible_net_t;

struct net_device {
	int ifindex;
	unsigned short type;
	possible_net_t nd_net;
	char name[16];
} NAMED;

struct sock_common {
	unsigned short skc_family;
	possible_net_t skc_net;
} NAMED;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
} NAMED;

struct skb_shared_info {
	unsigned short gso_segs;
} NAMED;

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len, data_len;
	__u8 pkt_type : 3;
	int skb_iif;
	__be16 protocol;
	__u16 network_header, mac_header;
	unsigned int tail, end;
	unsigned char *head, *data;
} NAMED;

/* Set before loading. */
const volatile __u32 own_netns;	   /* 0: drops in all namespaces */
const volatile __u32 window_limit; /* packets in a tenth of a second; 0: no limit */
const volatile __u64 unwanted[DROPS_REASONS / 64];
const volatile _Bool has_socket; /* the tracepoint names the socket (since 6.11) */

/* Counters that the agent reads. seen: packets that pass the filters. */
__u64 seen, no_room, limited;

static __u64 window_begin, window_packets;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FUNCTIONS_MAX);
	__type(key, __u64);
	__type(value, __u8);
} functions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drops_packet);
} scratch SEC(".maps");

static __always_inline _Bool drops_is_wanted(const struct sk_buff *skb, __u32 reason)
{
	__u16 protocol = BPF_CORE_READ(skb, protocol);
	__u32 word = reason / 64;

	if (protocol != ETHER_IPV4 && protocol != ETHER_IPV6 && protocol != ETHER_ARP)
		return 0;
	if (reason >= DROPS_REASONS)
		return 1;
	barrier_var(word); /* or the compiler takes the mask away that the verifier wants to see */
	return !(unwanted[word & (DROPS_REASONS / 64 - 1)] >> (reason % 64) & 1);
}

/* A packet may be counted in the window before its own: it is a limit, not a measurement. */
static __always_inline _Bool drops_is_above_limit(__u64 now_ns)
{
	if (!window_limit)
		return 0;
	if (now_ns - window_begin >= WINDOW_NS) {
		window_begin = now_ns;
		window_packets = 0;
	}
	return __sync_fetch_and_add(&window_packets, 1) >= window_limit;
}

static __always_inline __u32 drops_netns(const struct net_device *dev, const struct sock *sk)
{
	if (dev)
		return BPF_CORE_READ(dev, nd_net.net, ns.inum);
	return sk ? BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) : 0;
}

static __always_inline void drops_set_device(
	struct drops_packet *p, const struct sk_buff *skb, const struct net_device *dev)
{
	int iif = BPF_CORE_READ(skb, skb_iif);

	p->received = iif != 0;
	p->ifindex = dev ? BPF_CORE_READ(dev, ifindex) : iif;
	p->link_type = dev ? BPF_CORE_READ(dev, type) : ARPHRD_ETHER;
	p->interface[0] = 0;
	if (dev)
		bpf_core_read_str(p->interface, sizeof(p->interface), &dev->name);
}

static __always_inline void drops_set_socket(struct drops_packet *p, const struct sock *sk)
{
	p->family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
	p->socket = sk ? BPF_CORE_READ(sk, sk_type) : 0;
}

/* The sender's MAC, where an Ethernet header stands before the network header. */
static __always_inline void drops_set_source(
	struct drops_packet *p, const struct sk_buff *skb, const unsigned char *head, __u16 network)
{
	__u16 mac = BPF_CORE_READ(skb, mac_header);

	p->has_source = mac != NO_MAC_HEADER && network >= mac + 14 &&
			p->link_type == ARPHRD_ETHER &&
			!bpf_probe_read_kernel(p->source, sizeof(p->source), head + mac + 6);
}

/* The mask says to the verifier, in terms that every kernel's understands, what the line above
 * does. */
static __always_inline __u32 drops_at_most_data(__u32 n)
{
	n = n < DROPS_DATA ? n : DROPS_DATA - 1;
	barrier_var(n);
	return n & (DROPS_DATA - 1);
}

/* From the network header on, as much as lies in one piece: headers do. False: it cannot be read.
 */
static __always_inline _Bool drops_set_data(struct drops_packet *p, const struct sk_buff *skb)
{
	const unsigned char *head = BPF_CORE_READ(skb, head), *data = BPF_CORE_READ(skb, data);
	const struct skb_shared_info *shared = (const void *)(head + BPF_CORE_READ(skb, end));
	__u16 network = BPF_CORE_READ(skb, network_header);
	__u32 begin = network ? network : (__u32)(data - head), tail = BPF_CORE_READ(skb, tail);
	__u32 kept = drops_at_most_data(tail > begin ? tail - begin : 0);

	p->length = BPF_CORE_READ(skb, len) + (__u32)(data - head) - begin;
	p->segments = BPF_CORE_READ(shared, gso_segs);
	drops_set_source(p, skb, head, (__u16)begin);
	p->kept = kept;
	return kept && !bpf_probe_read_kernel(p->data, kept, head + begin);
}

/* Tells the function's name once. Where there was no room it is told with its next packet. */
static __always_inline void drops_tell_name(__u64 function)
{
	static const char format[] = "%ps"; /* in a section that has a name */
	struct drops_name *n;
	__u8 told = 1;

	if (bpf_map_lookup_elem(&functions, &function))
		return;
	n = bpf_ringbuf_reserve(&events, sizeof(*n), 0);
	if (!n)
		return;
	n->kind = DROPS_NAME;
	n->unused = 0;
	n->function = function;
	__builtin_memset(n->name, 0, sizeof(n->name));
	bpf_snprintf(n->name, sizeof(n->name), format, &function, sizeof(function));
	bpf_ringbuf_submit(n, 0);
	bpf_map_update_elem(&functions, &function, &told, BPF_ANY);
}

static __always_inline void drops_hand_over(
	const struct sk_buff *skb, const struct sock *sk, __u64 function, __u32 reason, __u32 netns)
{
	const struct net_device *dev = BPF_CORE_READ(skb, dev);
	__u64 now_ns = bpf_ktime_get_ns();
	struct drops_packet *p;
	__u32 zero = 0;

	if (drops_is_above_limit(now_ns)) {
		__sync_fetch_and_add(&limited, 1);
		return;
	}
	p = bpf_map_lookup_elem(&scratch, &zero);
	if (!p)
		return;
	drops_tell_name(function);
	p->kind = DROPS_PACKET;
	p->reason = reason;
	p->at_ns = now_ns;
	p->function = function;
	p->netns = netns;
	p->protocol = BPF_CORE_READ(skb, protocol);
	p->type = BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	drops_set_device(p, skb, dev);
	drops_set_socket(p, sk);
	if (!drops_set_data(p, skb) ||
		bpf_ringbuf_output(&events, p, DROPS_HEAD + drops_at_most_data(p->kept), 0))
		__sync_fetch_and_add(&no_room, 1);
}

SEC("tp_btf/kfree_skb")
int drops_on_free(__u64 *ctx)
{
	const struct sk_buff *skb = (const void *)ctx[0];
	const struct sock *sk = BPF_CORE_READ(skb, sk);
	__u32 reason = (__u32)ctx[2], netns;

	if (has_socket && ctx[3])
		sk = (const void *)ctx[3];
	if (!drops_is_wanted(skb, reason))
		return 0;
	netns = drops_netns(BPF_CORE_READ(skb, dev), sk);
	if (own_netns && netns != own_netns)
		return 0;
	__sync_fetch_and_add(&seen, 1);
	drops_hand_over(skb, sk, ctx[1], reason, netns);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
