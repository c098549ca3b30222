#include "read/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/compiler.h"
#include "base/mem.h"

#define LINKTYPE_RAW 101
#define LINKTYPE_NFLOG 239
#define LINKTYPE_SLL 113
#define LINKTYPE_ETHERNET 1

/* A program returns this for a frame that passes; with 0 none would. */
#define TAKE_ALL 262144

struct filter_program {
	struct filter_program *next;
	uint32_t link_type;
	struct bpf_program bpf;
	char *unfit; /* why it cannot be compiled; NULL: it is */
	bool nflog;  /* apply it to the payload attribute */
};

struct filter {
	char *expression;
	pthread_mutex_t lock; /* of programs; they never change once they are in it */
	struct filter_program *programs;
};

/* The few LINKTYPE_ values whose DLT_ number differs on Linux (pcap-linktype(7)). */
static int filter_dlt_of(uint32_t link_type)
{
	switch (link_type) {
	case 100:
		return DLT_ATM_RFC1483;
	case LINKTYPE_RAW:
	case LINKTYPE_NFLOG: /* its payload is an IP packet */
		return DLT_RAW;
	default:
		return (int)link_type;
	}
}

static struct filter_program *filter_compile(const char *expression, uint32_t link_type)
{
	struct filter_program *p = mem_zalloc(sizeof(*p));
	pcap_t *dead = pcap_open_dead(filter_dlt_of(link_type), TAKE_ALL);

	p->link_type = link_type;
	p->nflog = link_type == LINKTYPE_NFLOG;
	if (!dead)
		p->unfit = mem_strdup("libpcap is out of memory");
	else if (pcap_compile(dead, &p->bpf, expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
		p->unfit = mem_strdup(pcap_geterr(dead));
	if (dead)
		pcap_close(dead);
	return p;
}

static void filter_program_free(struct filter_program *p)
{
	if (!p->unfit)
		pcap_freecode(&p->bpf);
	free(p->unfit);
	free(p);
}

/* With the lock held. */
static struct filter_program *filter_program_for(struct filter *fi, uint32_t link_type)
{
	struct filter_program *p;

	for (p = fi->programs; p; p = p->next) {
		if (p->link_type == link_type)
			return p;
	}
	p = filter_compile(fi->expression, link_type);
	p->next = fi->programs;
	fi->programs = p;
	return p;
}

int filter_for(struct filter *fi, uint32_t link_type, const struct filter_program **ret_program,
	struct error *err)
{
	struct filter_program *p;

	(void)pthread_mutex_lock(&fi->lock);
	p = filter_program_for(fi, link_type);
	(void)pthread_mutex_unlock(&fi->lock);
	if (p->unfit)
		return error_set(err, FILTER_UNFIT, "the filter '%s' does not fit link type %u: %s",
			fi->expression, link_type, p->unfit);
	*ret_program = p;
	return 0;
}

int filter_new(struct filter **ret_filter, const char *expression, struct error *err)
{
	/* Each knows words that another does not ("ether", "inbound"). */
	static const uint32_t link_types[] = {LINKTYPE_ETHERNET, LINKTYPE_SLL, LINKTYPE_RAW};
	struct filter *fi = mem_zalloc(sizeof(*fi));
	const struct filter_program *first = NULL;
	bool fits = false;

	fi->expression = mem_strdup(expression);
	(void)pthread_mutex_init(&fi->lock, NULL); /* cannot fail with glibc */
	for (unsigned int i = 0; i < 3 && !fits; i++) {
		const struct filter_program *p = filter_program_for(fi, link_types[i]);

		first = first ? first : p;
		fits = !p->unfit;
	}
	if (!fits) {
		(void)error_set(err, -EINVAL, "cannot use the filter '%s': %s; see pcap-filter(7)",
			expression, first->unfit);
		(void)filter_free(fi);
		return -EINVAL;
	}
	*ret_filter = fi;
	return 0;
}

struct filter *filter_free(struct filter *fi)
{
	struct filter_program *p, *next;

	if (!fi)
		return NULL;
	for (p = fi->programs; p; p = next) {
		next = p->next;
		filter_program_free(p);
	}
	(void)pthread_mutex_destroy(&fi->lock);
	free(fi->expression);
	free(fi);
	return NULL;
}

/*
 * The payload (attribute 9) of an NFLOG frame: 4 bytes, then attributes of length, type and value,
 * aligned to 4. Length and type are in the byte order of the writing machine, which the first
 * attribute gives away: only in one order is it short enough.
 */
static bool filter_nflog_payload(const struct frame *f, struct cursor *ret_payload)
{
	enum { HEADER = 4, PAYLOAD = 9, TYPE_MASK = 0x3fff };
	struct cursor c = cur_of(f->data, f->cap_len);
	const uint8_t *h;
	bool big;

	if (!cur_take(&c, HEADER) || !(h = cur_peek(&c, HEADER)))
		return false;
	big = le16(h) > c.left || le16(h) < HEADER || (le16(h + 2) & TYPE_MASK) > 0xff;
	while ((h = cur_take(&c, HEADER))) {
		size_t length = big ? be16(h) : le16(h);
		unsigned int type = (big ? be16(h + 2) : le16(h + 2)) & TYPE_MASK;

		if (length < HEADER)
			return false;
		length -= HEADER;
		if (type == PAYLOAD) {
			cur_limit(&c, length);
			*ret_payload = c;
			return true;
		}
		if (!cur_take(&c, (length + 3) & ~(size_t)3))
			return false;
	}
	return false;
}

NOINLINE bool filter_matches(const struct filter_program *program, const struct frame *f)
{
	struct cursor c = cur_of(f->data, f->cap_len);
	uint32_t wire_len = f->wire_len;

	if (program->nflog) {
		if (!filter_nflog_payload(f, &c))
			return false;
		wire_len = (uint32_t)c.left; /* what the kernel copied; the rest is not counted */
	}
	return bpf_filter(program->bpf.bf_insns, c.at, wire_len, (u_int)c.left) != 0;
}
