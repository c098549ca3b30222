#include "store/page.h"

#include <errno.h>
#include <stddef.h>

int page_configure(sqlite3 *handle)
{
	/* Reserved bytes are a codec's or the library's own: they cannot be taken back here. */
	return sqlite3_exec(
		handle, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = 0", NULL, NULL, NULL);
}

static const struct {
	unsigned at, size;
	uint32_t value;
	const char *otherwise;
} known[] = {
	{16, 2, PAGE, "pages of another size"},
	{18, 2, 0x0101, "a write-ahead log or a newer file format"},
	{20, 1, 0, "reserved bytes at the end of each page"},
	{21, 3, 64 << 16 | 32 << 8 | 32, "other payload fractions"},
	{44, 4, 4, "another schema format"}, /* 4: the first with the serial types 8 and 9 */
	{52, 4, 0, "auto_vacuum"},
	{56, 4, 1, "a text encoding other than UTF-8"},
	{64, 4, 0, "incremental vacuum"},
};

static uint32_t page_number(const uint8_t *p, unsigned size)
{
	uint32_t v = 0;

	while (size--)
		v = v << 8 | *p++;
	return v;
}

static const char *page_otherwise(const uint8_t header[FILE_HEADER])
{
	static const char magic[16] = "SQLite format 3";

	if (memcmp(header, magic, sizeof(magic)) != 0)
		return "another kind of header";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (page_number(header + known[i].at, known[i].size) != known[i].value)
			return known[i].otherwise;
	return NULL;
}

int page_check(const uint8_t header[FILE_HEADER], const char *path, struct error *err)
{
	const char *otherwise = page_otherwise(header);

	if (!otherwise)
		return 0;
	return error_set(err, -ENOTSUP,
		"cannot write '%s': this SQLite library makes files with %s, which bothends "
		"does not write; run it with the libsqlite3 of the distribution",
		path, otherwise);
}
