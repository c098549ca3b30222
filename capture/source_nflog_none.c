/* Built where libnetfilter_log is missing. */
#include "source.h"

#include <errno.h>

int source_open_nflog(
	struct source *s, uint16_t group, const struct source_settings *settings, struct error *err)
{
	(void)s;
	(void)settings;
	return error_set(err, -ENOTSUP,
		"cannot open netfilter group %u: this build is without libnetfilter_log", group);
}
