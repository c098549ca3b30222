/* outdir: the output folder, checked and locked. */
#pragma once

#include "base/error.h"

/* A descriptor of the folder, locked against a second agent, or negative with one line for the
 * user. */
int outdir_open(const char *path, struct error *err);
/* After rights were given up: may this user still write there? */
int outdir_check(int dir_fd, const char *path, struct error *err);
