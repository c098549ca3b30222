/*
 * repair: truncates files damaged by a crash to their last complete block or line, so that every
 * reader can open them.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* A pcapng file: keeps complete blocks. A file without one becomes empty. */
int repair_capture(int dir_fd, const char *name, uint64_t *ret_removed, struct error *err);

/* A sidecar: keeps complete lines. A missing file is not an error (0 removed). */
int repair_lines(int dir_fd, const char *name, uint64_t *ret_removed, struct error *err);
