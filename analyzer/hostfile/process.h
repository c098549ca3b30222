/*
 * process: what a listing of processes says of a host of guests: qemu, and the threads of vhost_net
 * that serve their network interfaces.
 */
#pragma once

#include "hostfile/recognise.h"

/* ps in any form with a line for each process under a header with PID. */
bool process_recognise(const struct hostfile_head *head);
void process_parse(struct reader *r, struct collection *c);

/* A process by its name alone (/proc/PID/comm). */
void process_named(struct collection *c, uint64_t line, const char *name);

/* All files were read: the counts become facts. */
void process_finish(struct collection *c);
