#include "flowlog/format/pubsub.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flowlog/format/json.h"

/* "jsonPayload" and "vpc_flows" in base64, beginning at each of three bits of a group. */
static const char *const pubsub_words[] = {"anNvblBheWxvYW", "pzb25QYXlsb2Fk", "qc29uUGF5bG9hZ",
	"dnBjX2Zsb3dz", "ZwY19mbG93c", "2cGNfZmxvd3"};

bool pubsub_recognise(const uint8_t *bytes, size_t n)
{
	if (!memmem(bytes, n, "\"data\"", 6))
		return false;
	for (size_t i = 0; i < sizeof(pubsub_words) / sizeof(pubsub_words[0]); i++)
		if (memmem(bytes, n, pubsub_words[i], strlen(pubsub_words[i])))
			return true;
	return false;
}

/* The value of a digit of base64, of either alphabet; negative: none. */
static int pubsub_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Decodes up to the padding; returns how many bytes, which are fewer than n. */
static size_t pubsub_decode(const char *text, size_t n, char *ret)
{
	uint32_t group = 0;
	unsigned bits = 0;
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		int digit = pubsub_digit(text[i]);

		if (digit < 0)
			break;
		group = (group << 6 | (uint32_t)digit) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ret[length++] = (char)(group >> bits & 0xff);
		}
	}
	return length;
}

json_t *pubsub_entry(const json_t *event)
{
	const json_t *message = json_object_get(event, "message");
	struct flowlog_text data = json_text_of(json_is_object(message) ? message : event, "data");
	char *bytes CLEANUP_FREE = NULL;

	if (!data.length)
		return NULL;
	bytes = mem_alloc(data.length);
	return json_object_of(bytes, pubsub_decode(data.at, data.length, bytes));
}
