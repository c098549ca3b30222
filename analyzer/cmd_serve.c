/* bothends serve: the upload server; see docs/serve.md. */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "cmd.h"
#include "serve/confine.h"
#include "serve/http.h"

enum {
	KEY_LISTEN = 256,
	KEY_STORE,
	KEY_TOKEN,
	KEY_UPLOAD,
	KEY_FILES,
	KEY_INCIDENTS,
	KEY_MEMORY,
	KEY_TIME,
	KEY_RESUME,
	KEY_IDLE
};

static const struct argp_option options[] = {
	{"store", KEY_STORE, "FOLDER", 0, "folder for the incidents (created if missing)", 0},
	{"listen", KEY_LISTEN, "ADDRESS:PORT", 0,
		"address to listen on, IPv4, [IPv6] or a name (default 127.0.0.1:8480); any but "
		"loopback needs a token",
		0},
	{"token-file", KEY_TOKEN, "FILE", 0,
		"require the token in the first line of FILE (or in $BOTHENDS_TOKEN) with every "
		"request",
		0},
	{"max-upload", KEY_UPLOAD, "SIZE", 0,
		"maximum total size of one incident's captures (default 8G)", 0},
	{"max-files", KEY_FILES, "N", 0, "maximum number of captures in one incident (default 64)",
		0},
	{"max-incidents", KEY_INCIDENTS, "N", 0, "maximum number of incidents (default 100)", 0},
	{"analysis-memory", KEY_MEMORY, "SIZE", 0, "memory limit of one analysis (default 1G)", 0},
	{"analysis-time", KEY_TIME, "SECONDS", 0, "time limit of one analysis (default 900)", 0},
	{"resume-hours", KEY_RESUME, "HOURS", 0,
		"delete unfinished uploads after this many hours (default 24)", 0},
	{"idle", KEY_IDLE, "SECONDS", 0, "close idle connections after SECONDS (default 60)", 0},
	{0},
};

struct options_read {
	struct server server;
	char token[256];
	const char *listen;
	uint64_t memory;
};

static unsigned cmd_serve_number(struct argp_state *state, const char *text, unsigned most)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || end == text || *end || v == 0 || v > most || *text == '-')
		argp_error(state, "'%s' is not a number from 1 to %u", text, most);
	return (unsigned)v;
}

static uint64_t cmd_serve_size(struct argp_state *state, const char *text)
{
	uint64_t v = 0;

	if (!size_parse(text, &v) || v == 0)
		argp_error(state, "'%s' is not a size such as 8G", text);
	return v;
}

static void cmd_serve_read_token(struct argp_state *state, struct options_read *o, const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(o->token, sizeof(o->token), f))
		argp_error(state, "cannot read a token from '%s'", path);
	if (f)
		(void)fclose(f);
	o->token[strcspn(o->token, "\r\n")] = '\0';
}

/* Splits ADDRESS:PORT or [ADDRESS]:PORT; false when it is neither. */
static bool cmd_serve_split_listen(const char *text, char address[256], const char **ret_port)
{
	const char *colon = strrchr(text, ':'), *from = text, *to = colon;
	char *end = NULL;
	bool bracketed = *text == '[';

	if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
		strtoul(colon + 1, &end, 10) > 65535 || end == colon + 1)
		return false;
	if (bracketed && (to - from < 2 || to[-1] != ']'))
		return false;
	from += bracketed;
	to -= bracketed;
	/* An IPv6 address without brackets leaves open where it ends. */
	if (to <= from || to - from > 255 || (!bracketed && memchr(from, ':', (size_t)(to - from))))
		return false;
	(void)snprintf(address, 256, "%.*s", (int)(to - from), from);
	*ret_port = colon + 1;
	return true;
}

/* A name may have several addresses: the first of IPv4, which most links and habits mean, else the
 * first. */
static void cmd_serve_parse_listen(struct argp_state *state, struct options_read *o)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL, *chosen;
	const char *port = NULL, *host;
	char address[256];
	int r;

	if (!cmd_serve_split_listen(o->listen, address, &port))
		argp_error(state,
			"--listen: '%s' is not an address and port such as 127.0.0.1:8480, "
			"[::1]:8480 or host:8480",
			o->listen);
	/* RFC 6761, 6.3: always the loopback address, whatever a resolver or a missing hosts file
	 * says. */
	host = strcasecmp(address, "localhost") == 0 ? "127.0.0.1" : address;
	r = getaddrinfo(host, port, &hints, &found);
	if (r || !found)
		argp_error(state, "--listen: '%s' has no address: %s", address, gai_strerror(r));
	for (chosen = found; chosen && chosen->ai_family != AF_INET;)
		chosen = chosen->ai_next;
	chosen = chosen ? chosen : found;
	memcpy(&o->server.listen, chosen->ai_addr, chosen->ai_addrlen);
	freeaddrinfo(found);
}

