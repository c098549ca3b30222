/*
 * aws_layout: which column of an AWS record holds what. It comes from a header line or from a
 * LogFormat string; never from the record's version, which only says how new its newest column is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_MAX_COLUMNS 128

enum layout_field {
	FIELD_UNKNOWN, /* nobody knows the name: kept in detail, and said */
	FIELD_DETAIL,  /* known, without a column of its own: kept in detail */
	FIELD_DROP,    /* says nothing that others don't (version, type) */
	FIELD_ACCOUNT,
	FIELD_INTERFACE,
	FIELD_SRC,
	FIELD_DST,
	FIELD_SRC_PORT,
	FIELD_DST_PORT,
	FIELD_PROTOCOL,
	FIELD_PACKETS,
	FIELD_BYTES,
	FIELD_START,
	FIELD_END,
	FIELD_ACTION,
	FIELD_STATUS,
	FIELD_FLAGS,
	FIELD_PKT_SRC,
	FIELD_PKT_DST,
	FIELD_DIRECTION,
	FIELD_INTERFACE_TYPE, /* names NAT gateways; kept in detail too */
	FIELD_ATTACHMENT,     /* transit gateway: stands for the interface */
	FIELD_RESOURCE,	      /* regional NAT gateway: stands for a missing interface */
	FIELD_LOST_NO_ROUTE,
	FIELD_LOST_BLACKHOLE,
	FIELD_LOST_MTU,
	FIELD_LOST_TTL,
};

struct layout {
	unsigned columns;
	unsigned unknown; /* columns that are FIELD_UNKNOWN */
	bool transit_gateway;
	bool commas; /* columns are separated by commas, and may stand in quotes */
	uint8_t field[LAYOUT_MAX_COLUMNS]; /* enum layout_field */
	char name[LAYOUT_MAX_COLUMNS][32]; /* with hyphens, lower case */
};

/*
 * The layout that a header line (names, blanks or commas between them) or a LogFormat string
 * (${name} ...) describes. False: it is
 * neither, because fewer than two names are known or a word cannot be a name.
 */
bool layout_parse(struct layout *ret, const char *text, size_t n);

extern const char layout_default[];	    /* the 14 columns of version 2 */
extern const char layout_transit_gateway[]; /* the 36 columns of a transit gateway's default */

/* The field of one name, hyphens or underscores, any case. */
enum layout_field layout_field_of(const char *name, size_t n);
