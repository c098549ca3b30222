#include "status.h"

#include <assert.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/jsonout.h"
#include "base/nsec.h"

static const char *status_yes(bool b)
{
	return b ? "true" : "false";
}

static void status_add_text(struct strbuf *out, const char *name, const char *value)
{
	strbuf_printf(out, "\"%s\":", name);
	jsonout_string_marked(out, value);
}

static void status_add_source(struct strbuf *out, const struct source *s)
{
	static const char *const states[] = {"open", "down", "gone"};

	assert(s->state < sizeof(states) / sizeof(states[0]));
	strbuf_adds(out, "{");
	status_add_text(out, "name", s->name);
	strbuf_printf(out,
		",\"state\":\"%s\",\"received\":%llu,\"written\":%llu,\"dropped_kernel\":%llu,"
		"\"dropped_own\":%llu,\"bytes\":%llu",
		states[s->state],
		(unsigned long long)(s->recorded.written + s->dropped_kernel +
				     s->recorded.dropped_own),
		(unsigned long long)s->recorded.written, (unsigned long long)s->dropped_kernel,
		(unsigned long long)s->recorded.dropped_own, (unsigned long long)s->recorded.bytes);
	if (s->has_dropped_interface)
		strbuf_printf(out, ",\"dropped_interface\":%llu",
			(unsigned long long)s->dropped_interface);
	strbuf_adds(out, "}");
}

static void status_add_process(struct strbuf *out)
{
	struct rusage u = {0};

	(void)getrusage(RUSAGE_SELF, &u);
	strbuf_printf(out,
		"\"pid\":%d,\"cpu_user_s\":%.2f,\"cpu_system_s\":%.2f,\"memory_kib\":%ld",
		(int)getpid(), (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6,
		(double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6, u.ru_maxrss);
}

void status_json(struct strbuf *out, const struct recorder *r, const struct privdrop *c)
{
	uint32_t i;

	strbuf_adds(out, "{\"running\":true,");
	status_add_process(out);
	strbuf_adds(out, ",");
	status_add_text(out, "host", r->host_name);
	strbuf_adds(out, ",");
	status_add_text(out, "file", r->stem);
	strbuf_printf(out,
		",\"version\":\"%s\",\"uptime_s\":%.1f,\"files_written\":%llu,\"marks\":%llu",
		BOTHENDS_VERSION, (double)(nsec_now() - r->run_start_ns) / 1e9,
		(unsigned long long)r->files, (unsigned long long)r->marks);
	strbuf_printf(out, ",\"ring_bytes\":%llu,\"kept_bytes\":%llu,\"ring_removed\":%llu",
		(unsigned long long)ring_bytes(&r->ring, false),
		(unsigned long long)ring_bytes(&r->ring, true),
		(unsigned long long)r->ring.removed);
	strbuf_printf(out, ",\"suspended\":%s,\"suspended_s\":%.1f", status_yes(r->suspended),
		(double)(r->suspended_total_ns +
			 (r->suspended ? nsec_now() - r->suspended_from_ns : 0)) /
			1e9);
	strbuf_printf(out,
		",\"confined\":{\"user\":%s,\"landlock\":%s,\"seccomp\":%s},\"sources\":[",
		status_yes(geteuid() != 0), status_yes(c->landlock), status_yes(c->seccomp));
	for (i = 0; i < r->source_count; i++) {
		strbuf_adds(out, i ? "," : "");
		status_add_source(out, &r->sources[i]);
	}
	strbuf_adds(out, "]}\n");
}
