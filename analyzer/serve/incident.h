/* incident: requests about one incident: its state, report, database, evidence, SQL queries. */
#pragma once

#include "serve/request.h"

/* POST /incidents */
enum MHD_Result incident_new(struct request *r);

/* Any request for /incidents/ID or /incidents/ID/REST. */
enum MHD_Result incident_answer(struct request *r, const char *rest);

/*
 * Starts the analysis. Answers with done_status when it is done, or with 202 after ?wait=SECONDS
 * (default_wait without it).
 */
enum MHD_Result incident_analyze(struct request *r, int done_status, unsigned default_wait);
