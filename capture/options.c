#include "options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"

enum {
	KEY_SNAPLEN = 0x100,
	KEY_PROMISC,
	KEY_PAYLOAD,
	KEY_PAYLOAD_HASH,
	KEY_PAYLOAD_KEY,
	KEY_BUFFER,
	KEY_FILE_SIZE,
	KEY_FILE_AGE,
	KEY_RING_SIZE,
	KEY_RING_COUNT,
	KEY_RING_AGE,
	KEY_PRE_TRIGGER,
	KEY_KEEP_SIZE,
	KEY_FLUSH,
	KEY_INTERVAL,
	KEY_HEARTBEAT,
	KEY_DURATION,
	KEY_MIN_FREE,
	KEY_USER,
	KEY_ROOT,
	KEY_NAME,
	KEY_CONFIG,
	KEY_CHECK_CONFIG,
	KEY_CONFINE,
	KEY_FACTS,
	KEY_DROPS,
	KEY_DROP_RATE,
	KEY_DROP_REASONS,
};

static const struct argp_option table[] = {
	{NULL, 0, NULL, 0, "What to capture:", 1},
	{"interface", 'i', "IF", 0,
		"network interface; repeatable. auto: every interface that is up, except loopback "
		"and ports of a bridge or bond",
		0},
	{"nflog", 'g', "GROUP", 0, "netfilter log group; repeatable (see bothends-agent nft)", 0},
	{"drops", KEY_DROPS, "yes|no|own", 0,
		"packets that the kernel drops, with its reason; own: of this network namespace "
		"only (default no)",
		0},
	{"drop-reasons", KEY_DROP_REASONS, "LIST", 0,
		"only these reasons, as NETFILTER_DROP,TCP_CSUM (default: all)", 0},
	{"drop-rate", KEY_DROP_RATE, "N", 0,
		"record at most N drops per second and count the rest (default 10000, 0: no limit)",
		0},
	{"filter", 'f', "EXPRESSION", 0,
		"capture only frames matching this pcap-filter(7) expression", 0},
	{"snaplen", KEY_SNAPLEN, "BYTES", 0,
		"capture at most this many bytes of each packet (default 192)", 0},
	{"payload", KEY_PAYLOAD, "yes|no", 0,
		"capture payload up to the snap length; no: only headers (default no)", 0},
	{"payload-hash", KEY_PAYLOAD_HASH, "yes|no", 0,
		"without payload, a hash of each datagram's, which tells datagrams apart and finds "
		"them at the other end (default yes)",
		0},
	{"payload-key", KEY_PAYLOAD_KEY, "FILE", 0,
		"hash under the key in FILE (32 hex digits), the same for all agents of an "
		"incident; without one, who has the captures can check guesses of a payload",
		0},
	{"promiscuous", KEY_PROMISC, "yes|no", 0, "promiscuous mode (default no)", 0},
	{"buffer", KEY_BUFFER, "SIZE", 0, "kernel buffer size of each source (default 64M)", 0},
	{NULL, 0, NULL, 0, "What to keep:", 2},
	{"output", 'w', "DIR", 0, "folder for the capture files (must exist)", 0},
	{"file-size", KEY_FILE_SIZE, "SIZE", 0, "start a new file at this size (default 64M)", 0},
	{"file-age", KEY_FILE_AGE, "TIME", 0, "start a new file after this time (default 10m)", 0},
	{"ring-size", KEY_RING_SIZE, "SIZE", 0,
		"remove the oldest files above this total size (default 2G, 0: no limit)", 0},
	{"ring-count", KEY_RING_COUNT, "N", 0,
		"remove the oldest files above this number (default 0: no limit)", 0},
	{"ring-age", KEY_RING_AGE, "TIME", 0, "remove files older than this (default 0: no limit)",
		0},
	{"pre-trigger", KEY_PRE_TRIGGER, "TIME", 0,
		"keep only the last TIME; a mark (or SIGUSR1) saves it permanently", 0},
	{"keep-size", KEY_KEEP_SIZE, "SIZE", 0,
		"maximum total size of files saved by marks (default: same as --ring-size)", 0},
	{"min-free", KEY_MIN_FREE, "SIZE", 0,
		"suspend writing while free disk space is below this (default 128M)", 0},
	{"flush", KEY_FLUSH, "TIME", 0, "write buffers to disk this often (default 1s)", 0},
	{NULL, 0, NULL, 0, "Facts about the host:", 3},
	{"facts", KEY_FACTS, "yes|no", 0, "record facts about the host (default yes)", 0},
	{"interval", KEY_INTERVAL, "TIME", 0, "record facts this often (default 10s)", 0},
	{"heartbeat", KEY_HEARTBEAT, "TIME", 0, "record a heartbeat this often (default 1s)", 0},
	{"name", KEY_NAME, "NAME", 0, "host name to record (default: this host's)", 0},
	{"root", KEY_ROOT, "DIR", 0, "read /proc, /sys and /etc below DIR instead of this host's",
		0},
	{NULL, 0, NULL, 0, "Running:", 4},
	{"config", KEY_CONFIG, "FILE", 0,
		"read options from FILE: NAME = VALUE per line, # starts a comment", 0},
	{"check-config", KEY_CHECK_CONFIG, "FILE", 0,
		"check the options in FILE, say what is wrong in which line, and exit", 0},
	{"user", KEY_USER, "USER", 0,
		"run as this user (default bothends-agent if it exists, else nobody)", 0},
	{"confine", KEY_CONFINE, "yes|no", 0,
		"drop privileges and enter the sandbox (default yes; no: for debugging)", 0},
	{"duration", KEY_DURATION, "TIME", 0, "stop after this time (default: never)", 0},
	{"quiet", 'q', NULL, 0, "print errors only", 0},
	{0},
};

