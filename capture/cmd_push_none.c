/* Built where libcurl is missing. */
#include <stdio.h>

#include "cmd.h"

int cmd_push(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs("bothends-agent: this build is without libcurl: curl -F HOST=@FILE URL does the "
	      "same\n",
		stderr);
	return 2;
}
