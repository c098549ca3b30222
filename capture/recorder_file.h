/* recorder_file: the blocks and facts at the beginning and end of each file. */
#pragma once

#include "recorder.h"

int recorder_begin_file(struct recorder *r, bool continues, struct error *err);
void recorder_end_file(struct recorder *r, const char *reason, int64_t now_ns);

/* A statistics block for every source. end_ns 0: the file continues. */
void recorder_add_statistics(struct recorder *r, int64_t now_ns, int64_t end_ns);
/* Records each source's drops since the last report, and its totals since the start of the file. */
void recorder_report_sources(struct recorder *r, int64_t now_ns);
/* Writes changed facts to the sidecar and the next statistics block. */
void recorder_drain_facts(struct recorder *r);
/* Writes both files. Records when writing is suspended and when it resumes. */
void recorder_write(struct recorder *r, int64_t now_ns);
