/* verdict: the headline of a report, and what it rests on. */
#pragma once

#include "report/model.h"

/*
 * Sets verdict and checked of a model that is loaded otherwise. Without a finding the headline says
 * what was judged, in numbers, or why nothing could be: silence is told from health.
 */
void report_set_verdict(struct report *r);
