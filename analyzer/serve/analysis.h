/* analysis: from uploaded captures to database and report, in confined processes. */
#pragma once

#include "serve/http.h"

/* Starts it in a thread of its own; the incident must be in state analyzing. */
void analysis_start(struct server *server, const char *id);

/* findings for the JSON of an incident: [] before it is done. New reference. */
json_t *analysis_findings(const struct server *server, const char *id);
