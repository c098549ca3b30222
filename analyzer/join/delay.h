/* delay: one-way delays of a path, on the reference of its clock model (RFC 7679 between taps). */
#pragma once

#include "join/path.h"

/* Fills the owd_ fields of l->counts from what was matched. */
void delay_measure(struct path *path);
