/*
 * pair_together: joins flows with each other that two vantage points apart could not join: what one
 * lacked, a third one has told since, of which each has a member.
 */
#pragma once

#include "join/pairer.h"

/* After all vantage points. TCP flows whose initial sequence numbers fit, and no place twice. */
void pair_flows_together(struct pairer *p);

/* Flows that are left take the numbers of those that are empty. */
void pair_together_close_up(struct pairer *p);
