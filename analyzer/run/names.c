#include "run/names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static bool names_cut(char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);

	if (n <= e || strcasecmp(name + n - e, ending) != 0)
		return false;
	name[n - e] = 0;
	return true;
}

/* tcpdump -C and -W count files behind the ending: x.pcap, x.pcap1 ... */
static void names_cut_count(char *name)
{
	size_t n = strlen(name), digits = 0;

	while (digits < n && isdigit((unsigned char)name[n - 1 - digits]))
		digits++;
	if (!digits || digits > 9)
		return;
	for (size_t i = 0; i < 2; i++) {
		const char *ending = i ? ".pcapng" : ".pcap";
		size_t e = strlen(ending);

		if (n - digits > e && strncasecmp(name + n - digits - e, ending, e) == 0)
			name[n - digits] = 0;
	}
}

static bool names_is_time(char c)
{
	return isdigit((unsigned char)c) || strchr("-_:.T", c);
}

/* Is this the date, and mostly the time, that tcpdump -G or dumpcap -b put there? 20YY-MM-DD with
 * or without separators. */
static bool names_is_date(const char *text)
{
	char digits[24] = {0};
	size_t n = 0;

	/* An address is none: its numbers are separated before the fourth digit. */
	for (size_t i = 0; i < 4; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	for (; *text; text++) {
		if (isdigit((unsigned char)*text) && n < sizeof(digits) - 1)
			digits[n++] = *text;
		else if (!names_is_time(*text))
			return false;
	}
	return n >= 8 && digits[0] == '2' && digits[1] == '0' &&
	       (digits[4] == '0' || digits[4] == '1') && digits[6] <= '3';
}

/* x-20261128T103000, x_00001_20261128103000: the date, and the number before it. */
static void names_cut_date(char *name)
{
	size_t n = strlen(name), at;

	for (at = 1; at < n; at++)
		if (strchr("-_.", name[at]) && strncmp(name + at + 1, "20", 2) == 0 &&
			names_is_date(name + at + 1))
			break;
	if (at >= n)
		return;
	name[at] = 0;
	/* dumpcap: five digits or more between underscores. */
	for (n = at; n && isdigit((unsigned char)name[n - 1]);)
		n--;
	if (at - n >= 5 && n > 1 && name[n - 1] == '_')
		name[n - 1] = 0;
}

char *names_stem(const char *path)
{
	static const char *const endings[] = {".gz", ".zst", ".pcapng", ".pcap", ".cap", ".ntar",
		".dump", ".jsonl", ".facts", ".json", ".txt", ".neigh"};
	const char *slash = strrchr(path, '/');
	char *stem = mem_strdup(strcmp(path, "-") == 0 ? "stdin" : slash ? slash + 1 : path);

	/* What compresses stands behind everything else. */
	if (!names_cut(stem, ".gz"))
		(void)names_cut(stem, ".zst");
	names_cut_count(stem);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		(void)names_cut(stem, endings[i]);
	names_cut_date(stem);
	return stem;
}

char *names_qualified(const char *path, unsigned folders)
{
	char *stem CLEANUP_FREE = names_stem(path);
	const char *end = strrchr(path, '/'), *from = end;

	if (!end || !folders)
		return mem_strdup(stem);
	for (; folders && from > path; folders--)
		while (from > path && *--from != '/')
			;
	from += *from == '/' && from != end && !(from == path && folders);
	return mem_printf("%.*s/%s", (int)(end - from), from, stem);
}
