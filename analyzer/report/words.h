/* words: how the reports for people print stored values. The database and JSON keep the stored
 * ones. */
#pragma once

#include "base/strbuf.h"
#include "report/model.h"

/* "good", "degraded" or "unusable"; a value that is not ours is returned as it is. */
const char *report_trust_word(const char *trust);

/* "seen at one end only" for one_sided; a disposition that needs no words is returned as it is. */
const char *report_disposition_words(const char *disposition);

/* "New since the last run"; NULL: a value that is not ours. */
const char *report_news_title(const char *news);

/* The title that a story begins, after the story before it (NULL: none); NULL: none. */
const char *report_news_heading(
	const struct report_story *story, const struct report_story *before);

/* Appends "clock offset db - worker = 37.2 s +/- 0.2 ms, drift 80 ppm (412 packets, both
 * directions)". */
void report_clock_words(struct strbuf *out, const struct report_clock *c);

/* Length of the unit that text begins with ("ms" of "ms, 3.2 s in all"); 0: none. Between a number
 * and its unit no line is broken. */
size_t report_unit_at(const char *text);
