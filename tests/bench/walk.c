/*
 * walk: the least that any analyser must do with pcap files, as yardsticks for the benchmark.
 *
 * headers: from record header to record header over a memory map.
 * records: also parse Ethernet, IPv4 and TCP, look the 5-tuple up in a hash table with counters,
 * and append 40 bytes for each packet to an array; one thread for each file. Memory as malloc()
 *          gives it.
 *
 * Trusts its input: only for files that the benchmark made.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 8
#define FLOWS (1U << 20) /* buckets */

struct record {
	uint64_t time;
	uint32_t flow, seq, ack, length, tsval, tsecr;
	uint16_t ip_id, window;
	uint8_t flags, ttl, unused[2];
};

_Static_assert(sizeof(struct record) == 40, "the yardstick is 40 bytes a packet");

struct key {
	uint64_t low, high; /* address and port of each end */
};

struct flow_vantage {
	struct key key;
	uint64_t packets, bytes;
};

struct job {
	const char *path;
	const uint8_t *at, *end;
	size_t size;
	uint64_t frames, bytes, sum;
};

static uint32_t host32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint32_t net32(const uint8_t *p)
{
	return __builtin_bswap32(host32(p));
}

static uint16_t net16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void map_file(struct job *j)
{
	int fd = open(j->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(2, "cannot open '%s'", j->path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED || st.st_size < 24)
		errx(2, "cannot map '%s'", j->path);
	(void)madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
	close(fd);
	j->size = (size_t)st.st_size;
	j->at = (const uint8_t *)map + 24;
	j->end = (const uint8_t *)map + st.st_size;
}

static void *walk_headers(void *arg)
{
	struct job *j = arg;

	map_file(j);
	for (const uint8_t *p = j->at; p < j->end; p += 16 + host32(p + 8)) {
		j->frames++;
		j->bytes += host32(p + 12);
	}
	return NULL;
}

/* The 5-tuple with the smaller end first, so that both directions are one flow. */
static struct key key_of(const uint8_t *ip, const uint8_t *tcp)
{
	uint64_t src = (uint64_t)net32(ip + 12) << 16 | net16(tcp),
		 dst = (uint64_t)net32(ip + 16) << 16 | net16(tcp + 2);

	return src < dst ? (struct key){src, dst} : (struct key){dst, src};
}

static uint32_t flow_of(struct flow_vantage *table, struct key k, uint32_t length)
{
	__uint128_t h = (__uint128_t)(k.low ^ UINT64_C(0x9e3779b97f4a7c15)) *
			(k.high ^ UINT64_C(0xd6e8feb86659fd93));
	uint32_t i = (uint32_t)((uint64_t)h ^ (uint64_t)(h >> 64)) % FLOWS;

	while (table[i].packets && (table[i].key.low != k.low || table[i].key.high != k.high))
		i = (i + 1) % FLOWS;
	table[i].key = k;
	table[i].packets++;
	table[i].bytes += length;
	return i;
}

static void fill(struct record *r, const uint8_t *p, struct flow_vantage *table)
{
	const uint8_t *ip = p + 16 + 14, *tcp = ip + (ip[0] & 15) * 4;
	uint32_t header = (tcp[12] >> 4) * 4U, length = net16(ip + 2) - (ip[0] & 15) * 4U - header;

	*r = (struct record){.time = (uint64_t)host32(p) * 1000000000 + host32(p + 4),
		.flow = flow_of(table, key_of(ip, tcp), length),
		.seq = net32(tcp + 4),
		.ack = net32(tcp + 8),
		.length = length,
		.ip_id = net16(ip + 4),
		.window = net16(tcp + 14),
		.flags = tcp[13],
		.ttl = ip[8]};
	if (header >= 32 && tcp[20] == 1) { /* the usual layout: NOP, NOP, timestamps */
		r->tsval = net32(tcp + 24);
		r->tsecr = net32(tcp + 28);
	}
}

static void *must(void *p)
{
	if (!p)
		err(2, "no memory");
	return p;
}

static void *walk_records(void *arg)
{
	struct job *j = arg;
	struct flow_vantage *table = must(calloc(FLOWS, sizeof(*table)));
	struct record *records = NULL;
	size_t cap = 0;

	map_file(j);
	for (const uint8_t *p = j->at; p < j->end; p += 16 + host32(p + 8)) {
		if (j->frames == cap) {
			cap = cap ? 2 * cap : 65536;
			records = must(realloc(records, cap * sizeof(*records)));
		}
		fill(&records[j->frames++], p, table);
		j->bytes += host32(p + 12);
	}
	j->sum = records ? records[j->frames / 2].flow : 0;
	free(records);
	free(table);
	return NULL;
}

int main(int argc, char **argv)
{
	struct job jobs[FILES_MAX] = {{0}};
	pthread_t threads[FILES_MAX];
	bool records = argc > 1 && strcmp(argv[1], "records") == 0;
	int n = argc - 2;

	if (n < 1 || n > FILES_MAX || (!records && strcmp(argv[1], "headers") != 0))
		errx(2, "usage: walk headers|records FILE...");
	for (int i = 0; i < n; i++) {
		jobs[i].path = argv[i + 2];
		if (!records)
			walk_headers(&jobs[i]);
		else if (pthread_create(&threads[i], NULL, walk_records, &jobs[i]))
			errx(2, "cannot start a thread");
	}
	for (int i = 0; i < n; i++) {
		if (records)
			pthread_join(threads[i], NULL);
		printf("%s: %lu frames, %lu bytes on the wire (%lu)\n", jobs[i].path,
			jobs[i].frames, jobs[i].bytes, jobs[i].sum);
	}
	return 0;
}