static bool cmd_serve_is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;

	return a->ss_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
				       : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static void cmd_serve_check(struct argp_state *state, struct options_read *o)
{
	const char *token = getenv("BOTHENDS_TOKEN");

	if (!o->server.incidents.path)
		argp_error(state, "missing --store FOLDER");
	cmd_serve_parse_listen(state, o);
	if (!o->token[0] && token)
		(void)snprintf(o->token, sizeof(o->token), "%s", token);
	if (!cmd_serve_is_loopback(&o->server.listen) && !o->token[0])
		argp_error(state, "'%s' is not a loopback address: --token-file is required",
			o->listen);
	if (o->token[0] && (strlen(o->token) < 16 || strpbrk(o->token, " ;,\"\\\t")))
		argp_error(state, "the token must have at least 16 characters, without spaces, "
				  "quotes, commas or semicolons");
	o->server.token = o->token[0] ? o->token : NULL;
}

static error_t cmd_serve_parse(int key, char *arg, struct argp_state *state)
{
	struct options_read *o = state->input;

	switch (key) {
	case KEY_STORE:
		o->server.incidents.path = arg;
		return 0;
	case KEY_LISTEN:
		o->listen = arg;
		return 0;
	case KEY_TOKEN:
		cmd_serve_read_token(state, o, arg);
		return 0;
	case KEY_UPLOAD:
		o->server.incidents.upload_max = cmd_serve_size(state, arg);
		return 0;
	case KEY_FILES:
		o->server.incidents.files_max = cmd_serve_number(state, arg, 400);
		return 0;
	case KEY_INCIDENTS:
		o->server.incidents.incidents_max = cmd_serve_number(state, arg, 100000);
		return 0;
	case KEY_MEMORY:
		o->memory = cmd_serve_size(state, arg);
		return 0;
	case KEY_TIME:
		o->server.limits.wall_s = cmd_serve_number(state, arg, 86400);
		return 0;
	case KEY_RESUME:
		o->server.incidents.resume_hours = cmd_serve_number(state, arg, 10000);
		return 0;
	case KEY_IDLE:
		o->server.idle_s = cmd_serve_number(state, arg, 3600);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(
			state, "unexpected argument '%s': captures are uploaded on the page", arg);
		return 0;
	case ARGP_KEY_END:
		cmd_serve_check(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Signals are waited for here and in no other thread. */
static void cmd_serve_until_signal(const sigset_t *stop)
{
	int got;

	(void)sigwait(stop, &got);
}

static int cmd_serve_listen(struct options_read *o, struct error *err)
{
	char address[INET6_ADDRSTRLEN];
	struct http *http;
	sigset_t stop;
	unsigned port;
	int result = incident_store_open(&o->server.incidents, err);

	if (result)
		return result;
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGINT);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	result = http_start(&http, &o->server, &port, err);
	if (result)
		return result;
	(void)getnameinfo((const struct sockaddr *)&o->server.listen, sizeof(o->server.listen),
		address, sizeof(address), NULL, 0, NI_NUMERICHOST);
	(void)printf(strchr(address, ':') ? "http://[%s]:%u/\n" : "http://%s:%u/\n", address, port);
	(void)fflush(stdout);
	cmd_serve_until_signal(&stop);
	http_stop(http);
	return 0;
}

/* The other side of serve/confined.h: this program started again, with --confined MEMORY FILE CPU
 * PARENT COMMAND ... */
static int cmd_serve_run_confined(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} commands[] = {{"analyze", cmd_analyze}, {"report", cmd_report}, {"query", cmd_query},
		{"extract", cmd_extract}};

	if (argc < 7)
		return EXIT_USAGE;
	confine(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
		strtoull(argv[4], NULL, 10), (pid_t)strtol(argv[5], NULL, 10));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[6], commands[i].name) == 0)
			return commands[i].run(argc - 6, argv + 6);
	return EXIT_USAGE;
}

int cmd_serve(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_serve_parse, NULL,
		"Serves an upload page for captures; curl -F and bothends-agent push use the same "
		"URLs. Each analysis runs in a sandboxed process.",
		NULL, NULL, NULL};
	struct options_read o = {.listen = "127.0.0.1:8480",
		.memory = (uint64_t)1 << 30,
		.server = {.incidents = {.upload_max = (uint64_t)8 << 30,
				   .files_max = 64,
				   .incidents_max = 100,
				   .resume_hours = 24},
			.limits = {.wall_s = 900},
			.analyses_max = 2,
			.idle_s = 60}};
	struct error err = ERROR_INIT;

	if (argc > 1 && strcmp(argv[1], "--confined") == 0)
		return cmd_serve_run_confined(argc, argv);
	if (cmd_parse(&argp, argc, argv, 0, &o))
		return EXIT_USAGE;
	o.server.limits.cpu_s = o.server.limits.wall_s;
	o.server.limits.memory = o.memory * 2;
	o.server.limits.file = o.server.incidents.upload_max + ((uint64_t)1 << 30);
	(void)snprintf(
		o.server.memory, sizeof(o.server.memory), "%llu", (unsigned long long)o.memory);
	if (cmd_serve_listen(&o, &err) == 0)
		return EXIT_SUCCESS;
	return cmd_failed("serve", &err);
}
