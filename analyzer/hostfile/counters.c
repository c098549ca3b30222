#include "hostfile/counters.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct stamp counters_time(const struct collection *c)
{
	return c->file->at;
}

static void counters_put(struct collection *c, uint64_t line, const struct stamp *at,
	const char *interface, const char *kind, const char *name, int64_t value)
{
	char device[4 * COUNTERS_INTERFACE_SIZE], word[512];
	char *key CLEANUP_FREE =
		interface ? mem_printf("nic.%s.%s.%s",
				    collection_word(device, sizeof(device), interface), kind,
				    collection_word(word, sizeof(word), name))
			  : mem_strdup(name);

	collection_event(c, line, at, key, "%" PRId64, value);
}

void counters_sample(struct collection *c, uint64_t line, const struct stamp *at,
	const char *interface, const char *name, int64_t value)
{
	counters_put(c, line, at, interface, "counter", name, value);
}

void counters_driver_sample(struct collection *c, uint64_t line, const struct stamp *at,
	const char *interface, const char *name, int64_t value)
{
	counters_put(c, line, at, interface, "driver_counter", name, value);
}

void counters_counted(struct collection *c, uint64_t line, const struct stamp *end,
	int64_t length_ns, const char *interface, const char *name, double amount)
{
	char device[4 * COUNTERS_INTERFACE_SIZE], word[512];
	char *key CLEANUP_FREE = NULL;

	if (!isfinite(amount) || amount < 0 || length_ns <= 0)
		return;
	(void)collection_word(word, sizeof(word), name);
	key = interface ? mem_printf("nic.%s.counted.%s",
				  collection_word(device, sizeof(device), interface), word)
			: mem_printf("counted.%s", word);
	collection_event(c, line, end, key, "length_ns=%" PRId64 " amount=%.6f", length_ns, amount);
}

bool counters_number(const char *text, int64_t *ret_value)
{
	char *end;
	double real;

	errno = 0;
	*ret_value = strtoll(text, &end, 10);
	if (end == text)
		return false;
	if (!*end && !errno)
		return true;
	/* 1.2e+06, as text expositions write large numbers; beyond 2^63 it is no count of packets
	 */
	real = strtod(text, &end);
	if (*end || !isfinite(real) || real < 0 || real >= 9.2e18)
		return false;
	*ret_value = (int64_t)real;
	return true;
}

bool counters_interface(const struct collection_file *f, const char *mark,
	char ret_interface[COUNTERS_INTERFACE_SIZE])
{
	const char *from = f->command ? strrchr(f->command, ' ') : NULL, *at;

	if (!from)
		from = strrchr(f->name, '/');
	from = from ? from + 1 : f->name;
	if (!f->command) {
		at = strstr(from, mark);
		if (!at)
			return false;
		from = at + strlen(mark);
	}
	if (!*from || strlen(from) >= COUNTERS_INTERFACE_SIZE)
		return false;
	(void)snprintf(ret_interface, COUNTERS_INTERFACE_SIZE, "%s", from);
	return true;
}
