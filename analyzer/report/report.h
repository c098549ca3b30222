/* report: the formats of a report, and how it is best shown where it goes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/outfile.h"
#include "report/model.h"
#include "store/db.h"

#define REPORT_WIDTH_MIN 40 /* narrower terminals get lines of this width */

struct report_options {
	int width;	      /* columns to wrap at; 0: do not wrap */
	bool colour;	      /* text only: ANSI colours */
	bool signed_text;     /* text only: the last line says who made it */
	const char *database; /* path as the user gave it, for commands to copy; NULL: unknown */
	int64_t findings_max; /* stories that begin beyond this number are left out; 0: none */
};

/* Each writes a whole report of a finished, judged database to out. 0, or negative with err set. */
int report_text(struct db *db, FILE *out, const struct report_options *options, struct error *err);
int report_json(struct db *db, FILE *out, const struct report_options *options, struct error *err);
int report_brief(struct db *db, FILE *out, const struct report_options *options,
	struct error *err); /* JSON of the verdict, the notes and the stories alone */
int report_html(struct db *db, FILE *out, const struct report_options *options, struct error *err);
int report_markdown(
	struct db *db, FILE *out, const struct report_options *options, struct error *err);

/* Width and colour of the terminal that out is, else none; NO_COLOR is honoured. */
struct report_options report_terminal_options(FILE *out, const char *database);

/* Is that file a report, of any format? A text only if it is signed. */
bool report_is_report(const struct outfile_ends *ends);
