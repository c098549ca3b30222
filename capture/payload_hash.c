#include "payload_hash.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void payload_hash_finish_key(struct payload_key *k)
{
	static const char said[] = "bothends payload key";

	k->check = (uint32_t)(siphash(k->bytes, said, sizeof(said) - 1) >> 32);
}

void payload_key_public(struct payload_key *ret)
{
	memset(ret->bytes, 0, sizeof(ret->bytes));
	payload_hash_finish_key(ret);
}

static int payload_hash_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* 32 digits, and white space behind them. */
static bool payload_hash_parse(uint8_t bytes[SIPHASH_KEY], const char *text)
{
	for (int i = 0; i < SIPHASH_KEY; i++, text += 2) {
		int high = payload_hash_digit(text[0]),
		    low = high < 0 ? -1 : payload_hash_digit(text[1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return !text[strspn(text, " \t\r\n")];
}

static int payload_hash_read(int fd, struct payload_key *ret, const char *path, struct error *err)
{
	static const uint8_t zeros[SIPHASH_KEY];
	char text[128] = {0};
	ssize_t n = read(fd, text, sizeof(text) - 1);
	struct stat st;

	if (n < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot read '%s'", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return error_set(err, -EPERM, "others may read the key in '%s': chmod 600", path);
	if (n == sizeof(text) - 1 || !payload_hash_parse(ret->bytes, text))
		return error_set(err, -EINVAL, "'%s' is not a key of 32 hex digits", path);
	if (!memcmp(ret->bytes, zeros, sizeof(zeros)))
		return error_set(err, -EINVAL, "the key in '%s' is no secret: all zeros", path);
	payload_hash_finish_key(ret);
	return 0;
}

int payload_key_read(struct payload_key *ret, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	r = payload_hash_read(fd, ret, path, err);
	(void)close(fd);
	return r;
}

struct payload_hash payload_hash_of(
	const struct payload_key *key, const uint8_t *payload, uint32_t length)
{
	uint32_t head = length < PAYLOAD_HASH_HEAD ? length : PAYLOAD_HASH_HEAD;

	/* Halves of two hashes: who knows one knows nothing of the other. */
	return (struct payload_hash){.key = key->check,
		.head = (uint32_t)siphash(key->bytes, payload, head),
		.whole = (uint32_t)(siphash(key->bytes, payload, length) >> 32)};
}

static char *payload_hash_put(char *at, uint32_t v)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[v >> shift & 15];
	return at;
}

void payload_hash_text(char *at, const struct payload_hash *h)
{
	memcpy(at, PAYLOAD_HASH_TEXT, sizeof(PAYLOAD_HASH_TEXT) - 1);
	at = payload_hash_put(at + sizeof(PAYLOAD_HASH_TEXT) - 1, h->key);
	*at++ = ' ';
	at = payload_hash_put(at, h->head);
	*at++ = ' ';
	(void)payload_hash_put(at, h->whole);
}
