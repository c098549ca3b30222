/*
 * privdrop: the agent gives up its rights once all its sources are open: root, capabilities, new
 * privileges, files outside the output folder, most system calls. There is no way back.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "rootfs.h"

struct privdrop {
	const char *user; /* to become, if root; NULL: bothends-agent, or nobody */
	int output_fd;	  /* the only folder that may be written */
	const struct rootfs *root;
	/* What holds now. false: this kernel lacks it. */
	bool user_changed, landlock, seccomp;
};

/* 0, or negative with err set: then the agent must end. */
int privdrop(struct privdrop *p, struct error *err);
