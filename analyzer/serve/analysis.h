/* analysis: makes database and report from uploaded captures, in confined processes. */
#pragma once

#include "serve/http.h"

/* Starts the analysis in a new thread. The incident must be in state "analyzing". */
void analysis_start(struct server *server, const char *id);

/* Adds the verdict, what it rests on, notes, counts and findings of a finished analysis to the
 * incident's JSON. */
void analysis_tell(const struct server *server, const char *id, json_t *meta);
