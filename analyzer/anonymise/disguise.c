#include "anonymise/disguise.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

#define BLOCK 16
#define CACHED 4096 /* addresses; a full permutation takes up to 128 blocks of the cipher */

/* What a block of the cipher is for: no two uses share an input. */
enum purpose { FOR_IPV4 = 1, FOR_IPV6, FOR_MAC, FOR_PAYLOAD, FOR_NAME, FOR_HASH };

struct disguise {
	EVP_CIPHER_CTX *cipher; /* AES-256, one block at a time: a pseudo-random function */
	struct cached {
		uint8_t size; /* 0: free */
		uint8_t from[16], to[16];
	} cache[CACHED];
};

struct disguise *disguise_new(const void *key, size_t size, struct error *err)
{
	struct disguise *d = mem_zalloc(sizeof(*d));
	uint8_t digest[32];
	unsigned length;

	d->cipher = EVP_CIPHER_CTX_new();
	if (d->cipher && EVP_Digest(key, size, digest, &length, EVP_sha256(), NULL) == 1 &&
		EVP_EncryptInit_ex(d->cipher, EVP_aes_256_ecb(), NULL, digest, NULL) == 1 &&
		EVP_CIPHER_CTX_set_padding(d->cipher, 0) == 1)
		return d;
	(void)error_set(err, -ENOTSUP, "the cryptographic library has no AES-256 or SHA-256");
	disguise_free(d);
	return NULL;
}

void disguise_free(struct disguise *d)
{
	if (d)
		EVP_CIPHER_CTX_free(d->cipher);
	free(d);
}

static void disguise_block(struct disguise *d, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
	int n = 0;

	(void)EVP_EncryptUpdate(d->cipher, out, &n, in, BLOCK);
}

/* A block of an address: the same leading bits, zeros, and how many they are. */
static bool disguise_flips(
	struct disguise *d, enum purpose purpose, const uint8_t *address, unsigned bits)
{
	uint8_t prefix[2 * BLOCK] = {0}, middle[BLOCK], out[BLOCK];

	memcpy(prefix, address, (bits + 7) / 8);
	if (bits % 8)
		prefix[bits / 8] &= (uint8_t)(0xff00 >> (bits % 8));
	memset(prefix + BLOCK, 0, BLOCK);
	/* CBC over two blocks: what and how long, then the bits. */
	memset(middle, 0, BLOCK);
	middle[0] = (uint8_t)purpose;
	middle[1] = (uint8_t)bits;
	disguise_block(d, middle, out);
	for (int i = 0; i < BLOCK; i++)
		out[i] ^= prefix[i];
	disguise_block(d, out, middle);
	return middle[0] & 1;
}

struct block {
	uint8_t prefix[16];
	uint8_t bits;  /* of the prefix */
	uint8_t fixed; /* so many bits of its addresses stay, if more */
};

/* Both have the first n bits in common. */
static bool disguise_same(const uint8_t *a, const uint8_t *b, unsigned n)
{
	if (memcmp(a, b, n / 8) != 0)
		return false;
	return n % 8 == 0 || (a[n / 8] ^ b[n / 8]) >> (8 - n % 8) == 0;
}

/*
 * Whether the bit behind the first n may change. On the way to a block none does: the block is
 * mapped to itself, and nothing else into it.
 */
static bool disguise_free_bit(
	const struct block *blocks, size_t count, const uint8_t *address, unsigned n)
{
	for (size_t i = 0; i < count; i++) {
		if (n < blocks[i].bits && disguise_same(address, blocks[i].prefix, n))
			return false;
		if (n >= blocks[i].bits && n < blocks[i].fixed &&
			disguise_same(address, blocks[i].prefix, blocks[i].bits))
			return false;
	}
	return true;
}

static struct cached *disguise_cached(struct disguise *d, const uint8_t *address, uint8_t size)
{
	uint32_t h = size;

	for (int i = 0; i < size; i++)
		h = (h ^ address[i]) * 16777619u;
	return &d->cache[(h ^ h >> 15) % CACHED];
}

static void disguise_address(struct disguise *d, enum purpose purpose, uint8_t *address,
	uint8_t size, const struct block *blocks, size_t count)
{
	struct cached *c = disguise_cached(d, address, size);
	uint8_t to[16];

	if (c->size != size || memcmp(c->from, address, size) != 0) {
		memcpy(to, address, size);
		for (unsigned n = 0; n < size * 8u; n++)
			if (disguise_free_bit(blocks, count, address, n) &&
				disguise_flips(d, purpose, address, n))
				to[n / 8] ^= (uint8_t)(0x80 >> (n % 8));
		c->size = size;
		memcpy(c->from, address, size);
		memcpy(c->to, to, size);
	}
	memcpy(address, c->to, size);
}

