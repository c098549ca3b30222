/*
 * log: lines of the kernel, keepalived and haproxy from a log of text: syslog (RFC 3164, RFC 5424,
 * with the times that rsyslog writes), dmesg, and the short forms of journalctl.
 */
#pragma once

#include "hostfile/recognise.h"

bool log_recognise(const struct hostfile_head *head);
void log_parse(struct reader *r, struct collection *c);

/* A message of the kernel (level -1: not said): becomes a fact where it explains lost packets. */
void log_kernel(struct collection *c, uint64_t line, const struct stamp *at, int level,
	const char *message);

/* A line of a program, by its name without the process ID. */
void log_program(struct collection *c, uint64_t line, const struct stamp *at, int level,
	const char *program, const char *message);