bool options_span(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {
		{"ms", 1e6},
		{"s", 1e9},
		{"m", 60e9},
		{"min", 60e9},
		{"h", 3600e9},
		{"d", 86400e9},
		{"", 1e9},
	};
	char *end;
	double v;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return false;
	v = strtod(text, &end);
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!strcmp(end, units[i].unit) && v * units[i].ns < 9e18) {
			*ret_ns = (int64_t)(v * units[i].ns);
			return true;
		}
	}
	return false;
}

static int64_t options_want_span(
	struct argp_state *st, const char *name, const char *text, int64_t min)
{
	int64_t ns = 0;

	if (!options_span(text, &ns) || (ns && ns < min))
		argp_failure(
			st, 2, 0, "--%s '%s' is not a time such as 10m, 90s or 250ms", name, text);
	return ns;
}

static uint64_t options_want_size(
	struct argp_state *st, const char *name, const char *text, uint64_t min, uint64_t max)
{
	uint64_t bytes = 0;

	if (!size_parse(text, &bytes) || bytes < min || bytes > max)
		argp_failure(st, 2, 0, "--%s '%s' is not a size from %llu to %llu, such as 64M",
			name, text, (unsigned long long)min, (unsigned long long)max);
	return bytes;
}

static uint64_t options_want_number(
	struct argp_state *st, const char *name, const char *text, uint64_t min, uint64_t max)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || v < min || v > max)
		argp_failure(st, 2, 0, "--%s '%s' is not a number from %llu to %llu", name, text,
			(unsigned long long)min, (unsigned long long)max);
	return v;
}

static bool options_want_yes(struct argp_state *st, const char *name, const char *text)
{
	if (strcmp(text, "yes") && strcmp(text, "no"))
		argp_failure(st, 2, 0, "--%s '%s': must be yes or no", name, text);
	return !strcmp(text, "yes");
}

static enum drops_scope options_want_scope(struct argp_state *st, const char *text)
{
	if (!strcmp(text, "own"))
		return DROPS_OWN;
	if (strcmp(text, "yes") && strcmp(text, "no"))
		argp_failure(st, 2, 0, "--drops '%s': must be yes, no or own", text);
	return strcmp(text, "yes") ? DROPS_OFF : DROPS_ALL;
}

static void options_read_key(struct options *o, struct argp_state *st, const char *path)
{
	struct error err = ERROR_INIT;

	if (payload_key_read(&o->source.key, path, &err))
		argp_failure(st, 2, 0, "--payload-key: %s", err.text);
}

static void options_read_config(struct options *o, const char *path, struct argp_state *st);
static void options_check_config(struct options *o, const char *path, struct argp_state *st);

static void options_add_source(struct options *o, struct argp_state *st, int key, const char *arg)
{
	if (o->interface_count + o->group_count >= OPTIONS_SOURCES)
		argp_failure(st, 2, 0, "more than %d sources", OPTIONS_SOURCES);
	if (key == 'i')
		o->interfaces[o->interface_count++] = arg;
	else
		o->groups[o->group_count++] =
			(uint16_t)options_want_number(st, "nflog", arg, 0, UINT16_MAX);
}

