/* spans: times in which a capture lost frames, or did not run. */
#pragma once

#include <stdint.h>

struct capture_span {
	int64_t from_ns, to_ns;
	uint64_t frames; /* lost; 0: not counted */
	const char *source;
};

struct span_list {
	struct capture_span *rows;
	uint32_t count, cap;
};

void spans_release(struct span_list *l);
void spans_add(struct span_list *l, struct capture_span s);
