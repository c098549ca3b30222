/* plan: what a command line's inputs are and whose, in a folder made for the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pcapng_write.h"
#include "base/strbuf.h"
#include "run/plan.h"

#define SECOND 1000000000LL
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char folder[] = "/tmp/bothends-plan-XXXXXX";

static const char neighbors[] = "10.0.1.20 dev eth0 lladdr 02:00:00:00:00:20 REACHABLE\n";
static const char facts[] = "{\"at_ns\":5,\"key\":\"host.name\",\"value\":\"db9\"}\n";
static const char flow_log[] =
	"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
	"start end action log-status\n"
	"2 123456789010 eni-1 10.0.0.1 10.0.0.2 4000 5432 6 1 40 1790000000 1790000060 ACCEPT OK\n";

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *f = fopen(path, "wx");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

/* A capture whose frames, of one byte, came at these seconds. */
static void write_pcap(const char *path, const uint32_t *seconds, size_t n, uint8_t byte)
{
	const uint32_t header[6] = {0xA1B2C3D4U, 2 | 4 << 16, 0, 0, 65535, 1};
	CLEANUP_STRBUF struct strbuf out = STRBUF_INIT;

	strbuf_add(&out, header, sizeof(header));
	for (size_t i = 0; i < n; i++) {
		const uint32_t record[4] = {seconds[i], 0, 1, 1};

		strbuf_add(&out, record, sizeof(record));
		strbuf_add(&out, &byte, 1);
	}
	write_file(path, out.text, out.length);
}

static void write_one_frame(const char *path, uint32_t second, uint8_t byte)
{
	write_pcap(path, &second, 1, byte);
}

/* A capture without frames whose section header has the agent's comment. */
static void write_agent_capture(const char *path, const char *comment)
{
	CLEANUP_STRBUF struct strbuf out = STRBUF_INIT;
	size_t at = pcapng_begin_section(&out);

	pcapng_add_option_text(&out, PCAPNG_OPT_COMMENT, comment);
	pcapng_end_block(&out, at);
	write_file(path, out.text, out.length);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	write_one_frame("a.pcap", 30, 1);
	write_one_frame("x=y.pcap", 31, 1);
	write_one_frame("b.PCAP.gz", 10, 1);
	write_one_frame("copy.pcap", 30, 1);
	write_one_frame("other.pcap", 30, 2);
	write_pcap("none1.pcap", NULL, 0, 0);
	write_pcap("none2.pcap", NULL, 0, 0);
	write_agent_capture("agent.pcapng", "bothends-facts 1 at_ns=17\nhost.name=db1\n");
	write_agent_capture("mute.pcapng", "a note");
	write_text("agent.facts.jsonl", facts);
	write_text("lone.facts.jsonl", facts);
	write_text("hosts.neigh", neighbors);
	write_text("log.txt", flow_log);
	write_text("words.txt", "nothing that is known\n");
	write_text("kern.log", "Nov 28 10:00:00 web kernel: eth0: link up\n");
	write_text("empty.pcap", "");
	assert_int_equal(symlink("a.pcap", "link.pcap"), 0);
	assert_int_equal(link("a.pcap", "hard.pcap"), 0);
	assert_int_equal(mkdir("q=1", 0700) | mkdir("tree", 0700) | mkdir("useless", 0700), 0);
	write_one_frame("q=1/c.pcap", 20, 1);
	write_one_frame("tree/2.pcap", 2, 1);
	write_one_frame("tree/1.pcap", 3, 1);
	write_text("tree/empty", "");
	write_text("tree/words.txt", "nothing that is known\n");
	write_text("useless/words.txt", "nothing that is known\n");
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return chdir("/") || system(command);
}

/* "kind name path" of each input, in the plan's order. */
static void describe(const struct plan *p, struct strbuf *out)
{
	static const char *const kinds[] = {
		"capture", "neighbors", "facts", "flow-log", "host-file", "unknown"};

	for (uint32_t i = 0; i < p->count; i++)
		strbuf_printf(out, "%s%s %s %s", i ? ", " : "", kinds[p->inputs[i].kind],
			p->inputs[i].name ? p->inputs[i].name : "-", p->inputs[i].path);
}

static int make(struct plan *p, const char *const *inputs, struct error *err)
{
	struct plan_list l;
	int count = 0, r;

	while (inputs[count])
		count++;
	r = plan_list(&l, (char **)inputs, count, err);
	if (r == 0)
		r = plan_make(p, &l, err);
	plan_list_release(&l);
	return r;
}

