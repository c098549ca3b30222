/* match_copies: of equal segments that nothing but time tells apart, those arrived whose delay
 * fits. */
#pragma once

#include "join/match.h"

/* Chooses again, after whole segments were matched in order; marks what it settled. */
void match_copies(struct matcher *m);
