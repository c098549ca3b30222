/* delay: one-way delays of a path, on the reference of its clock model (RFC 7679 between taps). */
#pragma once

#include "join/path.h"

/* Computes the owd_ fields of path->out.counts from the matched segments. */
void delay_measure(struct path *path);
