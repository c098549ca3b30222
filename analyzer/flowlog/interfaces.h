/*
 * interfaces: the ENIs (attachments, NICs, reporters) that flow-log records name, numbered
 * as vantage points; for each what its log holds in all, and which address is its own.
 *
 * Records of the default format do not say whether a packet came in or went out; the ENI's own
 * address does, and it is the one that stands in every record. Where several are left (one peer
 * only) it is unknown until flowlog_interfaces_resolve().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flowlog/format/record.h"

#define INTERFACES_MAX 200000 /* more are not told apart: their records get no vantage point */
#define INTERFACE_SOURCES 4   /* flow logs of one interface that are told apart */

/* Candidates for the own address of one family. */
struct flowlog_own {
	uint8_t candidate[2][16];
	uint8_t candidates; /* 0: no record yet, or (with seen) none stands in every record */
	bool seen;	    /* a record of this family was there */
	bool sure;	    /* candidate[0] comes from a record with its direction */
};

struct flowlog_source {
	uint32_t id; /* of the flow log (fl-...), from its file's name; 0: not said */
	uint64_t records;
	int64_t first_ns, last_ns;
	bool left_out; /* another flow log covers the same ENI at the same time */
};

struct flowlog_interface {
	char *name;
	char *host_name; /* NAME= of the first input that showed it; NULL: none */
	int64_t vantage_id;
	uint64_t hash;
	uint64_t records, accepted, rejected, nodata, skipdata;
	int64_t first_ns, last_ns, interval_ns; /* first_ns FLOWLOG_NONE: no times */
	bool has_flags, sampled, transit;
	struct flowlog_own own[2]; /* IPv4, IPv6 */
	struct flowlog_source sources[INTERFACE_SOURCES];
	unsigned source_count;
};

struct flowlog_interfaces {
	struct flowlog_interface *list; /* in order of vantage_id */
	size_t count, cap;
	uint32_t *slots; /* index + 1; size is a power of two */
	size_t slot_count;
	int64_t first_id; /* vantage_id of list[0] */
	size_t last;	  /* the one found last: the next record is often its */
	uint64_t refused; /* records of interfaces beyond INTERFACES_MAX */
};

void flowlog_interfaces_init(struct flowlog_interfaces *f, int64_t first_vantage_id);
void flowlog_interfaces_release(struct flowlog_interfaces *f);

/* The interface of a name, made when it is new; NULL beyond the limit. Moves when others are made.
 */
struct flowlog_interface *flowlog_interface_of(
	struct flowlog_interfaces *f, struct flowlog_text name);

struct flowlog_interface *flowlog_interface_by_id(struct flowlog_interfaces *f, int64_t vantage_id);

/* Counts a record; source as in struct flowlog_source. */
void flowlog_interface_add(
	struct flowlog_interface *i, const struct flowlog_record *rec, uint32_t source);

/* Settles ambiguous own addresses by what other interfaces own, and which flow logs are left out.
 */
void flowlog_interfaces_resolve(struct flowlog_interfaces *f);

/* The aggregation interval that times are compared with: the longest window, in whole minutes. */
int64_t flowlog_interface_interval_s(const struct flowlog_interface *i);

/* The own address of a family (false IPv4, true IPv6), or NULL: not known. */
const uint8_t *flowlog_interface_own(const struct flowlog_interface *i, bool v6);
