/*
 * privdrop: the agent drops its privileges once all sources are open: root, capabilities, new
 * privileges, files outside the output folder, most system calls. This cannot be undone.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "rootfs.h"

struct privdrop {
	const char *user; /* to run as, if root; NULL: bothends-agent if it exists, else nobody */
	int output_fd;	  /* the only writable folder */
	const struct rootfs *root;
	/* What is in force now. false: this kernel lacks it. */
	bool landlock, seccomp;
};

/* 0, or negative with err set: then the agent must exit. */
int privdrop(struct privdrop *p, struct error *err);
