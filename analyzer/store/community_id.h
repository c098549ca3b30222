/*
 * community_id: names a flow as Zeek, Suricata, Arkime and Wireshark do (Community ID, version 1,
 * seed 0), so that an investigator finds it there.
 */
#pragma once

#include "store/sqlite.h"

/*
 * SQL: community_id(protocol, src_ip, dst_ip, src_port, dst_port). The protocol is a name of
 * flow.protocol or a number. Both directions of a flow give the same value. For icmp and icmp6 the
 * ports are type and code. NULL: not an address, not a protocol, or no port where there must be
 * one.
 */
void community_id_sql(sqlite3_context *ctx, int argc, sqlite3_value **argv);
