/* In builds without libbpf, clang and bpftool. */
#include "source_drops.h"

#include <errno.h>

int source_open_drops(struct source *s, const struct drops_settings *drops,
	const struct source_settings *settings, struct error *err)
{
	(void)drops;
	(void)settings;
	s->fd = -1;
	return error_set(err, -ENOTSUP, "this build has no BPF (meson option drops)");
}
