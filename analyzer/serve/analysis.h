/* analysis: makes database and report from uploaded captures, in confined processes. */
#pragma once

#include "serve/http.h"

/* Starts the analysis in a new thread. The incident must be in state "analyzing". */
void analysis_start(struct server *server, const char *id);

/* The findings for an incident's JSON; [] before the analysis is done. New reference. */
json_t *analysis_findings(const struct server *server, const char *id);
