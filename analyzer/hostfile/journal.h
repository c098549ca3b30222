/* journal: logs with named fields: journalctl -o json and -o export, dmesg -J. */
#pragma once

#include "hostfile/recognise.h"

bool journal_json_recognise(const struct hostfile_head *head);
void journal_json_parse(struct reader *r, struct collection *c);

bool journal_export_recognise(const struct hostfile_head *head);
void journal_export_parse(struct reader *r, struct collection *c);

bool journal_dmesg_recognise(const struct hostfile_head *head);
void journal_dmesg_parse(struct reader *r, struct collection *c);
