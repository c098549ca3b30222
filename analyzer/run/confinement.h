/*
 * confinement: analyze reads its inputs, writes into its output's folder, and can do nothing else,
 * from before it opens an input to its end: no network, no other program, no other file.
 */
#pragma once

#include "run/analyze.h"
#include "run/plan.h"

/*
 * Restricts this process for good (base/sandbox_reader.h); no thread may run yet. A kernel that
 * lacks Landlock or seccomp restricts less; with o->verbose standard error says what holds.
 * Negative with err set: the process is partly restricted and must exit.
 */
int confinement_enter(
	const struct analyze_options *o, const struct plan_list *inputs, struct error *err);
