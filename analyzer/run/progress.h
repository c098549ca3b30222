/* progress: one line on standard error that shows how far a long run is. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress;

/*
 * Nothing is shown for the first second, nor when shown is false; verbose says how long each stage
 * took. done counts up to total (0: unknown).
 */
struct progress *progress_begin(bool shown, bool verbose, uint64_t total, _Atomic uint64_t *done);

/* What goes on after reading; text is static. NULL is fine. */
void progress_stage(struct progress *p, const char *text);

/* Clears the line and frees; NULL is fine. */
void progress_end(struct progress *p);
