/*
 * capfile: one capture (pcap or pcapng; plain, gzip, zstd or xz; a file or a stream) read frame by
 * frame. It never judges bytes inside a frame, and never fails on damage: it stops there and says
 * so.
 *
 * Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* One captured frame. Plain data; data stays valid until the next capfile_next(), or longer: see
 * capfile_frames_at_hand(). */
struct frame {
	const uint8_t *data; /* cap_len bytes */
	uint32_t cap_len;
	uint32_t wire_len;  /* as the file says; may be below cap_len in broken files */
	int64_t time_ns;    /* since the epoch; 0 with has_time false for simple packet blocks */
	uint64_t offset;    /* of the record or block in the uncompressed content */
	uint32_t number;    /* from 1, as Wireshark counts; see capfile_info.other_rows */
	uint32_t interface; /* index into capfile_info.interfaces */
	uint32_t epb_flags; /* pcapng epb_flags; 0 where there are none */
	bool has_time;
	bool has_hash;
	struct frame_hash {
		uint32_t key; /* tells which key the other two are under */
		uint32_t head, whole;
	} hash;		      /* of a datagram's payload that the agent cut */
	uint16_t drop_length; /* bytes of drop; 0: no such comment */
	const char *drop;     /* what the comment of a packet that the kernel dropped says of it */
};

/* The interface under which the agent records what the kernel drops, and how its comments begin. */
#define CAPFILE_KERNEL_DROPS "kernel:drops"
#define CAPFILE_KERNEL_DROP "kernel-drop "

/* How the comment of a packet begins whose payload the agent cut: key, head and whole follow, 8 hex
 * digits each. */
#define CAPFILE_PAYLOAD_HASH "payload-hash "

enum capfile_format { CAPFILE_PCAP, CAPFILE_PCAPNG };

/* A key and its text, kept as a fact (comments, section and interface options). */
struct capfile_fact {
	uint32_t interface; /* index, or CAPFILE_SECTION */
	uint32_t section;   /* from 0 */
	uint32_t frame;	    /* number of the frame that a comment is about; 0: of none */
	int64_t time_ns;    /* of that frame; else INT64_MIN */
	char *key;	    /* "comment", "hardware", "os", "application", "if_speed", ... */
	char *value;	    /* valid UTF-8: what is not became U+FFFD; cut at a NUL byte */
};
#define CAPFILE_SECTION UINT32_MAX

struct capfile_interface {
	uint32_t link_type; /* LINKTYPE_ value, low 16 bits */
	uint32_t snaplen;   /* 0: no limit */
	uint32_t section;   /* from 0 */
	char *name;	    /* NULL: not said */
	char *description;
	char *filter; /* capture filter as text; NULL: not said */
	char *os;
	char *hardware;
	uint8_t mac[6];
	bool has_mac;
	struct capfile_address {
		uint8_t bytes[16]; /* IPv4 in the first 4 */
		uint8_t prefix;
		bool v6;
	} * addresses;
	uint32_t address_count;
	/* From the last interface statistics block; -1: unknown, which is not 0. */
	int64_t received, dropped_interface, filter_accepted, dropped_kernel, delivered;
	int64_t start_ns,
		end_ns; /* of the capture by isb_starttime/isb_endtime; INT64_MIN: not said */
	/* Sum of epb_dropcount; each is "lost since the previous frame of this interface". */
	int64_t dropped_between;
};

/* Grows while the file is read (pcapng may add interfaces at any place); owned by the capfile. */
struct capfile_info {
	const char *path; /* "-" for standard input */
	enum capfile_format format;
	const char *compression; /* "none", "gzip", "zstd" */
	uint32_t version_major, version_minor;
	uint32_t sections;
	struct capfile_interface *interfaces;
	uint32_t interface_count;
	struct capfile_fact *facts;
	uint32_t fact_count;
	uint64_t facts_not_kept; /* beyond 65536 facts or 16 MiB of text */
	/*
	 * Spans in which the file itself says that frames were lost, oldest first: from
	 * epb_dropcount (previous frame to this one) and growing interface statistics. Bounded;
	 * merged when many.
	 */
	struct capfile_drop {
		uint32_t interface;
		int64_t from_ns, to_ns;
		uint64_t frames;
	} * drops;
	uint32_t drop_count;
	uint64_t frames;     /* read so far */
	uint64_t other_rows; /* blocks without a frame that Wireshark shows as rows and numbers */
	uint64_t skipped_blocks; /* blocks that say nothing here: names, secrets, custom, unknown */
	uint64_t bad_options; /* option lists that ended in a malformed option; the rest was kept */
	uint64_t bytes;	      /* of the file as stored, so far; for progress */
	uint64_t stored_size; /* of the file as stored; 0 when not known (a pipe) */
	char *damaged; /* NULL: sound so far; else one line: "cut short in frame 18 at byte 2310" */
	uint64_t hash[2]; /* XXH3-128 (high, low) of the stored bytes; valid after the end was
			     reached */
	char sha256[65];  /* hex; "" unless asked for; valid after the end was reached */
};

struct capfile;

enum capfile_result {
	CAPFILE_OK = 0,
	CAPFILE_END = 1,	 /* capfile_next: no more frames (or damage: see info.damaged) */
	CAPFILE_NOT_CAPTURE = 2, /* capfile_open: readable, but no pcap or pcapng begins it */
	CAPFILE_EMPTY = 3,	 /* capfile_open: no byte in it (or in what it decompresses to) */
};

struct capfile_options {
	bool sha256;
};

/*
 * Opens path ("-": standard input). 0 and *ret_capfile, which the caller closes; or a positive
 * outcome above with err->text set to the one line for the user (what, where, remedy); or negative
 * with err set (cannot open, is a directory, no permission).
 */
int capfile_open(struct capfile **ret_capfile, const char *path,
	const struct capfile_options *options, struct error *err);

/*
 * The same on what is open already, for who tries several formats on one stream. Takes *source and
 * sets it to NULL on 0; else it stays the caller's, with nothing taken from its window.
 */
struct source;
int capfile_open_source(
	struct capfile **ret_capfile, struct source **source, const char *path, struct error *err);

struct capfile *capfile_close(struct capfile *cf); /* NULL is fine; returns NULL */

/*
 * The next frame, CAPFILE_OK or CAPFILE_END. No allocation, no copy, and a system call only for
 * every 256 KiB. After CAPFILE_END, whatever its reason, the fingerprints of the whole file are
 * there, and it stays the answer.
 */
int capfile_next(struct capfile *cf, struct frame *ret_frame);

/*
 * The next frames, at most n, of those that lie in memory already: the data of the frames before
 * them stay valid. Returns how many; 0 leaves the next one to capfile_next(). After the first of a
 * window nearly all are at hand.
 */
uint32_t capfile_frames_at_hand(struct capfile *cf, struct frame *ret_frames, uint32_t n);

const struct capfile_info *capfile_info(const struct capfile *cf);

/*
 * Time of the first frame without consuming it: false when there is none. For ordering rotated
 * files.
 */
bool capfile_first_time(struct capfile *cf, int64_t *ret_ns);
