/*
 * bothends-agent push FILES URL: sends captures and their sidecars to a bothends server by the tus
 * protocol 1.0.0 (docs/serve.md). An interrupted upload resumes where the server says it stopped.
 */
#include <argp.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "cmd.h"
#include "ring.h"

#define FILES_MAX 4096

struct arguments {
	const char *words[FILES_MAX], *host, *token_file, *ca;
	unsigned count, tries, wait_s;
	bool analyze, quiet;
};

struct push {
	CURL *curl;
	const struct arguments *a;
	char base[2048]; /* scheme and authority, prefix of Location paths */
	char incident[2048];
	char authorization[512]; /* header line; "": no token */
	struct strbuf body;
	char location[2048];
	int64_t offset; /* Upload-Offset of the last response; -1: none */
	long status;
	char text[CURL_ERROR_SIZE];
};

static const struct argp_option table[] = {
	{"host", 'n', "NAME", 0, "host name to show in the report (default: from the capture)", 0},
	{"token-file", 't', "FILE", 0,
		"read the server's token from FILE (default: $BOTHENDS_TOKEN)", 0},
	{"cacert", 'c', "FILE", 0, "trust the CA certificates in FILE instead of the system's", 0},
	{"tries", 'r', "N", 0, "resume an interrupted upload up to N times (default 10)", 0},
	{"analyze", 'a', NULL, 0, "start the analysis after the upload and print the result", 0},
	{"wait", 'w', "SECONDS", 0, "wait this long for the analysis (default 60)", 0},
	{"quiet", 'q', NULL, 0, "print errors only", 0},
	{0},
};

static unsigned cmd_push_number(struct argp_state *st, const char *name, const char *arg)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (arg[0] < '0' || arg[0] > '9' || *end || v > 100000)
		argp_failure(st, 2, 0, "--%s '%s' is not a number up to 100000", name, arg);
	return (unsigned)v;
}

