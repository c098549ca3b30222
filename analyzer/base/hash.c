#include "base/hash.h"

#include <string.h>
#include <sys/auxv.h>

/*
 * The kernel hands each new process 16 random bytes (getauxval(3)), which the C library's own
 * guards are made of too: they are folded, so that a hash does not tell them. Both words are odd
 * and large: nothing is multiplied by 0.
 */
struct hash_seed hash_seed(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t words[2] = {0, 0};

	if (random)
		memcpy(words, random, sizeof(words));
	words[0] ^= UINT64_C(0x9e3779b97f4a7c15);
	words[1] ^= UINT64_C(0xd6e8feb86659fd93);
	return (struct hash_seed){.first = hash_fold(words[0], words[1]) | 1,
		.second = hash_fold(words[0] ^ UINT64_C(0xa0761d6478bd642f),
				  words[1] ^ UINT64_C(0xe7037ed1a0b428db)) |
			  UINT64_C(1) << 63 | 1};
}
