/*
 * observations: writes what vantage points noted beside flows: mac_use, arp, vrrp_advert,
 * icmp_error, activity, netfilter_log, kernel_drop.
 */
#pragma once

#include "join/join.h"
#include "store/db.h"

/* flow_row: each flow's row, see join/order.h. */
void observations_store(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row);