/* Sizes and spans. */
static error_t options_parse_limit(
	struct options *o, struct argp_state *st, int key, const char *arg)
{
	const uint64_t any = UINT64_MAX;

	switch (key) {
	case KEY_BUFFER:
		o->source.buffer_bytes = options_want_size(st, "buffer", arg, 1 << 18, 1 << 30);
		break;
	case KEY_DROP_RATE:
		o->drops.rate = (uint32_t)options_want_number(st, "drop-rate", arg, 0, 10000000);
		break;
	case KEY_FILE_SIZE:
		o->file_size = options_want_size(st, "file-size", arg, 1 << 16, UINT64_C(1) << 40);
		break;
	case KEY_FILE_AGE:
		o->file_age_ns = options_want_span(st, "file-age", arg, NSEC_PER_SEC);
		break;
	case KEY_RING_SIZE:
		o->ring.size = options_want_size(st, "ring-size", arg, 0, any);
		break;
	case KEY_RING_COUNT:
		o->ring.count = options_want_number(st, "ring-count", arg, 0, any);
		break;
	case KEY_RING_AGE:
		o->ring.age_ns = options_want_span(st, "ring-age", arg, NSEC_PER_SEC);
		break;
	case KEY_PRE_TRIGGER:
		o->pre_trigger_ns = options_want_span(st, "pre-trigger", arg, NSEC_PER_SEC);
		break;
	case KEY_KEEP_SIZE:
		o->ring.kept_size = options_want_size(st, "keep-size", arg, 1, any);
		break;
	case KEY_MIN_FREE:
		o->min_free = options_want_size(st, "min-free", arg, 0, any);
		break;
	case KEY_FLUSH:
		o->flush_ns = options_want_span(st, "flush", arg, 10 * NSEC_PER_MSEC);
		break;
	case KEY_INTERVAL:
		o->interval_ns = options_want_span(st, "interval", arg, 100 * NSEC_PER_MSEC);
		break;
	case KEY_HEARTBEAT:
		o->heartbeat_ns = options_want_span(st, "heartbeat", arg, 100 * NSEC_PER_MSEC);
		break;
	case KEY_DURATION:
		o->duration_ns = options_want_span(st, "duration", arg, NSEC_PER_MSEC);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t options_parse_one(int key, char *arg, struct argp_state *st)
{
	struct options *o = st->input;

	switch (key) {
	case 'i':
	case 'g':
		options_add_source(o, st, key, arg);
		break;
	case 'f':
		o->source.filter = arg;
		break;
	case 'w':
		o->output = arg;
		break;
	case 'q':
		o->quiet = true;
		break;
	case KEY_SNAPLEN:
		o->source.snaplen = (uint32_t)options_want_number(st, "snaplen", arg, 64, 262144);
		break;
	case KEY_PAYLOAD:
		o->source.payload = options_want_yes(st, "payload", arg);
		break;
	case KEY_PAYLOAD_HASH:
		o->source.hashes = options_want_yes(st, "payload-hash", arg);
		break;
	case KEY_PAYLOAD_KEY:
		options_read_key(o, st, arg);
		break;
	case KEY_PROMISC:
		o->source.promiscuous = options_want_yes(st, "promiscuous", arg);
		break;
	case KEY_DROPS:
		o->drops.scope = options_want_scope(st, arg);
		break;
	case KEY_DROP_REASONS:
		o->drops.reasons = arg;
		break;
	case KEY_CONFINE:
		o->confine = options_want_yes(st, "confine", arg);
		break;
	case KEY_FACTS:
		o->facts = options_want_yes(st, "facts", arg);
		break;
	case KEY_USER:
		o->user = arg;
		break;
	case KEY_ROOT:
		o->root = arg;
		break;
	case KEY_NAME:
		o->name = arg;
		break;
	case KEY_CONFIG:
		options_read_config(o, arg, st);
		break;
	case KEY_CHECK_CONFIG:
		options_check_config(o, arg, st);
		break;
	case ARGP_KEY_ARG:
		argp_failure(st, 2, 0, "unexpected argument '%s': options start with --", arg);
		break;
	default:
		return options_parse_limit(o, st, key, arg);
	}
	return 0;
}

static const struct argp argp = {
	.options = table,
	.parser = options_parse_one,
	.doc = "Captures this host's packets, and facts about the host, into a ring of capture "
	       "files.\v"
	       "Other commands: bothends-agent ls|status|mark|push|nft|facts --help",
};

static char *options_trim_text(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return s;
}

/* "name = value" is parsed as --name=value: one table of options, one set of messages. */
static void options_config_line(
	struct options *o, const char *path, int number, char *line, struct argp_state *st)
{
	char *name = options_trim_text(line), *value, *word[3] = {NULL, NULL, NULL};

	if (!*name || *name == '#')
		return;
	value = strchr(name, '=');
	if (!value)
		argp_failure(st, 2, 0, "%s:%d: '%s' is not NAME = VALUE", path, number, name);
	*value++ = '\0';
	name = options_trim_text(name);
	if (!strcmp(name, "config") || !strcmp(name, "check-config") || !strcmp(name, "help") ||
		o->owned_count >= 254)
		argp_failure(st, 2, 0, "%s:%d: '%s' is not allowed in a configuration file", path,
			number, name);
	/* Error messages start with the program name: file and line take its place. */
	word[0] = mem_printf("%s:%d", path, number);
	word[1] = mem_printf("--%s=%s", name, options_trim_text(value));
	o->owned[o->owned_count++] = word[0];
	o->owned[o->owned_count++] = word[1];
	(void)argp_parse(&argp, 2, word, 0, NULL, o); /* exits on errors */
}

static void options_read_config(struct options *o, const char *path, struct argp_state *st)
{
	char line[4096];
	int number = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		argp_failure(st, 2, errno, "cannot open '%s'", path);
	o->config = path;
	while (f && fgets(line, sizeof(line), f))
		options_config_line(o, path, ++number, line, st);
	if (f)
		fclose(f);
}

/* As an interface of Ethernet would take it; what a filter means elsewhere only the source tells.
 */
static void options_check_filter(const struct options *o, const char *path, struct argp_state *st)
{
	struct bpf_program program;
	pcap_t *p = pcap_open_dead(DLT_EN10MB, (int)o->source.snaplen);

	if (!o->source.filter || !p)
		return;
	if (pcap_compile(p, &program, o->source.filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
		argp_failure(
			st, 2, 0, "%s: filter '%s': %s", path, o->source.filter, pcap_geterr(p));
	pcap_freecode(&program);
	pcap_close(p);
}

/* Ends the program: mistakes of a line end it before, with the line's number. */
static void options_check_config(struct options *o, const char *path, struct argp_state *st)
{
	options_read_config(o, path, st);
	if (!o->interface_count && !o->group_count)
		argp_failure(st, 2, 0, "%s: nothing to capture: no interface and no nflog", path);
	if (!o->output)
		argp_failure(st, 2, 0, "%s: no output", path);
	options_check_filter(o, path, st);
	(void)printf("%s: no mistakes\n", path);
	exit(0);
}

void options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.source = {.snaplen = 192, .buffer_bytes = 64U << 20, .hashes = true},
		.drops = {.rate = 10000},
		.ring = {.size = UINT64_C(2) << 30},
		.file_size = 64U << 20,
		.file_age_ns = 600 * NSEC_PER_SEC,
		.flush_ns = NSEC_PER_SEC,
		.interval_ns = 10 * NSEC_PER_SEC,
		.heartbeat_ns = NSEC_PER_SEC,
		.min_free = 128U << 20,
		.confine = true,
		.facts = true,
	};
	payload_key_public(&o->source.key);
	argp_err_exit_status = 2;
	(void)argp_parse(&argp, argc, argv, 0, NULL, o); /* exits on errors */
	if (o->pre_trigger_ns) {
		/* About ten files per span: the ring exceeds the span by at most a tenth. */
		o->ring.age_ns = o->pre_trigger_ns;
		if (!o->file_age_ns || o->file_age_ns > o->pre_trigger_ns / 10)
			o->file_age_ns = o->pre_trigger_ns / 10 > NSEC_PER_SEC
						 ? o->pre_trigger_ns / 10
						 : NSEC_PER_SEC;
	}
	if (!o->ring.kept_size)
		o->ring.kept_size = o->ring.size;
}

void options_release(struct options *o)
{
	while (o->owned_count)
		free(o->owned[--o->owned_count]);
}
