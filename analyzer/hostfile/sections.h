/*
 * sections: files that hold the output of several commands: supportconfig's (a rule and "# COMMAND"
 * above each), and a terminal's ("root@db:~# ip neigh"). Each is read as a file of its own, and
 * lines are counted in the whole.
 */
#pragma once

#include "hostfile/recognise.h"

#define SECTIONS_MAX 10000u

bool sections_support_recognise(const struct hostfile_head *head);
void sections_support_parse(struct reader *r, struct collection *c);

bool sections_terminal_recognise(const struct hostfile_head *head);
void sections_terminal_parse(struct reader *r, struct collection *c);
