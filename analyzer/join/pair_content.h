/*
 * pair_content: pairs flows whose addresses were rewritten and whose SYNs were not captured, by
 * what their segments carry.
 */
#pragma once

#include "join/pairer.h"

/* Makes the anchors of a member's flow known. */
void pair_content_publish(struct pairer *p, uint32_t member);

/* Joins a member to the flow that most of its anchors agree with; false: none, or two tie. */
bool pair_content_join(struct pairer *p, uint32_t member);
