/*
 * log: lines of the kernel, keepalived and haproxy from a log of text: syslog (RFC 3164, RFC 5424,
 * with the times that rsyslog writes), dmesg, the short forms of journalctl, and a machine's
 * console.
 */
#pragma once

#include "hostfile/kernel.h"
#include "hostfile/recognise.h"

bool log_recognise(const struct hostfile_head *head);
void log_parse(struct reader *r, struct collection *c);

/* A console: lines of the kernel since its boot, and anything else between them. */
bool log_console_recognise(const struct hostfile_head *head);
void log_console_parse(struct reader *r, struct collection *c);

/* A line of a program, by its name without the process ID; level -1: not said. */
void log_program(struct kernel *k, uint64_t line, const struct stamp *at, int level,
	const char *program, const char *message);
