#include "hostfile/recognise.h"

#include <string.h>

#include "hostfile/log.h"

/* In order: what has a mark of its own comes before what is told by its shape. */
static const struct hostfile_kind kinds[] = {
	{"log", log_recognise, log_parse},
};

const struct hostfile_kind *recognise_kind(const struct hostfile_head *head)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].recognise(head))
			return &kinds[i];
	return NULL;
}

bool recognise_name_ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && strcmp(name + n - m, with) == 0 && (n == m || name[n - m - 1] == '/');
}
