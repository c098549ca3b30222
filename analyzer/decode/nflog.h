/* nflog: packets that a netfilter rule logged (LINKTYPE_NFLOG). Private to decode/. */
#pragma once

#include "decode/layer.h"

/* Fills the nflog_ fields, direction, source MAC and interface; then decodes the payload. */
enum packet_disposition nflog_decode(struct layer *l);
