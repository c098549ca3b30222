/* filter: the text of a capture filter with its addresses disguised. */
#pragma once

#include "anonymise/disguise.h"

/* The caller frees. NULL: it holds words (names, parts of addresses) that could tell something. */
char *filter_rewrite(struct disguise *d, const char *text);
