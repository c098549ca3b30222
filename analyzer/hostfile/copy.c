#include "hostfile/copy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nsec.h"
#include "hostfile/process.h"

#define STAR_SIZE 64

typedef void copy_take(struct collection *c, uint64_t line, const char *star, char *text);

static void copy_stat(struct collection *c, uint64_t line, const char *star, char *text)
{
	long long btime;

	(void)line;
	(void)star;
	if (sscanf(text, "btime %lld", &btime) != 1 || btime <= 0 || btime > 4102444800)
		return;
	c->boot_ns = btime * NSEC_PER_SEC;
	c->boot_within_ns = NSEC_PER_SEC;
}

static void copy_version(struct collection *c, uint64_t line, const char *star, char *text)
{
	char release[128];

	(void)star;
	if (sscanf(text, "Linux version %127s", release) == 1)
		collection_state(c, line, release, "host.kernel");
}

static void copy_xen(struct collection *c, uint64_t line, const char *star, char *text)
{
	char name[STAR_SIZE + 8];

	(void)snprintf(name, sizeof(name), "xen.%s", star);
	if (strcmp(star, "major") == 0 || strcmp(star, "minor") == 0 || strcmp(star, "extra") == 0)
		collection_keep(c, line, name, text);
}

static void copy_gc_thresh(struct collection *c, uint64_t line, const char *star, char *text)
{
	static const char *const names[] = {"gc1", "gc2", "gc3"};

	if (star[0] >= '1' && star[0] <= '3' && !star[1])
		collection_keep(c, line, names[star[0] - '1'], text);
}

static void copy_zone(struct collection *c, uint64_t line, const char *star, char *text)
{
	(void)line;
	(void)star;
	collection_zone(c, text);
}

static void copy_comm(struct collection *c, uint64_t line, const char *star, char *text)
{
	if (isdigit((unsigned char)star[0]))
		process_named(c, line, text);
}

static void copy_speed(struct collection *c, uint64_t line, const char *star, char *text)
{
	char word[200];

	/* a link that is down has no speed: -1, or what some drivers take for it */
	if (*text != '-' && strlen(text) < 8)
		collection_state(c, line, text, "nic.%s.speed_mbps",
			collection_word(word, sizeof(word), star));
}

/* What a path becomes: its first line under a key, in which %s is what * stands for, or more. */
static const struct copy_kind {
	const char *path, *key;
	copy_take *take; /* every line; NULL: the key is enough */
} copies[] = {
	{"proc/sys/kernel/hostname", "host.name", NULL},
	{"etc/hostname", "host.name", NULL},
	{"proc/sys/kernel/random/boot_id", "host.boot_id", NULL},
	{"etc/machine-id", "host.machine_id", NULL},
	{"proc/sys/kernel/osrelease", "host.kernel", NULL},
	{"proc/sys/kernel/version", "host.kernel_build", NULL},
	{"proc/version", NULL, copy_version},
	{"proc/stat", NULL, copy_stat},
	{"proc/*/comm", NULL, copy_comm},
	{"proc/sys/net/ipv4/neigh/default/gc_thresh*", NULL, copy_gc_thresh},
	{"proc/sys/net/netfilter/nf_conntrack_max", "conntrack.max", NULL},
	{"sys/hypervisor/type", "hypervisor.type", NULL},
	{"sys/hypervisor/uuid", "hypervisor.uuid", NULL},
	{"sys/hypervisor/version/*", NULL, copy_xen},
	{"sys/class/dmi/id/*", "dmi.%s", NULL},
	{"sys/devices/virtual/dmi/id/*", "dmi.%s", NULL},
	{"sys/module/*/version", "module.%s.version", NULL},
	{"sys/devices/system/clocksource/clocksource0/current_clocksource", "clock.source", NULL},
	{"sys/class/net/*/address", "nic.%s.mac", NULL},
	{"sys/class/net/*/mtu", "nic.%s.mtu", NULL},
	{"sys/class/net/*/ifindex", "nic.%s.index", NULL},
	{"sys/class/net/*/type", "nic.%s.type", NULL},
	{"sys/class/net/*/operstate", "nic.%s.operstate", NULL},
	{"sys/class/net/*/carrier", "nic.%s.carrier", NULL},
	{"sys/class/net/*/duplex", "nic.%s.duplex", NULL},
	{"sys/class/net/*/speed", NULL, copy_speed},
	{"etc/timezone", NULL, copy_zone},
};

