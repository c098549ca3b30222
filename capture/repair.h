/*
 * repair: cuts the torn tail off files that a crash left behind, so that every reader opens them.
 * Nothing before the tear is touched.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* A pcapng: keeps whole blocks. 0 and the bytes removed; a file without one whole block becomes
 * empty. */
int repair_capture(int dir_fd, const char *name, uint64_t *ret_removed, struct error *err);

/* A sidecar: keeps whole lines. A missing file is fine (0 removed). */
int repair_lines(int dir_fd, const char *name, uint64_t *ret_removed, struct error *err);
