/* sysstat: what `sadf -d` and `sadf -j` print of sar's files: rates over intervals. */
#pragma once

#include "hostfile/recognise.h"

bool sysstat_recognise(const struct hostfile_head *head);
void sysstat_parse(struct reader *r, struct collection *c);

bool sysstat_json_recognise(const struct hostfile_head *head);
void sysstat_json_parse(struct reader *r, struct collection *c);

/* A file of sar itself, whose form changes with its version: `sadf -j FILE -- -n ALL` converts it.
 */
bool sysstat_binary_recognise(const struct hostfile_head *head);
void sysstat_binary_parse(struct reader *r, struct collection *c);