void disguise_ipv4(struct disguise *d, uint8_t *address)
{
	static const struct block blocks[] = {
		{{0}, 8, 32},	       /* this host */
		{{10}, 8, 0},	       /* private (RFC 1918) */
		{{100, 64}, 10, 0},    /* shared (RFC 6598) */
		{{127}, 8, 32},	       /* loopback */
		{{169, 254}, 16, 0},   /* link-local */
		{{172, 16}, 12, 0},    /* private */
		{{192, 168}, 16, 0},   /* private */
		{{224, 0, 0}, 24, 32}, /* groups of protocols */
		{{224}, 4, 0},	       /* multicast */
		{{255, 255, 255, 255}, 32, 0},
	};

	disguise_address(d, FOR_IPV4, address, 4, blocks, sizeof(blocks) / sizeof(blocks[0]));
}

void disguise_ipv6(struct disguise *d, uint8_t *address)
{
	static const struct block blocks[] = {
		{{0}, 127, 128},			/* unspecified, loopback */
		{{0x20}, 3, 0},				/* global unicast */
		{{0xfc}, 7, 0},				/* unique local */
		{{0xfe, 0x80}, 10, 64},			/* link-local: zeros follow */
		{{0xff}, 8, 16},			/* multicast: flags and scope */
		{{0xff, 0x02}, 104, 128},		/* groups of protocols */
		{{0xff, 0x02, [11] = 1, 0xff}, 104, 0}, /* solicited-node */
	};

	disguise_address(d, FOR_IPV6, address, 16, blocks, sizeof(blocks) / sizeof(blocks[0]));
}

/* How many leading bits of a MAC say which protocol uses it; 48: all of it stays. */
static unsigned disguise_mac_kept(const uint8_t *mac)
{
	static const struct {
		uint8_t prefix[6];
		uint8_t bits, kept;
	} reserved[] = {
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 48, 48}, {{0}, 48, 48},
		{{0, 0, 0x5e, 0, 1}, 40, 48},	    /* VRRP, CARP */
		{{0, 0, 0x5e, 0, 2}, 40, 48},	    /* VRRP for IPv6 */
		{{0, 0, 0x0c, 7, 0xac}, 40, 48},    /* HSRP version 1 */
		{{0, 0, 0x0c, 0x9f, 0xf0}, 36, 48}, /* HSRP version 2 */
		{{0, 5, 0x73, 0xa0}, 36, 48},	    /* HSRP for IPv6 */
		{{0, 7, 0xb4, 0}, 32, 48},	    /* GLBP */
		{{2, 0xbf}, 16, 16}, /* network load balancing: the address follows */
		{{3, 0xbf}, 16, 16}, {{1, 0, 0x5e, 0, 0}, 40, 48}, /* 224.0.0.0/24 */
		{{1, 0, 0x5e}, 24, 24},				   /* IPv4 multicast */
		{{0x33, 0x33}, 16, 16},				   /* IPv6 multicast */
		{{1, 0x80, 0xc2}, 24, 48},			   /* bridges */
		{{1, 0, 0x0c}, 24, 48},				   /* Cisco's protocols */
	};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (disguise_same(mac, reserved[i].prefix, reserved[i].bits))
			return reserved[i].kept;
	return 0;
}

void disguise_mac(struct disguise *d, uint8_t *mac)
{
	unsigned kept = disguise_mac_kept(mac) / 8;
	uint8_t in[BLOCK] = {FOR_MAC}, out[BLOCK];
	uint8_t bits = mac[0] & 3;

	if (kept == 6)
		return;
	memcpy(in + 1, mac, 6);
	disguise_block(d, in, out);
	memcpy(mac + kept, out, 6 - kept);
	if (!kept)
		mac[0] = (uint8_t)((out[0] & ~3) | bits);
}

void disguise_payload(struct disguise *d, uint8_t *bytes, size_t size)
{
	uint8_t state[BLOCK] = {FOR_PAYLOAD}, next[BLOCK];
	size_t n = size < DISGUISE_PAYLOAD ? size : DISGUISE_PAYLOAD;

	for (size_t i = 0; i < n; i++) {
		state[BLOCK - 1] ^= bytes[i];
		disguise_block(d, state, next);
		memcpy(state, next, BLOCK);
		bytes[i] = state[0];
	}
	memset(bytes + n, 0, size - n);
}

uint32_t disguise_hash(struct disguise *d, uint8_t which, uint32_t key, uint32_t value)
{
	uint8_t in[BLOCK] = {FOR_HASH, which}, out[BLOCK];

	memcpy(in + 4, &key, sizeof(key));
	memcpy(in + 8, &value, sizeof(value));
	disguise_block(d, in, out);
	return le32(out);
}

uint32_t disguise_name(struct disguise *d, const char *name)
{
	uint8_t state[BLOCK] = {FOR_NAME}, next[BLOCK];
	uint32_t v;

	for (; *name; name++) {
		state[BLOCK - 1] ^= (uint8_t)*name;
		disguise_block(d, state, next);
		memcpy(state, next, BLOCK);
	}
	memcpy(&v, state, sizeof(v));
	return v;
}