static error_t cmd_push_parse_one(int key, char *arg, struct argp_state *st)
{
	struct arguments *a = st->input;

	switch (key) {
	case 'n':
		a->host = arg;
		return 0;
	case 't':
		a->token_file = arg;
		return 0;
	case 'c':
		a->ca = arg;
		return 0;
	case 'r':
		a->tries = cmd_push_number(st, "tries", arg);
		return 0;
	case 'w':
		a->wait_s = cmd_push_number(st, "wait", arg);
		return 0;
	case 'a':
		a->analyze = true;
		return 0;
	case 'q':
		a->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->count == FILES_MAX)
			argp_failure(st, 2, 0, "more than %d files", FILES_MAX - 1);
		a->words[a->count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (a->count < 2)
			argp_failure(
				st, 2, 0, "missing arguments: FILE... and the server's URL last");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {.options = table,
	.parser = cmd_push_parse_one,
	.args_doc = "FILE... URL",
	.doc = "Sends captures, with the sidecars beside them, to a bothends server. URL is the "
	       "server's, or that of an incident there."};

static size_t cmd_push_on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct push *p = arg;

	if (p->body.length + size * n <= 1 << 20)
		strbuf_add(&p->body, bytes, size * n);
	return size * n;
}

static size_t cmd_push_on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct push *p = arg;
	int length = (int)(size * n);

	while (length && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
		length--;
	if (length > 10 && !strncasecmp(bytes, "Location: ", 10))
		snprintf(p->location, sizeof(p->location), "%.*s", length - 10, bytes + 10);
	else if (length > 15 && !strncasecmp(bytes, "Upload-Offset: ", 15))
		p->offset = strtoll(bytes + 15, NULL, 10);
	return size * n;
}

static size_t cmd_push_on_read(char *bytes, size_t size, size_t n, void *arg)
{
	return fread(bytes, size, n, arg);
}

static struct curl_slist *cmd_push_common_headers(const struct push *p)
{
	struct curl_slist *list = curl_slist_append(NULL, "Tus-Resumable: 1.0.0");

	list = curl_slist_append(list, "Expect:");
	list = curl_slist_append(list, "Accept: application/json");
	return p->authorization[0] ? curl_slist_append(list, p->authorization) : list;
}

/* One request. false: no response (p->text). Status, location, offset and body end up in p. */
static bool cmd_push_request(struct push *p, const char *method, const char *url,
	struct curl_slist *headers, FILE *from, int64_t bytes)
{
	CURLcode r;

	curl_easy_reset(p->curl);
	strbuf_reset(&p->body);
	p->location[0] = p->text[0] = '\0';
	p->offset = -1;
	p->status = 0;
	curl_easy_setopt(p->curl, CURLOPT_URL, url);
	curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(p->curl, CURLOPT_ERRORBUFFER, p->text);
	curl_easy_setopt(p->curl, CURLOPT_CONNECTTIMEOUT, 10L);
	/* A server that accepts nothing for a minute is considered down. */
	curl_easy_setopt(p->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(p->curl, CURLOPT_LOW_SPEED_TIME, 60L + (long)p->a->wait_s);
	curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, cmd_push_on_body);
	curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(p->curl, CURLOPT_HEADERFUNCTION, cmd_push_on_header);
	curl_easy_setopt(p->curl, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
	if (p->a->ca)
		curl_easy_setopt(p->curl, CURLOPT_CAINFO, p->a->ca);
	if (!strcmp(method, "HEAD"))
		curl_easy_setopt(p->curl, CURLOPT_NOBODY, 1L);
	if (from) {
		curl_easy_setopt(p->curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(p->curl, CURLOPT_READFUNCTION, cmd_push_on_read);
		curl_easy_setopt(p->curl, CURLOPT_READDATA, from);
		curl_easy_setopt(p->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
	} else if (!strcmp(method, "POST")) {
		curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, "");
	}
	r = curl_easy_perform(p->curl);
	curl_slist_free_all(headers);
	curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &p->status);
	return r == CURLE_OK;
}

static int cmd_push_fail(const struct push *p, const char *what)
{
	if (p->status)
		fprintf(stderr, "bothends-agent: cannot %s: the server responded %ld: %.200s\n",
			what, p->status,
			p->body.text && p->body.length ? p->body.text : "(nothing)");
	else
		fprintf(stderr, "bothends-agent: cannot %s: %s\n", what, p->text);
	return 2;
}

/* Location is a path or a full URL; a URL on another server is refused. */
static bool cmd_push_resolve(const struct push *p, char out[4200])
{
	if (p->location[0] == '/')
		snprintf(out, 4200, "%s%s", p->base, p->location);
	else if (!strncmp(p->location, p->base, strlen(p->base)) &&
		 p->location[strlen(p->base)] == '/')
		snprintf(out, 4200, "%s", p->location);
	else
		return false;
	return true;
}

static char *cmd_push_base64(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(text), i, o = 0;
	char *out = mem_alloc(4 * ((n + 2) / 3) + 1);

	for (i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)text[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)(unsigned char)text[i + 1] << 8;
		if (i + 2 < n)
			v |= (uint32_t)(unsigned char)text[i + 2];
		out[o++] = digits[v >> 18];
		out[o++] = digits[v >> 12 & 63];
		out[o++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		out[o++] = i + 2 < n ? digits[v & 63] : '=';
	}
	out[o] = '\0';
	return out;
}

static int cmd_push_create_file(struct push *p, const char *name, int64_t size, char url[4200])
{
	char *host CLEANUP_FREE = cmd_push_base64(p->a->host ? p->a->host : ""),
		   *file CLEANUP_FREE = cmd_push_base64(name);
	char *meta CLEANUP_FREE = NULL, *address CLEANUP_FREE = mem_printf("%s/files", p->incident);
	char length[64];
	struct curl_slist *h = cmd_push_common_headers(p);

	meta = p->a->host ? mem_printf("Upload-Metadata: host %s,filename %s", host, file)
			  : mem_printf("Upload-Metadata: filename %s", file);
	snprintf(length, sizeof(length), "Upload-Length: %lld", (long long)size);
	h = curl_slist_append(curl_slist_append(h, length), meta);
	if (!cmd_push_request(p, "POST", address, h, NULL, 0) || p->status != 201)
		return cmd_push_fail(p, "start the upload");
	if (!cmd_push_resolve(p, url)) {
		fprintf(stderr,
			"bothends-agent: the server redirected '%s' to another server: refused\n",
			name);
		return 2;
	}
	return 0;
}

static bool cmd_push_send_from(
	struct push *p, const char *url, FILE *f, int64_t offset, int64_t size)
{
	struct curl_slist *h = cmd_push_common_headers(p);
	char line[64];

	snprintf(line, sizeof(line), "Upload-Offset: %lld", (long long)offset);
	h = curl_slist_append(h, line);
	h = curl_slist_append(h, "Content-Type: application/offset+octet-stream");
	if (fseeko(f, (off_t)offset, SEEK_SET) < 0) {
		curl_slist_free_all(h);
		return false;
	}
	return cmd_push_request(p, "PATCH", url, h, f, size - offset) && p->status == 204;
}

/* Sends the file; after each break asks the server how much it has. Waits 1, 2, 4 ... up to 30 s
 * between tries. */
static int cmd_push_send_file(struct push *p, const char *url, FILE *f, int64_t size)
{
	int64_t offset = 0;
	unsigned tries;

	for (tries = 0; tries <= p->a->tries; tries++) {
		if (size == 0 || (cmd_push_send_from(p, url, f, offset, size) && p->offset == size))
			return 0;
		if (p->status >= 400 && p->status != 409 && p->status != 423 && p->status < 500)
			break;
		sleep(tries < 5 ? 1U << tries : 30);
		if (cmd_push_request(p, "HEAD", url, cmd_push_common_headers(p), NULL, 0) &&
			p->status == 200 && p->offset >= 0 && p->offset <= size)
			offset = p->offset;
		if (offset == size)
			return 0;
	}
	return cmd_push_fail(p, "send the file");
}

static int cmd_push_one(struct push *p, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	FILE *f = fopen(path, "re");
	struct stat st;
	char url[4200];
	int r;

	if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "bothends-agent: cannot read '%s': %s\n", path,
			f ? "not a file" : strerror(errno));
		if (f)
			fclose(f);
		return 2;
	}
	/* A file that is still growing is sent up to its current length. */
	r = cmd_push_create_file(p, name, st.st_size, url);
	if (!r)
		r = cmd_push_send_file(p, url, f, st.st_size);
	fclose(f);
	if (!r && !p->a->quiet)
		fprintf(stderr, "bothends-agent: sent '%s', %lld bytes\n", name,
			(long long)st.st_size);
	return r;
}

