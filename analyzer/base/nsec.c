#include "base/nsec.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t nsec_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

const char *nsec_format(int64_t t_ns, char buf[NSEC_TEXT_SIZE])
{
	int64_t sec = t_ns / NSEC_PER_SEC, frac = t_ns % NSEC_PER_SEC;
	struct tm tm;
	time_t t;

	if (frac < 0) {
		frac += NSEC_PER_SEC;
		sec--;
	}
	assert(frac >= 0 && frac < NSEC_PER_SEC);
	t = (time_t)sec;
	(void)gmtime_r(&t, &tm);
	(void)snprintf(buf, NSEC_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)frac);
	return buf;
}

/* Exactly n digits at *p as a number; advances. */
static bool nsec_digits(const char **p, int n, int *ret)
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

static bool nsec_literal(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool nsec_fraction(const char **p, int64_t *ret_ns)
{
	int64_t unit = NSEC_PER_SEC / 10;

	*ret_ns = 0;
	if (**p != '.' && **p != ',')
		return true;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++, unit /= 10)
		*ret_ns += (**p - '0') * unit;
	return true;
}

static bool nsec_zone(const char **p, int *ret_seconds)
{
	int h, m, sign;

	*ret_seconds = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	sign = **p == '-' ? -1 : 1;
	(*p)++;
	if (!nsec_digits(p, 2, &h) || !nsec_literal(p, ':') || !nsec_digits(p, 2, &m) || h > 23 ||
		m > 59)
		return false;
	*ret_seconds = sign * (h * 3600 + m * 60);
	return true;
}

bool nsec_parse(const char *text, int64_t *ret_ns)
{
	int y, mo, d, h, mi, s, offset;
	const char *p = text;
	struct tm tm = {0};
	int64_t frac;

	if (!nsec_digits(&p, 4, &y) || !nsec_literal(&p, '-') || !nsec_digits(&p, 2, &mo) ||
		!nsec_literal(&p, '-') || !nsec_digits(&p, 2, &d))
		return false;
	if (*p != 'T' && *p != 't' && *p != ' ')
		return false;
	p++;
	if (!nsec_digits(&p, 2, &h) || !nsec_literal(&p, ':') || !nsec_digits(&p, 2, &mi) ||
		!nsec_literal(&p, ':') || !nsec_digits(&p, 2, &s) || !nsec_fraction(&p, &frac) ||
		!nsec_zone(&p, &offset) || *p)
		return false;
	if (y < 1970 || y > 2261 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 ||
		s > 60)
		return false;
	tm = (struct tm){.tm_year = y - 1900,
		.tm_mon = mo - 1,
		.tm_mday = d,
		.tm_hour = h,
		.tm_min = mi,
		.tm_sec = s};
	*ret_ns = ((int64_t)timegm(&tm) - offset) * NSEC_PER_SEC + frac;
	return true;
}

/* "2 h 5 min": n of the smaller unit, per of which make one of the larger; what is 0 is left out.
 */
static void nsec_put_two(
	char buf[NSEC_TEXT_SIZE], int64_t n, int64_t per, const char *large, const char *small)
{
	int length = snprintf(buf, NSEC_TEXT_SIZE, "%lld %s", (long long)(n / per), large);

	if (n % per)
		(void)snprintf(buf + length, (size_t)(NSEC_TEXT_SIZE - length), " %lld %s",
			(long long)(n % per), small);
}

/* Rounded first, so that nothing becomes "60 s" or "1e+03 ms". */
static void nsec_put_span(char buf[NSEC_TEXT_SIZE], uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	const uint64_t second = NSEC_PER_SEC;
	int64_t seconds = (int64_t)((ns + second / 2) / second),
		minutes = (int64_t)((ns + 30 * second) / (60 * second)),
		hours = (int64_t)((ns + 1800 * second) / (3600 * second));
	double v = (double)ns;
	int unit = 0;

	if (hours >= 48) {
		nsec_put_two(buf, hours, 24, "d", "h");
	} else if (minutes >= 60) {
		nsec_put_two(buf, minutes, 60, "h", "min");
	} else if (seconds >= 120) {
		nsec_put_two(buf, seconds, 60, "min", "s");
	} else {
		for (; v >= 999.5 && unit < 3; unit++)
			v /= 1000;
		(void)snprintf(buf, NSEC_TEXT_SIZE, "%.3g %s", v, units[unit]);
	}
}

const char *nsec_span(int64_t span_ns, char buf[NSEC_TEXT_SIZE])
{
	char span[NSEC_TEXT_SIZE];

	nsec_put_span(span, span_ns < 0 ? 0 - (uint64_t)span_ns : (uint64_t)span_ns);
	(void)snprintf(buf, NSEC_TEXT_SIZE, "%s%.90s", span_ns < 0 ? "-" : "", span);
	return buf;
}

bool size_parse(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	double v;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	v = strtod(text, &end);
	if (errno)
		return false;
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (*end && !unit)
		return false;
	for (; unit && unit >= units; unit--)
		v *= 1024;
	if (*end)
		end += end[1] == 'i' && end[2] == 'B' ? 3 : end[1] == 'B' ? 2 : 1;
	if (*end || v < 0 || v > 9e18)
		return false;
	*ret_bytes = (uint64_t)v;
	return true;
}