static const struct {
	const char *name;
	const char *inputs[4];
	const char *plan;
	uint32_t skipped;
} accepted[] = {
	{"a name that was given", {"web=a.pcap"}, "capture web a.pcap", 0},
	{"the stem, whatever its endings", {"b.PCAP.gz"}, "capture b b.PCAP.gz", 0},
	{"a file whose name holds =", {"x=y.pcap"}, "capture x=y x=y.pcap", 0},
	{"and with a name before it", {"web=x=y.pcap"}, "capture web x=y.pcap", 0},
	{"a folder whose name holds =", {"./q=1/c.pcap"}, "capture c ./q=1/c.pcap", 0},
	{"the name that the agent wrote", {"agent.pcapng"}, "capture db1 agent.pcapng", 0},
	{"the command line over the agent", {"web=agent.pcapng"}, "capture web agent.pcapng", 0},
	{"a comment of somebody else", {"mute.pcapng"}, "capture mute mute.pcapng", 0},
	{"neighbours, named", {"db=hosts.neigh"}, "neighbors db hosts.neigh", 0},
	{"neighbours by their stem", {"hosts.neigh"}, "neighbors hosts hosts.neigh", 0},
	{"facts alone name their host", {"lone.facts.jsonl"}, "facts db9 lone.facts.jsonl", 0},
	{"facts beside a capture are of its host", {"agent.pcapng", "agent.facts.jsonl"},
		"capture db1 agent.pcapng, facts db1 agent.facts.jsonl", 0},
	{"in any order, and of the name given", {"agent.facts.jsonl", "web=agent.pcapng"},
		"facts web agent.facts.jsonl, capture web agent.pcapng", 0},
	{"unless they have a name of their own", {"agent.pcapng", "x=agent.facts.jsonl"},
		"capture db1 agent.pcapng, facts x agent.facts.jsonl", 0},
	{"facts of another file", {"a.pcap", "lone.facts.jsonl"},
		"capture a a.pcap, facts db9 lone.facts.jsonl", 0},
	{"a flow log is of no host", {"log.txt"}, "flow-log - log.txt", 0},
	{"a folder: what is fit, by name", {"tree"}, "capture 1 tree/1.pcap, capture 2 tree/2.pcap",
		2},
	{"a folder of one host", {"web=tree"},
		"capture web tree/1.pcap, capture web tree/2.pcap, unknown web tree/words.txt", 1},
	{"a log of a host", {"web=kern.log"}, "host-file web kern.log", 0},
	{"a file, and its folder too", {"tree/2.pcap", "tree"},
		"capture 2 tree/2.pcap, capture 1 tree/1.pcap", 3},
	{"equal length and time, other bytes", {"a.pcap", "other.pcap"},
		"capture a a.pcap, capture other other.pcap", 0},
	{"captures without a frame may be equal", {"none1.pcap", "none2.pcap"},
		"capture none1 none1.pcap, capture none2 none2.pcap", 0},
};

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(accepted); i++) {
		CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
		struct error err = ERROR_INIT;
		struct plan p = {0};

		if (make(&p, accepted[i].inputs, &err))
			fail_msg("%s: %s", accepted[i].name, err.text);
		describe(&p, &got);
		if (strcmp(got.text, accepted[i].plan) != 0)
			fail_msg("%s: %s", accepted[i].name, got.text);
		if (p.skipped != accepted[i].skipped)
			fail_msg("%s: %u skipped", accepted[i].name, p.skipped);
		plan_release(&p);
	}
}

static const struct {
	const char *name;
	const char *inputs[4];
	const char *says;
} refused[] = {
	{"not there", {"no.pcap"}, "'no.pcap'"},
	{"a name, and not there", {"web=no.pcap"}, "'no.pcap'"},
	{"a folder whose name holds =, and no such file", {"./q=1/no.pcap"}, "'./q=1/no.pcap'"},
	{"no name before =", {"=a.pcap"}, "'=a.pcap'"},
	{"empty", {"empty.pcap"}, "'empty.pcap'"},
	{"of no known kind", {"a.pcap", "words.txt"}, "'words.txt'"},
	{"one path twice", {"a.pcap", "b=./a.pcap"},
		"'./a.pcap' is given twice (also as 'a.pcap')"},
	{"by a link", {"a.pcap", "link.pcap"}, "'link.pcap' is given twice"},
	{"by a hard link", {"hard.pcap", "a.pcap"}, "'a.pcap' is given twice"},
	{"the same bytes", {"a.pcap", "b=copy.pcap"}, "'a.pcap' and 'copy.pcap' are identical"},
	{"a folder of nothing that is known", {"useless"},
		"no capture, flow log or other known input"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct error err = ERROR_INIT;
		struct plan p = {0};

		if (make(&p, refused[i].inputs, &err) >= 0)
			fail_msg("%s: accepted", refused[i].name);
		if (!strstr(err.text, refused[i].says))
			fail_msg("%s: %s", refused[i].name, err.text);
		plan_release(&p);
	}
}

/* With a format given any other text is a flow log; what shows what it is stays that. */
static void test_flow_logs_without_header(void **state)
{
	static const char *const inputs[] = {"words.txt", "a.pcap", "hosts.neigh", NULL};
	CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
	struct plan p = {.flow_logs_without_header = true};
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(make(&p, inputs, &err), 0);
	describe(&p, &got);
	assert_string_equal(
		got.text, "flow-log - words.txt, capture a a.pcap, neighbors hosts hosts.neigh");
	plan_release(&p);
}

