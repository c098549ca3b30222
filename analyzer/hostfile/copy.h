/*
 * copy: files of /proc, /sys and /etc as they are, told by their path: of an archive, a folder, or
 * as `grep . FILE...` prints them (PATH:VALUE).
 */
#pragma once

#include "hostfile/recognise.h"

bool copy_recognise(const struct hostfile_head *head);
void copy_parse(struct reader *r, struct collection *c);

/* Lines of PATH:VALUE with paths below /proc, /sys or /etc. */
bool copy_lines_recognise(const struct hostfile_head *head);
void copy_lines_parse(struct reader *r, struct collection *c);

/* All files were read: facts whose parts stand in several of them. */
void copy_finish(struct collection *c);
