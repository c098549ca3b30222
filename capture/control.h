/*
 * control: one line in, a reply out, over a socket in the output folder: how mark and status reach
 * the agent. Who may open the folder may ask.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

#define CONTROL_NAME ".control"
#define CONTROL_LINE 1024

/* The agent's side: before rights are given up. A stale socket is replaced. */
int control_listen(int dir_fd, struct error *err);
/* Takes one waiting request: the connection, and its line; -1: none. The caller replies and closes.
 */
int control_accept(int listen_fd, char line[CONTROL_LINE]);
void control_reply(int fd, const char *text);

enum control_result {
	CONTROL_NOT_RUNNING = 1, /* control_ask: no agent writes to this folder */
};

/* The other side: sends a line, collects the whole reply. */
int control_ask(const char *dir, const char *line, struct strbuf *reply, struct error *err);
