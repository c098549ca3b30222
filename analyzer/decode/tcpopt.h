/* tcpopt: the options of a TCP header. It never fails: what is wrong or cut is flagged and left. */
#pragma once

#include "decode/packet.h"

/*
 * Reads captured bytes of length bytes of options (captured <= length <= 40) and sets tcp_options,
 * tcp_options_bad, option_hash, sack_count and the fields whose bits are set. Of an option that
 * comes twice the last counts, as in Linux. When captured < length, TCPOPT_TRUNCATED is set beside
 * whatever was whole, and option_hash is 0.
 */
void tcpopt_decode(const uint8_t *options, uint32_t captured, uint32_t length, struct packet *p);
