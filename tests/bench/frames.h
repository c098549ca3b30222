/*
 * frames: Ethernet/IPv4/TCP frames of two hosts behind routers, written as pcap files. For the
 * benchmark's generator: no error is survivable, so that every failure ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FRAMES_MSS 1448 /* payload of a full segment: 1460 less the timestamp option */
#define FRAMES_HEADERS 112

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_PSH = 0x08, TCP_ACK = 0x10 };

/* One TCP segment. */
struct segment_spec {
	bool to_server;
	uint16_t client_port, server_port;
	uint32_t seq, ack;
	uint32_t tsval, tsecr;
	uint16_t ip_id, window;
	uint8_t flags;
	uint32_t length;  /* even, at most FRAMES_MSS */
	uint32_t pattern; /* which payload bytes: even */
	unsigned sacks;	  /* at most 3 */
	uint32_t sack[3][2];
};

/* A segment as bytes: its headers, and where in the pattern its payload stands. */
struct wire {
	uint8_t headers[FRAMES_HEADERS];
	uint16_t header_length;
	uint16_t payload_length;
	uint32_t pattern;
};

struct capture;

/* Once, before all else. */
void frames_init(void);

void frames_build(struct wire *w, const struct segment_spec *s);

/* What the routers on the way change: MAC addresses, TTL and with it the header checksum. */
void frames_route(struct wire *w, bool to_server);

struct capture *capture_new(const char *path, uint32_t snaplen, bool nanoseconds);
void capture_write(struct capture *c, const struct wire *w, int64_t time_ns);
uint64_t capture_frames(const struct capture *c);
uint64_t capture_bytes(const struct capture *c);
/* Flushes and closes; returns NULL. */
struct capture *capture_close(struct capture *c);
