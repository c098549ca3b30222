/*
 * bothends-agent nft --print: prints nftables rules that log to the agent's group. The
 * administrator loads them: the agent never changes a firewall.
 */
#include <argp.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

struct arguments {
	bool print, remove;
	unsigned group;
	const char *match;
};

static const struct argp_option table[] = {
	{"print", 'p', NULL, 0, "print the rules: bothends-agent nft --print | nft -f -", 0},
	{"remove", 'r', NULL, 0, "print the commands that remove the rules", 0},
	{"group", 'g', "GROUP", 0, "log group (default 5)", 0},
	{"match", 'm', "EXPRESSION", 0,
		"log packets matching this nft expression (default: TCP SYN, FIN and RST, ICMP, "
		"VRRP)",
		0},
	{0},
};

static error_t cmd_nft_parse_one(int key, char *arg, struct argp_state *st)
{
	struct arguments *a = st->input;
	char *end;

	switch (key) {
	case 'p':
		a->print = true;
		return 0;
	case 'r':
		a->remove = true;
		return 0;
	case 'm':
		a->match = arg;
		return 0;
	case 'g':
		a->group = (unsigned)strtoul(arg, &end, 10);
		if (!isdigit((unsigned char)*arg) || *end || a->group > 65535)
			argp_failure(st, 2, 0, "--group '%s' is not a number from 0 to 65535", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {.options = table,
	.parser = cmd_nft_parse_one,
	.doc = "Prints nftables rules for the agent's --nflog."};

/*
 * First and last on the way in, and first and last on the way out. A packet that the first chain
 * logged and the last did not was dropped in between. Priorities: before conntrack and every usual
 * filter (raw is -300), and after them.
 */
static void cmd_nft_print_rules(const struct arguments *a)
{
	static const struct {
		const char *name, *hook;
		int priority;
	} chains[] = {{"in_first", "prerouting", -301}, {"in_last", "input", 301},
		{"through_last", "forward", 301}, {"out_first", "output", -301},
		{"out_last", "postrouting", 301}};
	static const char *const matches[] = {
		"tcp flags & (syn | fin | rst) != 0", "meta l4proto { icmp, ipv6-icmp, vrrp }"};
	size_t i, j, n = a->match ? 1 : sizeof(matches) / sizeof(*matches);

	puts("table inet bothends");
	puts("delete table inet bothends");
	puts("table inet bothends {");
	for (i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		printf("\tchain %s {\n\t\ttype filter hook %s priority %d; policy accept;\n",
			chains[i].name, chains[i].hook, chains[i].priority);
		for (j = 0; j < n; j++)
			printf("\t\t%s log group %u prefix \"bothends %s\"\n",
				a->match ? a->match : matches[j], a->group, chains[i].name);
		puts("\t}");
	}
	puts("}");
}

int cmd_nft(int argc, char **argv)
{
	struct arguments a = {.group = 5};

	argp_err_exit_status = 2;
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.print == a.remove) {
		fputs("bothends-agent: missing --print or --remove (both only print)\n", stderr);
		return 2;
	}
	if (a.print)
		cmd_nft_print_rules(&a);
	else
		puts("table inet bothends\ndelete table inet bothends");
	return fflush(stdout) ? 2 : 0;
}
