/* capture_rows: what a file says of itself, kept when it has been read to its end. */
#pragma once

#include "flow/host_reading.h"

/* Into rd->capture, the host's facts, and the spans of its vantage points. */
void capture_rows_keep(struct host_reading *rd, const struct capfile_info *info);
