/* recorder_file: the blocks and facts that a file of the recorder begins and ends with. */
#pragma once

#include "recorder.h"

int recorder_begin_file(struct recorder *r, bool continues, struct error *err);
void recorder_end_file(struct recorder *r, const char *reason, int64_t now_ns);

/* Statistics of every source; end_ns 0: the file goes on. */
void recorder_add_statistics(struct recorder *r, int64_t now_ns, int64_t end_ns);
/* Notes what every source lost since the last report, and its totals since the file began. */
void recorder_report_sources(struct recorder *r, int64_t now_ns);
/* Moves facts that changed into the sidecar and the next statistics block. */
void recorder_drain_facts(struct recorder *r);
/* Writes both files. Notes when the disk stops taking them and when it goes on. */
void recorder_write(struct recorder *r, int64_t now_ns);
