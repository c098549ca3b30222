/*
 * control: how mark and status reach the agent: a Unix socket in the output folder, one line
 * request, one reply. Access is controlled by the folder's permissions.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

#define CONTROL_NAME ".control"
#define CONTROL_LINE 1024

/* The agent's side, called before privileges are dropped. Replaces a stale socket. */
int control_listen(int dir_fd, struct error *err);
/* Accepts one pending request: returns the connection and fills line; -1: none. The caller
 * replies and closes. */
int control_accept(int listen_fd, char line[CONTROL_LINE]);
void control_reply(int fd, const char *text);

enum control_result {
	CONTROL_NOT_RUNNING = 1, /* control_ask: no agent is running for this folder */
};

/* The client's side: sends a line and reads the whole reply. */
int control_ask(const char *dir, const char *line, struct strbuf *reply, struct error *err);
