/* outdir: checks and locks the output folder. */
#pragma once

#include "base/error.h"

/* Opens the folder and locks it against a second agent. The descriptor, or negative with err set.
 */
int outdir_open(const char *path, struct error *err);
/* After privileges were dropped: checks that this user can still write there. */
int outdir_check(int dir_fd, const char *path, struct error *err);
