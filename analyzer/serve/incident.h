/* incident: answers about one incident: state, report, database, evidence, SQL. */
#pragma once

#include "serve/request.h"

enum MHD_Result incident_new(struct request *r);

/* Whatever is asked of /incidents/ID/REST. */
enum MHD_Result incident_answer(struct request *r, const char *rest);

/* Starts the analysis; answers when it is done, with done_status, or when the patience asked for
 * (normal_wait) is over. */
enum MHD_Result incident_analyze(struct request *r, int done_status, unsigned normal_wait);
