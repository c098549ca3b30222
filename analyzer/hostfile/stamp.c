#include "hostfile/stamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/nsec.h"

#define DAY_NS (86400 * NSEC_PER_SEC)

static bool stamp_digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return false;
		v = v * 10 + ((*p)[i] - '0');
	}
	*p += n;
	*ret = v;
	return true;
}

static bool stamp_char(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool stamp_name(const char **p, const char *names, int *ret)
{
	for (int i = 0; names[i * 3]; i++)
		if (strncmp(*p, names + (size_t)i * 3, 3) == 0) {
			*p += 3;
			*ret = i + 1;
			return true;
		}
	return false;
}

static bool stamp_month(const char **p, int *ret)
{
	return stamp_name(p, "JanFebMarAprMayJunJulAugSepOctNovDec", ret);
}

static bool stamp_weekday(const char **p)
{
	int unused;

	return stamp_name(p, "SunMonTueWedThuFriSat", &unused) && stamp_char(p, ' ');
}

/* A day of one or two digits, with a blank before one digit. */
static bool stamp_day(const char **p, int *ret)
{
	if (**p == ' ')
		++*p;
	if (isdigit((unsigned char)**p) && !isdigit((unsigned char)(*p)[1]))
		return stamp_digits(p, 1, ret);
	return stamp_digits(p, 2, ret);
}

/* .123 or ,123456: whatever digits there are; within is what further digits would add. */
static int64_t stamp_fraction(const char **p, int64_t *ret_within_ns)
{
	int64_t ns = 0, unit = NSEC_PER_SEC;

	if ((**p == '.' || **p == ',') && isdigit((unsigned char)(*p)[1]))
		for (++*p; isdigit((unsigned char)**p); ++*p)
			if (unit > 1) {
				unit /= 10;
				ns += (**p - '0') * unit;
			}
	/* Below a microsecond nothing here depends on it. */
	*ret_within_ns = unit > NSEC_PER_USEC ? unit - 1 : 0;
	return ns;
}

/* hh:mm:ss with a fraction: ns since midnight. */
static bool stamp_clock(const char **p, struct stamp *s)
{
	int h, m, sec;

	if (!stamp_digits(p, 2, &h) || !stamp_char(p, ':') || !stamp_digits(p, 2, &m) ||
		!stamp_char(p, ':') || !stamp_digits(p, 2, &sec) || h > 23 || m > 59 || sec > 60)
		return false;
	s->ns = (h * 3600 + m * 60 + sec) * NSEC_PER_SEC;
	s->ns += stamp_fraction(p, &s->within_ns);
	return true;
}

int64_t stamp_civil_ns(int year, int month, int day)
{
	/* Days since 1970-03-01 shifted: years begin in March, so that a leap day ends one. */
	int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 +
		       day - 1 - 719468;

	return days * DAY_NS;
}

int64_t stamp_in_year(const struct stamp *s, int year)
{
	return stamp_civil_ns(year, s->month, s->day) + s->ns;
}

int stamp_year_of(int64_t ns)
{
	int64_t days = (ns >= 0 ? ns : ns - DAY_NS + 1) / DAY_NS + 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);

	return (int)(year + era * 400 + (of_year >= 306));
}

