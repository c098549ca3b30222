/*
 * stamp: the time at the beginning of a log line, as far as the line tells it. Logs leave out the
 * year, the zone, or both, or count from the boot: what is missing is filled in later, or never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stamp_kind {
	STAMP_NONE,	/* the line has none */
	STAMP_ABSOLUTE, /* ns is a time since the epoch */
	STAMP_LOCAL,	/* ns is what a clock on the wall showed, counted as if in UTC */
	STAMP_YEARLESS, /* as local, in the year 0 of which nothing is known: month to ns are set */
	STAMP_UPTIME,	/* ns since the boot */
	STAMP_UNSAID,	/* of what carries no time where a time matters */
};

#define STAMP_WRITTEN_SIZE 40

struct stamp {
	enum stamp_kind kind;
	int64_t ns;
	int64_t within_ns; /* the text is cut: the time is at most so much later */
	bool has_uptime;   /* the line has the time since the boot too */
	int64_t uptime_ns;
	int month, day;			  /* yearless: 1..12, 1..31; ns counts from midnight */
	char written[STAMP_WRITTEN_SIZE]; /* the text */
};

/*
 * Takes the time that a line begins with. Returns the bytes that it and the blanks behind it have;
 * 0: none. It knows: "[ 12.345678]", "[Sat Nov 28 10:00:00 2026]", "Nov 28 10:00:00[.123456]",
 * RFC 3339 (also with a comma, a zone without colon, or no zone), "Sat 2026-11-28 10:00:00 UTC",
 * "Sat Nov 28 10:00:00 UTC 2026", "1764324000.123456".
 */
size_t stamp_take(const char *line, struct stamp *ret);

/* "UTC", "+02:00", "-0330": what a clock on the wall is ahead of UTC. false: another text. */
bool stamp_parse_zone(const char *text, int64_t *ret_ns);

/* The time since the epoch of a day in UTC. month 1..12. */
int64_t stamp_civil_ns(int year, int month, int day);

/* ns of a yearless stamp in that year, on a clock on the wall. */
int64_t stamp_in_year(const struct stamp *s, int year);

/* The year of a time since the epoch, in UTC. */
int stamp_year_of(int64_t ns);
