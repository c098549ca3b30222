/* The neighbour table by rtnetlink, from replies of our own: two functions of libmnl are defined
 * here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "collector.h"

/* What the kernel holds and says next. */
static struct {
	const char *ip;
	uint8_t mac[6];
	bool is_interrupted; /* the table changed while it was read */
	bool is_event;	     /* a change is waiting */
	struct nlmsghdr asked;
} kernel;

static struct nlmsghdr *put_neighbor(void *at, uint32_t seq, uint32_t port)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct in_addr ip;
	struct ndmsg *m;

	h->nlmsg_type = RTM_NEWNEIGH;
	h->nlmsg_flags = NLM_F_MULTI;
	h->nlmsg_seq = seq;
	h->nlmsg_pid = port;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ndm_family = AF_INET;
	m->ndm_ifindex = 7;
	m->ndm_state = NUD_REACHABLE;
	assert_int_equal(inet_pton(AF_INET, kernel.ip, &ip), 1);
	mnl_attr_put(h, NDA_DST, sizeof(ip), &ip);
	mnl_attr_put(h, NDA_LLADDR, sizeof(kernel.mac), kernel.mac);
	return h;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *s, const void *request, size_t n)
{
	kernel.asked = *(const struct nlmsghdr *)request;
	kernel.asked.nlmsg_pid = mnl_socket_get_portid(s);
	/* The first word behind the header begins with the family. */
	kernel.asked.nlmsg_type = ((const uint8_t *)request)[MNL_NLMSG_HDRLEN];
	return (ssize_t)n;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *s, void *message, size_t size)
{
	uint32_t seq = kernel.asked.nlmsg_seq, port = kernel.asked.nlmsg_pid;
	struct nlmsghdr *h, *done;

	(void)s;
	memset(message, 0, size < 4096 ? size : 4096);
	if (kernel.is_event) {
		kernel.is_event = false;
		return put_neighbor(message, 0, 0)->nlmsg_len;
	}
	if (!kernel.asked.nlmsg_seq) {
		errno = EAGAIN;
		return -1;
	}
	kernel.asked.nlmsg_seq = 0;
	h = kernel.asked.nlmsg_type == AF_INET && !kernel.is_interrupted
		    ? put_neighbor(message, seq, port)
		    : NULL;
	done = mnl_nlmsg_put_header((char *)message + (h ? h->nlmsg_len : 0));
	done->nlmsg_type = NLMSG_DONE;
	done->nlmsg_flags = NLM_F_MULTI | (kernel.is_interrupted ? NLM_F_DUMP_INTR : 0);
	done->nlmsg_seq = seq;
	done->nlmsg_pid = port;
	mnl_nlmsg_put_extra_header(done, sizeof(int));
	return (ssize_t)((h ? h->nlmsg_len : 0) + done->nlmsg_len);
}

/* The table of before is kept when the next one could not be read whole: a change says what was. */
static void test_interrupted(void **state)
{
	struct strbuf json CLEANUP_STRBUF = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct host h = {.facts = fact_new()};

	(void)state;
	h.rtnl = rtnl_open(&err);
	assert_non_null(h.rtnl);
	kernel.ip = "10.0.0.1";
	kernel.mac[5] = 0x48;
	facts_neighbors(&h, false);
	kernel.is_interrupted = true;
	facts_neighbors(&h, false);
	kernel.is_event = true;
	kernel.mac[5] = 0x70;
	facts_rtnl_events(&h);
	fact_drain(h.facts, &(struct fact_out){.json = &json});
	assert_non_null(json.text);
	assert_non_null(strstr(json.text, "mac=00:00:00:00:00:48"));
	assert_non_null(strstr(json.text, "event=changed ip=10.0.0.1"));
	assert_non_null(strstr(json.text, "was_mac=00:00:00:00:00:48"));
	neighbors_free(h.neighbors);
	rtnl_close(h.rtnl);
	fact_free(h.facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_interrupted)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
