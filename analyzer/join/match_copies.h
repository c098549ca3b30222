/* match_copies: among identical segments that only time tells apart, picks those whose delay fits.
 */
#pragma once

#include "join/match.h"

/* Chooses again, after whole segments were matched in order; marks what it settled. */
void match_copies(struct matcher *m);
