/* bothends collect: prints the script that takes logs, facts and counters of a host without the
 * program. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "collect_script.h"

static error_t cmd_collect_parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (key != ARGP_KEY_ARG)
		return key == ARGP_KEY_END || key == ARGP_KEY_NO_ARGS || key == ARGP_KEY_INIT ||
				       key == ARGP_KEY_SUCCESS
			       ? 0
			       : ARGP_ERR_UNKNOWN;
	argp_error(state, "unexpected argument '%s'", arg);
	return EINVAL;
}

int cmd_collect(int argc, char **argv)
{
	static const struct argp argp = {NULL, cmd_collect_parse, NULL,
		"Prints a POSIX shell script that collects logs, facts and counters of the host it "
		"runs "
		"on into one archive, for bothends analyze. It needs nothing installed and works "
		"without "
		"root.\v"
		"  bothends collect > collect.sh; scp collect.sh HOST:; ssh HOST sh collect.sh\n"
		"  bothends collect | ssh HOST sh -s -- - > HOST.tar.gz",
		NULL, NULL, NULL};
	struct error err = {0};

	if (cmd_parse(&argp, argc, argv, 0, NULL))
		return EXIT_USAGE;
	if (fputs(asset_collect_sh, stdout) == EOF || fflush(stdout) == EOF) {
		(void)error_errno(&err, "cannot write the script");
		return cmd_failed("collect", &err);
	}
	return 0;
}
