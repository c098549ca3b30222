/*
 * drops_reasons: what the running kernel calls the reasons for which it drops packets. Their
 * numbers differ between kernels; the names come from its type information (BTF).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct drops_reasons {
	char **names; /* by number, without SKB_DROP_REASON_; NULL: no such reason */
	uint32_t count;
	bool has_socket; /* the tracepoint names the socket as well (since Linux 6.11) */
};

/* Reads them; err says in one line what this kernel lacks. */
int drops_reasons_load(struct drops_reasons *r, struct error *err);
void drops_reasons_release(struct drops_reasons *r);

/* The bits of reasons that are not in list ("NETFILTER_DROP,TCP_CSUM"): a word for 64 reasons. */
int drops_reasons_unwanted(const struct drops_reasons *r, const char *list, uint64_t *bits,
	uint32_t words, struct error *err);
