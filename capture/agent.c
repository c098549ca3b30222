#include "agent.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/nsec.h"
#include "privdrop.h"
#include "control.h"
#include "host.h"
#include "notify.h"
#include "outdir.h"
#include "recorder.h"
#include "source_drops.h"
#include "status.h"

#define BATCH 8192 /* packets read from one source before the next */
#define DRAIN_NS (200 * NSEC_PER_MSEC)
#define FIXED_FDS 4
#define AGENT_SOURCES (OPTIONS_SOURCES + 1) /* and the kernel's drops */

struct agent {
	const struct options *o;
	struct facts *facts;
	struct host host;
	struct source sources[AGENT_SOURCES];
	uint32_t source_count;
	struct recorder recorder;
	struct privdrop confinement;
	struct notify notify;
	int dir_fd, control_fd, signal_fd;
	int64_t start_ns, next_flush_ns, next_beat_ns, next_interval_ns;
	bool stop;
	int status;
	const char *reason;
};

static void agent_say(const struct agent *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void agent_say(const struct agent *a, const char *fmt, ...)
{
	va_list ap;

	if (a->o->quiet)
		return;
	va_start(ap, fmt);
	fputs("bothends-agent: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static struct source *agent_next_source(struct agent *a)
{
	struct source *s = &a->sources[a->source_count];

	assert(a->source_count < AGENT_SOURCES);
	memset(s, 0, sizeof(*s));
	s->index = a->source_count++;
	s->sink = recorder_packet;
	s->sink_arg = &a->recorder;
	return s;
}

struct auto_sources {
	struct agent *a;
	struct error *err;
	int result;
	uint32_t found, limit; /* limit: of all sources then, so that those named have room */
};

/* "auto": up, not loopback, and not a port of a bridge or bond (its master shows the same frames).
 */
static void agent_open_if_up(void *arg, const char *name)
{
	struct auto_sources *w = arg;
	struct rootfs host = {0};
	char line[ROOTFS_LINE_SIZE];
	struct error ignored;
	uint64_t flags;

	if (w->result || w->a->source_count >= w->limit || rootfs_open(&host, NULL, &ignored))
		return;
	if (rootfs_u64(&host, &flags, "sys/class/net/%s/flags", name) && (flags & 9) == 1 &&
		!rootfs_link(&host, line, "sys/class/net/%s/master", name)) {
		w->found++;
		w->result =
			source_open_pcap(agent_next_source(w->a), name, &w->a->o->source, w->err);
	}
	rootfs_release(&host);
}

/* named: sources that are opened after these. */
static int agent_open_auto(struct agent *a, uint32_t named, struct error *err)
{
	struct auto_sources w = {.a = a, .err = err, .limit = OPTIONS_SOURCES - named};
	struct rootfs host;
	int r = rootfs_open(&host, NULL, err);

	assert(named < OPTIONS_SOURCES);
	if (r)
		return r;
	(void)rootfs_each(&host, "sys/class/net", OPTIONS_SOURCES, agent_open_if_up, &w);
	rootfs_release(&host);
	if (!w.result && !w.found)
		return error_set(err, -ENODEV, "no interface is up: choose one with --interface");
	return w.result;
}

/* What this kernel or these rights do not allow is said once; all other sources go on. */
static void agent_open_drops(struct agent *a)
{
	struct error err = ERROR_INIT;
	struct source *s;

	if (a->o->drops.scope == DROPS_OFF)
		return;
	s = agent_next_source(a);
	if (!source_open_drops(s, &a->o->drops, &a->o->source, &err))
		return;
	source_close(s);
	a->source_count--;
	agent_say(a, "warning: the kernel's drops are not recorded: %s", err.text);
	fact_put(a->facts, err.text, "drops.unavailable");
}

static int agent_open_sources(struct agent *a, struct error *err)
{
	uint32_t i;
	int r = 0;

	for (i = 0; i < a->o->interface_count && !r; i++) {
		if (!strcmp(a->o->interfaces[i], "auto"))
			r = agent_open_auto(
				a, a->o->interface_count - i - 1 + a->o->group_count, err);
		else
			r = source_open_pcap(
				agent_next_source(a), a->o->interfaces[i], &a->o->source, err);
	}
	for (i = 0; i < a->o->group_count && !r; i++)
		r = source_open_nflog(agent_next_source(a), a->o->groups[i], &a->o->source, err);
	if (!r)
		agent_open_drops(a);
	return r;
}

static int agent_open_signals(struct error *err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? error_errno(err, "cannot receive signals") : fd;
}

/* Everything that needs privileges. Cheap checks first, so that mistakes are reported at once. */
static int agent_open_all(struct agent *a, struct error *err)
{
	int r;

	a->dir_fd = outdir_open(a->o->output, err);
	if (a->dir_fd < 0)
		return a->dir_fd;
	a->signal_fd = agent_open_signals(err);
	if (a->signal_fd < 0)
		return a->signal_fd;
	r = host_open(&a->host, a->o->root, a->facts, err);
	if (!r)
		r = agent_open_sources(a, err);
	if (r)
		return r;
	if (a->o->facts)
		host_collect_all(&a->host);
	a->control_fd = control_listen(a->dir_fd, err);
	if (a->control_fd < 0)
		return a->control_fd;
	notify_open(&a->notify);
	return 0;
}

static int agent_drop_privileges(struct agent *a, struct error *err)
{
	int r;

	a->confinement = (struct privdrop){
		.user = a->o->user, .output_fd = a->dir_fd, .root = &a->host.root};
	if (!a->o->confine) {
		agent_say(a, "warning: not confined (--confine=no is for debugging)");
		return outdir_check(a->dir_fd, a->o->output, err);
	}
	r = privdrop(&a->confinement, err);
	if (r)
		return r;
	if (!a->confinement.landlock)
		agent_say(a, "warning: this kernel has no Landlock; all other restrictions are in "
			     "force");
	if (!a->confinement.seccomp)
		agent_say(a, "warning: this kernel has no system call filter (seccomp); all other "
			     "restrictions are in force");
	return outdir_check(a->dir_fd, a->o->output, err);
}

/* Negative: there is no file to write to any more. What cannot be kept is a warning alone. */
static int agent_mark(struct agent *a, const char *text, struct strbuf *reply, struct error *err)
{
	int r = recorder_mark(&a->recorder, text, reply, err);

	if (r)
		strbuf_printf(reply, "error: %s\n", err->text);
	if (r == RECORDER_NOT_KEPT)
		agent_say(a, "warning: mark '%s' keeps no older files: %s", text, err->text);
	return r < 0 ? r : 0;
}

static int agent_on_signals(struct agent *a, struct error *err)
{
	struct strbuf reply CLEANUP_STRBUF = STRBUF_INIT;
	struct signalfd_siginfo info;
	int r = 0;

	while (!r && read(a->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			r = recorder_rotate(&a->recorder, "hup", err);
		} else if (info.ssi_signo == SIGUSR1) {
			r = agent_mark(a, "SIGUSR1", &reply, err);
		} else {
			a->stop = true;
			a->reason = "stop";
		}
	}
	return r;
}

static int agent_on_control(struct agent *a, struct error *err)
{
	struct strbuf reply CLEANUP_STRBUF = STRBUF_INIT;
	char line[CONTROL_LINE];
	int r = 0, fd = control_accept(a->control_fd, line);

	if (fd < 0)
		return 0;
	if (!strcmp(line, "status"))
		status_json(&reply, &a->recorder, &a->confinement);
	else if (strncmp(line, "mark ", 5))
		strbuf_adds(&reply, "error: not understood\n");
	else
		r = agent_mark(a, line + 5, &reply, err);
	control_reply(fd, reply.text);
	return r;
}

/* A source that ended stays in the list: interface numbers in the files must not change. */
static void agent_look_after_gone(struct agent *a)
{
	uint32_t i;

	for (i = 0; i < a->source_count; i++) {
		struct source *s = &a->sources[i];

		if (s->state != SOURCE_GONE)
			continue;
		if (!s->recorded.told_gone)
			agent_say(a, "%s; continuing without it", s->note);
		s->recorded.told_gone = true;
		if (s->kind == SOURCE_NIC && !a->o->root &&
			rootfs_exists(&a->host.root, "sys/class/net/%s/flags", s->name)) {
			agent_say(a,
				"interface '%s' is back; exiting with status 75: restart to reopen "
				"it",
				s->name);
			a->stop = true;
			a->reason = "stop";
			a->status = AGENT_AGAIN;
		}
	}
}

static int agent_on_time(struct agent *a, int64_t now_ns, struct error *err)
{
	const struct options *o = a->o;
	int r = 0;

	/* A clock set back must not delay the next timers: they are never far ahead. */
	if (now_ns >= a->next_beat_ns || a->next_beat_ns - now_ns > 2 * o->heartbeat_ns) {
		host_heartbeat(&a->host);
		a->next_beat_ns = now_ns + o->heartbeat_ns;
	}
	if (now_ns >= a->next_interval_ns || a->next_interval_ns - now_ns > 2 * o->interval_ns) {
		if (o->facts)
			host_collect(&a->host);
		recorder_statistics(&a->recorder, now_ns);
		a->next_interval_ns = now_ns + o->interval_ns;
	}
	if (now_ns >= a->next_flush_ns || a->next_flush_ns - now_ns > 2 * o->flush_ns) {
		agent_look_after_gone(a);
		r = recorder_flush(&a->recorder, now_ns, err);
		a->next_flush_ns = now_ns + o->flush_ns;
	}
	notify_alive(&a->notify, now_ns);
	if (o->duration_ns && now_ns - a->start_ns >= o->duration_ns) {
		a->stop = true;
		a->reason = "stop";
	}
	return r;
}

static int agent_wait_ms(const struct agent *a, int64_t now_ns)
{
	int64_t next = a->next_flush_ns;

	if (a->next_beat_ns < next)
		next = a->next_beat_ns;
	if (a->next_interval_ns < next)
		next = a->next_interval_ns;
	if (a->o->duration_ns && a->start_ns + a->o->duration_ns < next)
		next = a->start_ns + a->o->duration_ns;
	return next <= now_ns ? 0 : (int)((next - now_ns) / NSEC_PER_MSEC) + 1;
}

static void agent_read_sources(struct agent *a, const struct pollfd *fds)
{
	uint32_t i;

	for (i = 0; i < a->source_count; i++) {
		struct source *s = &a->sources[i];

		if (fds[i].revents && s->state != SOURCE_GONE)
			(void)s->ops->dispatch(s, BATCH); /* s->state says if it ended */
	}
}

static int agent_loop(struct agent *a, struct error *err)
{
	struct pollfd fds[FIXED_FDS + AGENT_SOURCES];
	int64_t now_ns = nsec_now();
	uint32_t i;
	int r = 0;

	while (!a->stop && !r) {
		fds[0] = (struct pollfd){.fd = a->signal_fd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = a->control_fd, .events = POLLIN};
		fds[2] = (struct pollfd){
			.fd = a->o->facts ? host_kmsg_fd(&a->host) : -1, .events = POLLIN};
		fds[3] = (struct pollfd){
			.fd = a->o->facts ? host_rtnl_fd(&a->host) : -1, .events = POLLIN};
		for (i = 0; i < a->source_count; i++) {
			const struct source *s = &a->sources[i];

			fds[FIXED_FDS + i] = (struct pollfd){
				.fd = s->state == SOURCE_GONE ? -1 : s->fd, .events = POLLIN};
		}
		if (poll(fds, FIXED_FDS + a->source_count, agent_wait_ms(a, now_ns)) < 0 &&
			errno != EINTR)
			return error_errno(err, "cannot wait for packets");
		agent_read_sources(a, fds + FIXED_FDS);
		if (fds[0].revents)
			r = agent_on_signals(a, err);
		if (!r && fds[1].revents)
			r = agent_on_control(a, err);
		if (fds[2].revents)
			host_read_kmsg(&a->host);
		if (fds[3].revents)
			host_read_rtnl(&a->host);
		now_ns = nsec_now();
		if (!r)
			r = agent_on_time(a, now_ns, err);
	}
	return r;
}

/* Reads what the kernel still holds, up to DRAIN_NS; the rest counts as dropped by the agent. */
static void agent_finish_sources(struct agent *a)
{
	int64_t end_ns = nsec_now() + DRAIN_NS;
	bool more = true;
	uint32_t i;

	while (more && nsec_now() < end_ns) {
		more = false;
		for (i = 0; i < a->source_count; i++) {
			struct source *s = &a->sources[i];

			if (s->state == SOURCE_GONE)
				continue;
			(void)s->ops->dispatch(s, BATCH);
			s->ops->stats(s);
			more |= s->counts_exactly && s->offered > s->taken + s->dropped_kernel;
		}
		if (more)
			(void)poll(NULL, 0, 5);
	}
	for (i = 0; i < a->source_count; i++) {
		struct source *s = &a->sources[i];
		uint64_t seen = s->taken + s->dropped_kernel;

		if (s->counts_exactly && s->offered > seen)
			s->recorded.dropped_own += s->offered - seen;
	}
}

static void agent_tell_totals(const struct agent *a)
{
	uint32_t i;

	for (i = 0; i < a->source_count; i++) {
		const struct source *s = &a->sources[i];

		agent_say(a,
			"%s: %llu packets received, %llu written, %llu dropped by kernel, %llu "
			"dropped by agent",
			s->name,
			(unsigned long long)(s->recorded.written + s->dropped_kernel +
					     s->recorded.dropped_own),
			(unsigned long long)s->recorded.written,
			(unsigned long long)s->dropped_kernel,
			(unsigned long long)s->recorded.dropped_own);
	}
}

static int agent_record(struct agent *a, struct error *err)
{
	int r = recorder_open(
		&a->recorder, a->o, a->dir_fd, a->facts, a->sources, a->source_count, err);

	if (r)
		return r;
	agent_say(a, "writing to '%s', %u sources", a->o->output, a->source_count);
	notify_send(&a->notify, "READY=1");
	a->start_ns = nsec_now();
	a->reason = "error";
	r = agent_loop(a, err);
	notify_send(&a->notify, "STOPPING=1");
	agent_finish_sources(a);
	recorder_close(&a->recorder, a->reason);
	agent_tell_totals(a);
	return r;
}

static void agent_release(struct agent *a)
{
	uint32_t i;

	for (i = 0; i < a->source_count; i++)
		source_close(&a->sources[i]);
	recorder_release(&a->recorder);
	host_release(&a->host);
	fact_free(a->facts);
	notify_close(&a->notify);
	if (a->control_fd >= 0) {
		(void)unlinkat(a->dir_fd, CONTROL_NAME, 0);
		close(a->control_fd);
	}
	if (a->signal_fd >= 0)
		close(a->signal_fd);
	if (a->dir_fd >= 0)
		close(a->dir_fd);
}

int agent_run(const struct options *o)
{
	struct agent a = {
		.o = o, .facts = fact_new(), .dir_fd = -1, .control_fd = -1, .signal_fd = -1};
	struct error err = ERROR_INIT;
	int r;

	a.recorder.capture.fd = a.recorder.sidecar.fd = a.notify.fd = -1;
	a.host.root.fd = a.host.ethtool_fd = -1;
	r = agent_open_all(&a, &err);
	if (!r)
		r = agent_drop_privileges(&a, &err);
	if (!r)
		r = agent_record(&a, &err);
	if (r)
		fprintf(stderr, "bothends-agent: %s\n", err.text);
	agent_release(&a);
	return r ? 2 : a.status;
}
