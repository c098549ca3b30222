/* source_drops: the packets that the kernel drops, as a source. */
#pragma once

#include "source.h"

/* if_name; no interface can have a colon in its name. */
#define SOURCE_DROPS_NAME "kernel:drops"

enum drops_scope { DROPS_OFF, DROPS_OWN, DROPS_ALL }; /* OWN: of the agent's network namespace */

struct drops_settings {
	enum drops_scope scope;
	uint32_t rate;	     /* packets in a second; further ones are counted. 0: no limit */
	const char *reasons; /* NULL: all; else a list with commas */
};

/*
 * Opens it; the caller closes it, also after an error. err then says in one line why this kernel,
 * these rights or this build do not allow it.
 */
int source_open_drops(struct source *s, const struct drops_settings *drops,
	const struct source_settings *settings, struct error *err);
