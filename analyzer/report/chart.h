/*
 * chart: one time line of the report: series of points, or lanes of spans. Collected here, put
 * into the page as JSON for the plotting library, and in words for everybody else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "report/html_page.h"

#define CHART_SERIES 12	   /* in one chart: more cannot be told apart */
#define CHART_POINTS 40000 /* of one chart */
#define CHART_BUCKETS 600  /* about as many as there are pixels */

enum chart_shape {
	CHART_LINES,  /* between what was measured nothing is known */
	CHART_COUNTS, /* nothing recorded means 0 */
	CHART_LANES,  /* each series is a row of bars */
};

struct chart;

/* Takes constants. unit is unused for lanes. Free with chart_free(). */
struct chart *chart_new(const char *id, const char *title, const char *unit, enum chart_shape shape,
	int64_t bucket_ns);
void chart_free(struct chart *c);

/* Points of a series in order of time. Beyond the limits they are dropped; of series it says so. */
void chart_point(struct chart *c, const char *series, int64_t at_ns, double value);

/* A bar in the lane of that name; one that begins within slack_ns of the last one's end prolongs
 * it. */
void chart_span(
	struct chart *c, const char *series, int64_t from_ns, int64_t to_ns, int64_t slack_ns);

/* When what the series counts was recorded at all; before and after nothing is known. */
void chart_ran(struct chart *c, const char *series, int64_t from_ns, int64_t to_ns);

bool chart_empty(const struct chart *c);
size_t chart_most(const struct chart *c); /* points of the series that has most */

/* The smallest round step of at least least_ns that cuts the page's span into CHART_BUCKETS. */
int64_t chart_bucket(const struct page *p, int64_t least_ns);

void chart_json(const struct chart *c, const struct page *p, struct strbuf *sb);
void chart_draw(const struct chart *c, struct page *p);
