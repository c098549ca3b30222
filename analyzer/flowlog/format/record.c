#include "flowlog/format/record.h"

const char *flowlog_disposition_name(enum flowlog_disposition disposition)
{
	static const char *const names[FLOWLOG_DISPOSITIONS] = {"record", "nodata", "skipdata",
		"header", "blank", "malformed", "duplicate", "control", "other", "late"};

	return names[disposition];
}
