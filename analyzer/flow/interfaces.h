/* interfaces: which vantage point of its host an interface of a file is. */
#pragma once

#include "flow/host_reading.h"

/*
 * The vantage point of an interface of the capture that is read: one that goes on from an earlier
 * file, or a new one. Beyond rd->limit it is rd->rest.
 */
struct reading_vantage *interfaces_vantage(
	struct host_reading *rd, const struct capfile_interface *iface, uint32_t index);

/* A pcapng may end before it describes an interface; its host was watched from somewhere all the
 * same.
 */
void interfaces_need_vantage(struct host_reading *rd);

struct reading_vantage *interfaces_new_vantage(
	struct host_reading *rd, enum vantage_kind kind, uint32_t link_type);
