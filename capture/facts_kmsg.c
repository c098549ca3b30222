/* Kernel log lines that explain lost packets, from /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/kernlog.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "collector.h"

#define HISTORY 200
#define PER_SECOND 50

struct kmsg {
	int fd;
	bool history;	   /* still reading lines from before the start */
	int64_t zero_ns;   /* realtime of the log's time 0 */
	uint64_t next_seq; /* expected; 0: none read yet */
	int64_t second;	   /* that the limit is counted in */
	unsigned in_second;
	uint64_t lost;
	char line[8192];
	struct past {
		int64_t at_ns;
		char *text;
	} past[HISTORY]; /* ring of the last matching lines since boot */
	unsigned past_count;
};

struct kmsg *kmsg_open(const struct rootfs *root, bool copied, uint64_t boot_ns)
{
	int fd = rootfs_fd(root, O_RDONLY | O_NONBLOCK | O_NOCTTY, "dev/kmsg");
	struct timespec mono, real;
	struct kmsg *k;

	if (fd < 0)
		return NULL; /* no rights, or none in a copy: the fact is then missing, which
				readers know */
	k = mem_zalloc(sizeof(*k));
	k->fd = fd;
	k->history = true;
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	k->zero_ns = copied ? (int64_t)boot_ns
			    : (int64_t)(real.tv_sec - mono.tv_sec) * NSEC_PER_SEC +
				      (real.tv_nsec - mono.tv_nsec);
	return k;
}

void kmsg_close(struct kmsg *k)
{
	unsigned i;

	if (!k)
		return;
	for (i = 0; i < HISTORY; i++)
		free(k->past[i].text);
	close(k->fd);
	free(k);
}

int kmsg_fd(const struct kmsg *k)
{
	return k->fd;
}

static bool kmsg_names_driver(const struct host *h, const char *message)
{
	/* "ixgbevf 0000:00:03.0: ..." or "eth0: ...": the host's own drivers begin their lines so.
	 */
	char key[FACT_KEY_SIZE];
	size_t n = strcspn(message, " :"), i;

	if (!n || n > 31)
		return false;
	snprintf(key, sizeof(key), "nic.%.*s.mac", (int)n, message);
	if (fact_get(h->facts, key))
		return true;
	for (i = 0; h->drivers[i][0]; i++) {
		if (strlen(h->drivers[i]) == n && !strncmp(h->drivers[i], message, n))
			return true;
	}
	return false;
}

static bool kmsg_wanted(const struct host *h, int level, const char *message)
{
	return kernlog_tells(message) || (level <= 4 && kmsg_names_driver(h, message));
}

static void kmsg_remember(struct kmsg *k, int64_t at_ns, int level, const char *message)
{
	struct past *p = &k->past[k->past_count++ % HISTORY];

	free(p->text);
	p->at_ns = at_ns;
	p->text = mem_printf("level=%d message=%s", level, message);
}

static void kmsg_emit(struct host *h, struct kmsg *k, int64_t at_ns, int level, const char *message)
{
	int64_t second = nsec_now() / NSEC_PER_SEC;

	if (second != k->second) {
		k->second = second;
		k->in_second = 0;
	}
	if (++k->in_second > PER_SECOND)
		k->lost++;
	else
		fact_event(h->facts, at_ns, "kernel.log", "level=%d message=%s", level, message);
}

/* "6,339,5140900,-;NET: Registered ..." */
static void kmsg_take_line(struct host *h, struct kmsg *k, char *line)
{
	unsigned long long priority, seq, usec;
	char *message = strchr(line, ';');
	int64_t at_ns;

	line[strcspn(line, "\n")] = '\0';
	if (!message || sscanf(line, "%llu,%llu,%llu", &priority, &seq, &usec) != 3)
		return;
	message++;
	if (k->next_seq && seq > k->next_seq && !k->history)
		k->lost += seq - k->next_seq;
	k->next_seq = seq + 1;
	if (!kmsg_wanted(h, (int)(priority & 7), message))
		return;
	at_ns = k->zero_ns + (int64_t)usec * NSEC_PER_USEC;
	if (k->history)
		kmsg_remember(k, at_ns, (int)(priority & 7), message);
	else
		kmsg_emit(h, k, at_ns, (int)(priority & 7), message);
}

static void kmsg_tell_history(struct host *h, struct kmsg *k)
{
	unsigned i, from = k->past_count > HISTORY ? k->past_count - HISTORY : 0;

	for (i = from; i < k->past_count; i++)
		fact_event(h->facts, k->past[i % HISTORY].at_ns, "kernel.log", "%s",
			k->past[i % HISTORY].text);
	k->history = false;
}

static void kmsg_read_copy(struct host *h, struct kmsg *k)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *save = NULL;

	if (!k->history || !rootfs_read(&h->root, "dev/kmsg", 4 << 20, &text))
		return;
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (*line != ' ') /* a continuation: key=value of the device */
			kmsg_take_line(h, k, line);
	}
}

void facts_kmsg(struct host *h)
{
	struct kmsg *k = h->kmsg;
	unsigned lines = 0;
	ssize_t n;

	if (h->copied)
		kmsg_read_copy(h, k);
	/* One read is one record; history is bounded by the kernel's buffer, later reads by a
	 * limit. */
	while (!h->copied && (k->history || lines++ < 1000)) {
		n = read(k->fd, k->line, sizeof(k->line) - 1);
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue; /* overwritten before it was read: the gap in the numbers counts
				     it */
		if (n <= 0)
			break;
		k->line[n] = '\0';
		kmsg_take_line(h, k, k->line);
	}
	if (k->history)
		kmsg_tell_history(h, k);
	if (k->lost)
		fact_event(h->facts, nsec_now(), "kernel.log.lost", "%llu",
			(unsigned long long)k->lost);
	k->lost = 0;
}