static int cmd_push_with_sidecar(struct push *p, const char *path)
{
	size_t n = strlen(path), m = strlen(RING_SUFFIX);
	char *sidecar CLEANUP_FREE = NULL;
	int r = cmd_push_one(p, path);

	if (r || n < m || strcmp(path + n - m, RING_SUFFIX))
		return r;
	sidecar = mem_printf("%.*s" RING_SIDECAR, (int)(n - m), path);
	return access(sidecar, R_OK) ? 0 : cmd_push_one(p, sidecar);
}

static int cmd_push_read_token(struct push *p)
{
	char token[400] = "";
	const char *env = getenv("BOTHENDS_TOKEN");
	FILE *f;

	if (p->a->token_file) {
		f = fopen(p->a->token_file, "re");
		if (!f || !fgets(token, sizeof(token), f)) {
			fprintf(stderr, "bothends-agent: cannot read a token from '%s'\n",
				p->a->token_file);
			if (f)
				fclose(f);
			return 2;
		}
		fclose(f);
	} else if (env) {
		snprintf(token, sizeof(token), "%s", env);
	}
	token[strcspn(token, "\r\n")] = '\0';
	if (token[0])
		snprintf(p->authorization, sizeof(p->authorization), "Authorization: Bearer %s",
			token);
	return 0;
}

/* URL: the server (creates an incident) or an existing incident (".../incidents/ID"). */
static int cmd_push_find_incident(struct push *p, const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	char address[2100], found[4200];
	size_t n = strlen(url);

	if (!host || n >= 2000) {
		fprintf(stderr, "bothends-agent: '%s' is not a URL such as https://server/\n", url);
		return 2;
	}
	while (n && url[n - 1] == '/')
		n--;
	snprintf(p->base, sizeof(p->base), "%.*s", path ? (int)(path - url) : (int)n, url);
	if (path && strstr(path, "/incidents/")) {
		snprintf(p->incident, sizeof(p->incident), "%.*s", (int)n, url);
		return 0;
	}
	snprintf(address, sizeof(address), "%.*s/incidents", (int)n, url);
	if (!cmd_push_request(p, "POST", address, cmd_push_common_headers(p), NULL, 0) ||
		p->status != 201 || !cmd_push_resolve(p, found) ||
		strlen(found) >= sizeof(p->incident))
		return cmd_push_fail(p, "create an incident");
	memcpy(p->incident, found, strlen(found) + 1);
	return 0;
}

static int cmd_push_analyze(struct push *p)
{
	char *url CLEANUP_FREE = mem_printf("%s/analyze?wait=%u", p->incident, p->a->wait_s);

	if (!cmd_push_request(p, "POST", url, cmd_push_common_headers(p), NULL, 0) ||
		(p->status != 200 && p->status != 202))
		return cmd_push_fail(p, "start the analysis");
	fputs(p->body.text ? p->body.text : "", stdout);
	return 0;
}

int cmd_push(int argc, char **argv)
{
	struct arguments a = {.tries = 10, .wait_s = 60};
	struct push p = {.a = &a};
	unsigned i;
	int r;

	argp_err_exit_status = 2;
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	p.curl = curl_easy_init();
	r = p.curl ? cmd_push_read_token(&p) : 2;
	if (!r)
		r = cmd_push_find_incident(&p, a.words[a.count - 1]);
	for (i = 0; i + 1 < a.count && !r; i++)
		r = cmd_push_with_sidecar(&p, a.words[i]);
	if (!r && a.analyze)
		r = cmd_push_analyze(&p);
	else if (!r)
		printf("%s\n", p.incident);
	strbuf_release(&p.body);
	curl_easy_cleanup(p.curl);
	curl_global_cleanup();
	return r;
}
