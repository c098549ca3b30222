/* Whose a file is, by its own name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/names.h"

static void stems(void **state)
{
	static const struct {
		const char *path, *stem;
	} cases[] = {
		{"-", "stdin"},
		{"db.pcap", "db"},
		{"/a/b/db.pcapng.gz", "db"},
		{"db.neigh.txt", "db"},
		{"dump.pcap1", "dump"}, /* tcpdump -C */
		{"dump.pcap12.gz", "dump"},
		{"dump.pcap003", "dump"},		      /* tcpdump -W */
		{"eth0_00001_20261128103000.pcapng", "eth0"}, /* dumpcap -b */
		{"eth0_00012_20261128103000.pcapng.zst", "eth0"},
		{"trace-2026-11-28_10:30:00.pcap", "trace"}, /* tcpdump -G */
		{"trace-20261128T103000.pcap", "trace"},
		/* What must stay: */
		{"web1.pcap", "web1"},
		{"web2.pcap", "web2"},
		{"10.0.0.1.pcap", "10.0.0.1"},
		{"host-192.168.200.101.pcap", "host-192.168.200.101"},
		{"host-20.26.112.8.pcap", "host-20.26.112.8"},
		{"pcap1", "pcap1"},
		{".pcap", ".pcap"},
		{"20261128.pcap", "20261128"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *stem = names_stem(cases[i].path);

		if (strcmp(stem, cases[i].stem) != 0)
			fail_msg("%s: %s, not %s", cases[i].path, stem, cases[i].stem);
		free(stem);
	}
}

static void folders(void **state)
{
	static const struct {
		const char *path;
		unsigned folders;
		const char *name;
	} cases[] = {
		{"a/dump.pcap", 1, "a/dump"},
		{"/x/a/dump.pcap", 1, "a/dump"},
		{"/x/a/dump.pcap", 2, "x/a/dump"},
		{"/x/a/dump.pcap", 9, "/x/a/dump"},
		{"dump.pcap", 1, "dump"},
		{"a/dump.pcap", 0, "dump"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *name = names_qualified(cases[i].path, cases[i].folders);

		if (strcmp(name, cases[i].name) != 0)
			fail_msg("%s, %u: %s, not %s", cases[i].path, cases[i].folders, name,
				cases[i].name);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stems), cmocka_unit_test(folders)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
