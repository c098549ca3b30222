/*
 * privdrop: gives up everything the agent does not need once all is open: root, capabilities, new
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
	/* What holds now. A kernel without Landlock leaves the rest in place. */
	bool user_changed, landlock, seccomp;
};

/* Each step is checked; a step that this kernel does not know is told by its flag staying false. */
int privdrop(struct privdrop *c, struct error *err);

/* One file each. */
int privdrop_landlock(struct privdrop *c, struct error *err);
int privdrop_seccomp(struct privdrop *c, struct error *err);