static bool stamp_in_range(int year, int month, int day)
{
	return year >= 1970 && year <= 2115 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Z, UTC, GMT, +02:00, +0200, +02. false: another name, which does not say how far it is from UTC.
 */
static bool stamp_zone(const char **p, int64_t *ret_ns)
{
	int h, m = 0;
	bool east = **p == '+';

	*ret_ns = 0;
	if (stamp_char(p, 'Z'))
		return true;
	if (strncmp(*p, "UTC", 3) == 0 || strncmp(*p, "GMT", 3) == 0) {
		*p += 3;
		return true;
	}
	if (!stamp_char(p, '+') && !stamp_char(p, '-'))
		return false;
	if (!stamp_digits(p, 2, &h))
		return false;
	(void)stamp_char(p, ':');
	(void)stamp_digits(p, 2, &m);
	*ret_ns = (h * 3600 + m * 60) * NSEC_PER_SEC * (east ? 1 : -1);
	return h <= 15 && m < 60;
}

bool stamp_parse_zone(const char *text, int64_t *ret_ns)
{
	return stamp_zone(&text, ret_ns) && !*text;
}

/* The zone behind a time; a name that is not known is passed over. */
static void stamp_take_zone(const char **p, struct stamp *s)
{
	int64_t zone_ns;

	s->kind = STAMP_LOCAL;
	if (stamp_zone(p, &zone_ns)) {
		s->ns -= zone_ns;
		s->kind = STAMP_ABSOLUTE;
		return;
	}
	while (isupper((unsigned char)**p))
		++*p;
}

/* 2026-11-28T10:00:00.123456+00:00 */
static bool stamp_rfc3339(const char **p, struct stamp *s)
{
	int year, month, day;

	if (!stamp_digits(p, 4, &year) || !stamp_char(p, '-') || !stamp_digits(p, 2, &month) ||
		!stamp_char(p, '-') || !stamp_digits(p, 2, &day) ||
		(!stamp_char(p, 'T') && !stamp_char(p, ' ')) || !stamp_clock(p, s) ||
		!stamp_in_range(year, month, day))
		return false;
	s->ns += stamp_civil_ns(year, month, day);
	s->kind = STAMP_LOCAL;
	if (**p == 'Z' || **p == '+' || **p == '-' || strncmp(*p, " UTC", 4) == 0 ||
		strncmp(*p, " +", 2) == 0) {
		(void)stamp_char(p, ' ');
		stamp_take_zone(p, s);
	}
	return true;
}

/* Sat 2026-11-28 10:00:00 UTC (systemd), Sat Nov 28 10:00:00 [UTC] 2026 (ctime, date) */
static bool stamp_with_weekday(const char **p, struct stamp *s)
{
	int year, month, day;

	if (!stamp_weekday(p))
		return false;
	if (isdigit((unsigned char)**p)) {
		if (!stamp_rfc3339(p, s))
			return false;
		if (s->kind == STAMP_LOCAL && **p == ' ' && isupper((unsigned char)(*p)[1])) {
			++*p;
			stamp_take_zone(p, s);
		}
		return true;
	}
	if (!stamp_month(p, &month) || !stamp_char(p, ' ') || !stamp_day(p, &day) ||
		!stamp_char(p, ' ') || !stamp_clock(p, s) || !stamp_char(p, ' '))
		return false;
	stamp_take_zone(p, s);
	(void)stamp_char(p, ' ');
	if (!stamp_digits(p, 4, &year) || !stamp_in_range(year, month, day))
		return false;
	s->ns += stamp_civil_ns(year, month, day);
	return true;
}

/* Nov 28 10:00:00 */
static bool stamp_rfc3164(const char **p, struct stamp *s)
{
	if (!stamp_month(p, &s->month) || !stamp_char(p, ' ') || !stamp_day(p, &s->day) ||
		!stamp_char(p, ' ') || !stamp_clock(p, s))
		return false;
	s->kind = STAMP_YEARLESS;
	return s->day >= 1 && s->day <= 31;
}

/* 12.345678: seconds, with a fraction */
static bool stamp_seconds(const char **p, struct stamp *s)
{
	int64_t v = 0;
	const char *digits = *p;

	for (; isdigit((unsigned char)**p); ++*p) {
		if (v > INT64_C(5000000000))
			return false;
		v = v * 10 + (**p - '0');
	}
	if (*p == digits || **p != '.' || v > INT64_C(4600000000))
		return false;
	s->ns = v * NSEC_PER_SEC;
	s->ns += stamp_fraction(p, &s->within_ns);
	return true;
}

/* [   12.345678], [    12.345678@1] (CPU), [   12.345678][    T1] (caller) */
static bool stamp_bracketed(const char **p, struct stamp *s)
{
	if (!stamp_char(p, '['))
		return false;
	if (isupper((unsigned char)**p))
		return stamp_with_weekday(p, s) && stamp_char(p, ']');
	while (**p == ' ')
		++*p;
	if (!stamp_seconds(p, s))
		return false;
	s->kind = STAMP_UPTIME;
	if (**p == '@')
		*p += 1 + strspn(*p + 1, "0123456789");
	if (!stamp_char(p, ']'))
		return false;
	if (**p == '[') {
		size_t n = 1 + strspn(*p + 1, " TC0123456789");

		if ((*p)[n] == ']')
			*p += n + 1;
	}
	return true;
}

static bool stamp_unix(const char **p, struct stamp *s)
{
	s->kind = STAMP_ABSOLUTE;
	return stamp_seconds(p, s) && s->ns >= 100000000 * NSEC_PER_SEC;
}

size_t stamp_take(const char *line, struct stamp *ret)
{
	static bool (*const forms[])(const char **, struct stamp *) = {
		stamp_bracketed, stamp_rfc3164, stamp_rfc3339, stamp_with_weekday, stamp_unix};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct stamp s = {0};
		const char *p = line;

		if (!forms[i](&p, &s) || (*p && !strchr(" \t\n|", *p)))
			continue;
		(void)snprintf(s.written, sizeof(s.written), "%.*s", (int)(p - line), line);
		p += strspn(p, " \t");
		*ret = s;
		return (size_t)(p - line);
	}
	*ret = (struct stamp){.kind = STAMP_NONE};
	return 0;
}