/* Whether a path ends with a pattern of whole components, and what its * stands for. */
static bool copy_path_is(const char *path, const char *pattern, char star[STAR_SIZE])
{
	const char *p = path + strlen(path), *q = pattern + strlen(pattern), *end;

	star[0] = '\0';
	while (q > pattern) {
		if (q[-1] != '*') {
			if (p == path || p[-1] != q[-1])
				return false;
			p--;
			q--;
			continue;
		}
		end = p;
		q--;
		/* back to the component's beginning, or to the last character before the * */
		while (p > path && p[-1] != '/' && p[-1] != q[-1])
			p--;
		if (p == end || end - p >= STAR_SIZE)
			return false;
		(void)snprintf(star, STAR_SIZE, "%.*s", (int)(end - p), p);
	}
	return p == path || p[-1] == '/';
}

static const struct copy_kind *copy_of(const char *path, char star[STAR_SIZE])
{
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
		if (copy_path_is(path, copies[i].path, star))
			return &copies[i];
	return NULL;
}

bool copy_recognise(const struct hostfile_head *head)
{
	char star[STAR_SIZE];

	return head->size && copy_of(head->name, star);
}

static void copy_put(
	struct collection *c, uint64_t line, const char *key, const char *star, const char *text)
{
	const char *mark = strchr(key, '%');
	char word[3 * STAR_SIZE + 1];

	if (!mark)
		collection_state(c, line, text, "%s", key);
	else
		collection_state(c, line, text, "%.*s%s%s", (int)(mark - key), key,
			collection_word(word, sizeof(word), star), mark + 2);
}

/* first: it is the first line of the file. */
static bool copy_line(
	struct collection *c, uint64_t number, const char *path, char *text, bool first)
{
	char star[STAR_SIZE];
	const struct copy_kind *kind = copy_of(path, star);
	size_t n;

	if (!kind)
		return false;
	text += strspn(text, " \t");
	for (n = strlen(text); n && isspace((unsigned char)text[n - 1]); n--)
		text[n - 1] = '\0';
	if (kind->take)
		kind->take(c, number, star, text);
	else if (*text && first)
		copy_put(c, number, kind->key, star, text);
	return true;
}

void copy_parse(struct reader *r, struct collection *c)
{
	char *line;
	size_t size;

	for (bool first = true; reader_line(r, &line, &size); first = false)
		(void)copy_line(c, r->line, c->file->name, line, first);
}

static bool copy_is_path(const char *line)
{
	return strncmp(line, "/proc/", 6) == 0 || strncmp(line, "/sys/", 5) == 0 ||
	       strncmp(line, "/etc/", 5) == 0;
}

bool copy_lines_recognise(const struct hostfile_head *head)
{
	const char *line = head->bytes;
	size_t n = strcspn(line, ":\n");

	/* not the heads that ls -R prints */
	return copy_is_path(line) && line[n] == ':' && line[n + 1] && line[n + 1] != '\n';
}

void copy_lines_parse(struct reader *r, struct collection *c)
{
	char *line, *value;
	size_t size;

	while (reader_line(r, &line, &size)) {
		value = strchr(line, ':');
		if (!copy_is_path(line) || !value) {
			c->file->malformed++;
			continue;
		}
		*value++ = '\0';
		(void)copy_line(c, r->line, line, value, true);
	}
}

static void copy_finish_xen(struct collection *c)
{
	uint64_t line;
	const char *minor = collection_kept(c, "xen.minor", &line);
	const char *extra = collection_kept(c, "xen.extra", &line);
	const char *major = collection_kept(c, "xen.major", &line);
	char version[128];

	if (!major || !minor)
		return;
	(void)snprintf(version, sizeof(version), "%s.%s%s", major, minor, extra ? extra : "");
	collection_state(c, line, version, "hypervisor.version");
}

static void copy_finish_thresholds(struct collection *c)
{
	uint64_t line;
	const char *gc1 = collection_kept(c, "gc1", &line);
	const char *gc2 = collection_kept(c, "gc2", &line);
	const char *gc3 = collection_kept(c, "gc3", &line);
	char words[128];

	if (!gc1 || !gc2 || !gc3)
		return;
	(void)snprintf(words, sizeof(words), "gc1=%.20s gc2=%.20s gc3=%.20s", gc1, gc2, gc3);
	collection_state(c, line, words, "neighbor.threshold");
}

void copy_finish(struct collection *c)
{
	copy_finish_xen(c);
	copy_finish_thresholds(c);
}
