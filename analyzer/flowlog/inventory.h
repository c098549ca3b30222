/*
 * inventory: what a cloud's command line lists of interfaces (--names): whose address is whose, by
 * name, instance, subnet and zone. Sentences and groups of findings use it.
 *
 *	aws ec2 describe-network-interfaces
 *	gcloud compute instances list --format=json
 *	az network nic list
 */
#pragma once

#include "base/error.h"
#include "store/db.h"

/* Puts the lists of files into flow_log_name, in place of what is there. 0, or negative with err
 * set. */
int flowlog_inventory_store(struct db *db, char *const *paths, int count, struct error *err);
