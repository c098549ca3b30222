/*
 * rewrite: a frame with its addresses, MACs and payload disguised. Lengths, times to live, IDs,
 * ports, sequence numbers and options that say nothing of people stay; checksums stay as right or
 * as wrong as they were. What is not understood counts as payload: nothing is kept by oversight.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymise/disguise.h"

/* Whether frames of a link type can be rewritten. */
bool rewrite_knows_link(uint32_t link_type);

/* bytes: the captured ones, rewritten in place. scratch: as many, for what they were before. */
void rewrite_frame(
	struct disguise *d, uint32_t link_type, uint8_t *bytes, uint8_t *scratch, size_t size);
