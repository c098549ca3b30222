/* digest: fingerprints of a file's bytes, taken while they pass through the cache. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest;

/* XXH3-128 always (it costs some 0.02 s a gigabyte where there is AVX2), SHA-256 when asked for. */
struct digest *digest_new(bool sha256);
struct digest *digest_free(struct digest *d); /* NULL is fine; returns NULL */

void digest_add(struct digest *d, const void *bytes, size_t n);

/* ret_hash: high, low. ret_sha256: 64 hex digits and a NUL, or "" when it was not asked for. */
void digest_finish(const struct digest *d, uint64_t ret_hash[2], char ret_sha256[65]);

/* The hash as tables have it. */
#define DIGEST_TEXT_SIZE 33
void digest_text(const uint64_t hash[2], char ret[DIGEST_TEXT_SIZE]);
