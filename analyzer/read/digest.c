#include "read/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* The library chooses SSE2, AVX2 or AVX-512 by the processor; twice as fast as the plain entry. */
#ifdef HAVE_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include "base/mem.h"

struct digest {
	XXH3_state_t *xxh;
	EVP_MD_CTX *sha; /* NULL: not asked for */
};

struct digest *digest_new(bool sha256)
{
	struct digest *d = mem_zalloc(sizeof(*d));

	d->xxh = XXH3_createState();
	if (!d->xxh)
		mem_exhausted(sizeof(*d));
	(void)XXH3_128bits_reset(d->xxh); /* fails on NULL only */
	if (sha256) {
		d->sha = EVP_MD_CTX_new();
		if (!d->sha || !EVP_DigestInit_ex(d->sha, EVP_sha256(), NULL))
			mem_exhausted(sizeof(*d));
	}
	return d;
}

struct digest *digest_free(struct digest *d)
{
	if (!d)
		return NULL;
	(void)XXH3_freeState(d->xxh);
	EVP_MD_CTX_free(d->sha);
	free(d);
	return NULL;
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
	(void)XXH3_128bits_update(d->xxh, bytes, n); /* fails on NULL only */
	if (d->sha)
		(void)EVP_DigestUpdate(d->sha, bytes, n); /* cannot fail after a good init */
}

void digest_finish(const struct digest *d, uint64_t ret_hash[2], char ret_sha256[65])
{
	XXH128_hash_t h = XXH3_128bits_digest(d->xxh);
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	ret_hash[0] = h.high64;
	ret_hash[1] = h.low64;
	ret_sha256[0] = 0;
	if (!d->sha || !EVP_DigestFinal_ex(d->sha, sum, &n))
		return;
	for (unsigned int i = 0; i < n && i < 32; i++)
		(void)snprintf(ret_sha256 + 2 * i, 3, "%02x", sum[i]);
}

void digest_text(const uint64_t hash[2], char ret[DIGEST_TEXT_SIZE])
{
	(void)snprintf(ret, DIGEST_TEXT_SIZE, "%016llx%016llx", (unsigned long long)hash[0],
		(unsigned long long)hash[1]);
}
