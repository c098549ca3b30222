#include "source.h"

#include <stddef.h>

void source_close(struct source *s)
{
	if (s->ops && s->impl)
		s->ops->close(s);
	s->impl = NULL;
	s->fd = -1;
}
