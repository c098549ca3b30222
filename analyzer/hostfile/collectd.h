/*
 * collectd: a file of collectd's csv plugin, HOST/PLUGIN-INSTANCE/TYPE-INSTANCE-DATE: "epoch,rx,tx"
 * and a line for each time. With StoreRates its values are rates, else what the counters stood at:
 * rates are written with a fraction, or "nan" where there is none yet.
 */
#pragma once

#include "hostfile/recognise.h"

bool collectd_recognise(const struct hostfile_head *head);
void collectd_parse(struct reader *r, struct collection *c);
