/* bothends-agent facts: prints what the agent would record about this host, or about another host
 * from a copy of its files. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/nsec.h"
#include "cmd.h"
#include "host.h"

struct arguments {
	const char *root;
	bool json;
};

static const struct argp_option table[] = {
	{"root", 'r', "DIR", 0, "read another host's files, copied below DIR (docs/facts.md)", 0},
	{"json", 'j', NULL, 0, "print one JSON object per line, as in the sidecar", 0},
	{0},
};

static error_t cmd_facts_parse_one(int key, char *arg, struct argp_state *st)
{
	struct arguments *a = st->input;

	switch (key) {
	case 'r':
		a->root = arg;
		return 0;
	case 'j':
		a->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {.options = table,
	.parser = cmd_facts_parse_one,
	.doc = "Prints facts about the host, as the agent records them."};

static void cmd_facts_print(struct facts *f, bool json)
{
	struct comments comments = {.at_ns = nsec_now()};
	struct strbuf lines CLEANUP_STRBUF = STRBUF_INIT;
	struct fact_out out = {json ? NULL : &comments, json ? &lines : NULL};
	size_t i, length;

	fact_write_all(f, &out);
	comments_end(&comments);
	if (json)
		fputs(lines.text ? lines.text : "", stdout);
	for (i = 0; i < comments.count; i++) {
		const char *text = comments_get(&comments, i, &length);

		fwrite(text, 1, length, stdout);
	}
	comments_release(&comments);
}

int cmd_facts(int argc, char **argv)
{
	struct arguments a = {0};
	struct error err = ERROR_INIT;
	struct facts *f;
	struct host h;
	int r;

	argp_err_exit_status = 2;
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	f = fact_new();
	r = host_open(&h, a.root, f, &err);
	if (r) {
		fprintf(stderr, "bothends-agent: %s\n", err.text);
	} else {
		host_collect_all(&h);
		cmd_facts_print(f, a.json);
	}
	host_release(&h);
	fact_free(f);
	return r || fflush(stdout) ? 2 : 0;
}