/* Standard input becomes a pipe that holds a file's bytes; returns what it was. */
static int pipe_to_stdin(const char *path)
{
	char bytes[4096];
	FILE *f = fopen(path, "r");
	int ends[2], before = dup(STDIN_FILENO);
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, n), n);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return before;
}

static void restore_stdin(int before)
{
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	(void)close(before);
}

static void test_pipe(void **state)
{
	static const char *const inputs[] = {"-", NULL};
	struct error err = ERROR_INIT;
	struct plan p = {0};
	int before = pipe_to_stdin("a.pcap");

	(void)state;
	assert_int_equal(make(&p, inputs, &err), 0);
	assert_string_equal(p.inputs[0].name, "stdin");
	assert_int_equal(p.inputs[0].first_ns, 30 * SECOND);
	assert_non_null(p.inputs[0].open); /* it cannot be opened again */
	plan_release(&p);
	restore_stdin(before);

	before = pipe_to_stdin("hosts.neigh");
	assert_true(make(&p, inputs, &err) < 0);
	assert_non_null(strstr(err.text, "only captures can be read from a pipe"));
	plan_release(&p);
	restore_stdin(before);
}

static void test_output_spares_inputs(void **state)
{
	static const char *const inputs[] = {"a.pcap", "web=hosts.neigh", NULL};
	static const struct {
		const char *output;
		bool spares;
	} cases[] = {{"incident.db", true}, {"other.pcap", true}, {"copy.pcap", true},
		{"a.pcap", false}, {"./hosts.neigh", false}, {"link.pcap", false},
		{"hard.pcap", false}};
	struct error err = ERROR_INIT;
	struct plan p = {0};

	(void)state;
	assert_int_equal(make(&p, inputs, &err), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		if ((plan_spares_inputs(&p, cases[i].output, &err) == 0) != cases[i].spares)
			fail_msg("%s", cases[i].output);
	plan_release(&p);
}

/* "name: capture ...; " of each host; held against ids and order. */
static void describe_hosts(const struct dataset *data, struct strbuf *out)
{
	uint32_t captures = 0;

	for (uint32_t i = 0; i < data->host_count; i++) {
		const struct host *h = &data->hosts[i];

		assert_int_equal(h->id, i + 1);
		strbuf_printf(out, "%s:", h->name);
		for (uint32_t k = 0; k < h->capture_count; k++) {
			const struct capture *c = &data->captures[h->captures[k]];

			assert_true(k ? c->order_ns >= c[-1].order_ns : c->order_ns >= 2 * SECOND);
			assert_int_equal(c->host, i);
			assert_int_equal(c->id, ++captures);
			strbuf_printf(out, " %s", c->path);
		}
		strbuf_printf(out, "; ");
	}
	assert_int_equal(captures, data->capture_count);
}

static const struct {
	const char *name;
	const char *inputs[8];
	const char *hosts;
} hosts[] = {
	{"hosts by name, files by time",
		{"web=tree", "web=b.PCAP.gz", "db=a.pcap", "web=other.pcap"},
		"db: a.pcap; web: tree/2.pcap tree/1.pcap b.PCAP.gz other.pcap; "},
	{"files without a frame come last",
		{"w=none1.pcap", "w=a.pcap", "w=none2.pcap", "w=q=1/c.pcap"},
		"w: q=1/c.pcap a.pcap none1.pcap none2.pcap; "},
	{"one time: by path", {"w=other.pcap", "w=a.pcap"}, "w: a.pcap other.pcap; "},
	{"a host of which there is no capture",
		{"db=hosts.neigh", "web=a.pcap", "lone.facts.jsonl"}, "db:; db9:; web: a.pcap; "},
	{"what else a host has is not among its captures", {"web=hosts.neigh", "web=a.pcap"},
		"web: a.pcap; "},
	{"a flow log makes no host, whatever its name", {"eni=log.txt", "web=a.pcap"},
		"web: a.pcap; "},
	{"flow logs alone", {"log.txt"}, ""},
};

static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct dataset data = {.budget = arena_budget_new(0, "/tmp")};
		CLEANUP_STRBUF struct strbuf got = STRBUF_INIT;
		struct error err = ERROR_INIT;
		struct plan p = {0};

		if (make(&p, hosts[i].inputs, &err))
			fail_msg("%s: %s", hosts[i].name, err.text);
		plan_hosts(&p, &data);
		describe_hosts(&data, &got);
		if (strcmp(got.text ? got.text : "", hosts[i].hosts) != 0)
			fail_msg("%s: %s", hosts[i].name, got.text);
		dataset_release(&data);
		(void)arena_budget_free(data.budget);
		plan_release(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_flow_logs_without_header),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_output_spares_inputs),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
