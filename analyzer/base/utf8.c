#include "base/utf8.h"

#include <assert.h>
#include <string.h>

uint32_t utf8_next(const char *text, size_t *ret_size)
{
	const uint8_t *p = (const uint8_t *)text;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size;
	uint32_t c;

	*ret_size = 1;
	if (p[0] < 0x80)
		return p[0];
	size = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return UTF8_BAD;
	c = p[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return UTF8_BAD;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return UTF8_BAD;
	*ret_size = size;
	return c;
}

bool utf8_is_active(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} active[] = {
		{0, 0x1f}, {0x7f, 0x9f}, /* C0, DEL, C1 */
		{0xad, 0xad},		 /* soft hyphen */
		{0x61c, 0x61c},		 /* Arabic letter mark */
		{0x180e, 0x180e},	 /* Mongolian vowel separator */
		{0x200b, 0x200f},	 /* zero width, direction marks */
		{0x2028, 0x202e},	 /* line separators, embeddings, overrides */
		{0x2060, 0x206f},	 /* word joiner, isolates, deprecated format characters */
		{0xfeff, 0xfeff},	 /* byte order mark */
		{0xfff9, 0xfffb},	 /* interlinear annotation */
		{0xe0000, 0xe007f},	 /* tags */
	};

	for (size_t i = 0; i < sizeof(active) / sizeof(active[0]); i++)
		if (c >= active[i].from && c <= active[i].to)
			return true;
	return false;
}

size_t utf8_cut(const char *text, size_t max)
{
	size_t size = strlen(text);

	if (size <= max)
		return size;
	for (size = max; size && ((uint8_t)text[size] & 0xc0) == 0x80;)
		size--;
	assert(size <= max);
	return size;
}
