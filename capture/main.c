#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "cmd.h"

/* The C library looks for this name; symbols are hidden unless said otherwise. */
__attribute__((visibility("default"))) const char *argp_program_version =
	"bothends-agent " BOTHENDS_VERSION;

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"facts", cmd_facts},
	{"ls", cmd_ls},
	{"mark", cmd_mark},
	{"nft", cmd_nft},
	{"push", cmd_push},
	{"status", cmd_status},
};

static int main_run_agent(int argc, char **argv)
{
	struct options o;
	int status = 2;

	options_parse(&o, argc, argv);
	if (!o.interface_count && !o.group_count && !o.root)
		fprintf(stderr, "bothends-agent: nothing to capture: give an interface (-i eth0, "
				"or -i auto) or a netfilter group (-g 5)\n");
	else if (!o.output)
		fprintf(stderr, "bothends-agent: missing output folder: -w DIR\n");
	else
		status = agent_run(&o);
	options_release(&o);
	return status;
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	return main_run_agent(argc, argv);
}
