/* terminal: how a report is best shown where it goes. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/report.h"

struct report_options report_terminal_options(FILE *out, const char *database)
{
	struct report_options o = {.database = database, .findings_max = REPORT_FINDINGS};
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	if (!isatty(fileno(out)))
		return o;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= REPORT_WIDTH_MIN)
		o.width = size.ws_col;
	o.colour = !(none && *none) && !(term && strcmp(term, "dumb") == 0);
	return o;
}
