#include "report/verdict.h"

#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"

#define PAIRS_NAMED 3  /* of vantage points, in the headline */
#define PLACES_NAMED 4 /* vantage points that share nothing */

static void verdict_put_count(struct strbuf *out, int64_t n, const char *noun)
{
	strbuf_printf(out, "%lld %s%s", (long long)n, noun, n == 1 ? "" : "s");
}

/* "2026-11-21 from 04:54:49 to 04:54:51 UTC" */
static void verdict_put_span(struct strbuf *out, int64_t first_ns, int64_t last_ns)
{
	char from[NSEC_TEXT_SIZE], to[NSEC_TEXT_SIZE];
	bool same_day;

	(void)nsec_format(first_ns, from);
	(void)nsec_format(last_ns, to);
	same_day = strncmp(from, to, 10) == 0;
	strbuf_printf(out, "%.10s from %.8s to %.*s%s%.8s UTC", from, from + 11, same_day ? 0 : 10,
		to, same_day ? "" : " ", to + 11);
}

/* ---- what was left out on purpose ---- */

static int64_t verdict_frames_of(const struct report *r, const char *disposition)
{
	int64_t n = 0;

	for (int i = 0; i < r->account_count; i++)
		if (strcmp(r->accounts[i].what, "frames") == 0 &&
			strcmp(r->accounts[i].disposition, disposition) == 0)
			n += r->accounts[i].n;
	return n;
}

static bool verdict_is_left_out(const struct report *r)
{
	return r->counts.frames > 0 &&
	       verdict_frames_of(r, "filtered") + verdict_frames_of(r, "outside_time") ==
		       r->counts.frames;
}

/* "--filter 'port 99'", "--from 2027-01-01T00:00:00Z": what left frames out. */
static void verdict_put_options(struct strbuf *out, const struct report *r)
{
	const struct report_run *run = &r->run;
	const char *gap = "";

	if (run->filter && verdict_frames_of(r, "filtered")) {
		strbuf_printf(out, "--filter '%s'", run->filter);
		gap = " and ";
	}
	if (!verdict_frames_of(r, "outside_time"))
		return;
	if (run->from) {
		strbuf_printf(out, "%s--from %.19sZ", gap, run->from);
		gap = gap[0] ? " " : " and ";
	}
	if (run->to)
		strbuf_printf(out, "%s--to %.19sZ", gap, run->to);
}

/* By the clock of each file. */
static void verdict_put_files_span(struct strbuf *out, const struct report *r)
{
	int64_t first = DB_NONE, last = DB_NONE;

	for (int i = 0; i < r->file_count; i++) {
		const struct report_file *f = &r->files[i];

		if (strcmp(f->kind, "capture") != 0 || f->first_ns == DB_NONE)
			continue;
		if (first == DB_NONE || f->first_ns < first)
			first = f->first_ns;
		if (last == DB_NONE || f->last_ns > last)
			last = f->last_ns;
	}
	if (first == DB_NONE)
		return;
	strbuf_adds(out, "; the captures are of ");
	verdict_put_span(out, first, last);
}

static char *verdict_of_left_out(const struct report *r)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_adds(&out, "Nothing to judge: ");
	verdict_put_options(&out, r);
	strbuf_adds(&out, " left out all ");
	verdict_put_count(&out, r->counts.frames, "frame");
	if (verdict_frames_of(r, "outside_time"))
		verdict_put_files_span(&out, r);
	strbuf_addc(&out, '.');
	return strbuf_steal(&out);
}

/* ---- no packet at two places ---- */

static bool verdict_is_capture(const struct report_vantage *v)
{
	return strcmp(v->kind, "flowlog") != 0;
}

static int verdict_captures(const struct report *r, const struct report_vantage **ret_first)
{
	int n = 0;

	for (int i = 0; i < r->vantage_count; i++)
		if (verdict_is_capture(&r->vantages[i]) && n++ == 0)
			*ret_first = &r->vantages[i];
	return n;
}

/* "10.1.0.10 and 10.2.0.20", "10.1.0.10, 10.2.0.20 and 7 more addresses" */
static void verdict_put_addresses(struct strbuf *out, const struct report *r, int64_t vantage)
{
	int64_t all = 0, shown = 0;

	for (int i = 0; i < r->address_count; i++) {
		const struct report_address *a = &r->addresses[i];

		if (a->vantage_id != vantage)
			continue;
		all = a->addresses;
		strbuf_adds(out, !shown ? "" : all == shown + 1 ? " and " : ", ");
		strbuf_adds(out, a->ip);
		shown++;
	}
	if (!shown)
		strbuf_adds(out, "no address");
	else if (all > shown)
		strbuf_printf(out, " and %lld more", (long long)(all - shown));
}

static char *verdict_of_strangers(const struct report *r)
{
	struct strbuf out = STRBUF_INIT;
	int shown = 0, left = 0;

	strbuf_adds(&out, "The captures share no packet: ");
	for (int i = 0; i < r->vantage_count; i++) {
		const struct report_vantage *v = &r->vantages[i];

		if (!verdict_is_capture(v))
			continue;
		if (shown == PLACES_NAMED) {
			left++;
			continue;
		}
		strbuf_printf(&out, "%s%s holds ", shown++ ? "; " : "", v->name);
		verdict_put_addresses(&out, r, v->id);
		if (v->first_ns != DB_NONE && v->last_ns != DB_NONE) {
			strbuf_adds(&out, " on ");
			verdict_put_span(&out, v->first_ns, v->last_ns);
		}
	}
	if (left)
		strbuf_printf(&out, "; and %d more", left);
	strbuf_addc(&out, '.');
	return strbuf_steal(&out);
}

static char *verdict_of_one(const struct report *r, const struct report_vantage *v)
{
	const struct report_counts *c = &r->counts;
	struct strbuf out = STRBUF_INIT;

	strbuf_printf(&out, "One capture alone cannot rule out loss: that of %s holds ", v->name);
	if (c->tcp_flows) {
		verdict_put_count(&out, c->tcp_flows, "TCP connection");
		strbuf_adds(&out, ", ");
		if (c->unanswered == c->tcp_flows)
			strbuf_adds(
				&out, c->tcp_flows == 1 ? "unanswered" : "none of them answered");
		else if (c->unanswered)
			strbuf_printf(&out, "%lld of them unanswered", (long long)c->unanswered);
		else
			strbuf_adds(&out, c->tcp_flows == 1 ? "answered" : "all of them answered");
	} else if (c->flows) {
		verdict_put_count(&out, c->flows, "flow");
		strbuf_adds(&out, " and no TCP connection");
	} else {
		verdict_put_count(&out, c->frames, "frame");
		strbuf_adds(&out, " and no flow");
	}
	strbuf_addc(&out, '.');
	return strbuf_steal(&out);
}

/* ---- what arrived ---- */

struct totals {
	int64_t sent, arrived, lost, unjudged;
	int pairs;
};

static const struct report_leg *verdict_way_back(const struct report *r, const struct report_leg *l)
{
	for (int i = 0; i < r->leg_count; i++)
		if (r->legs[i].from_id == l->to_id && r->legs[i].to_id == l->from_id)
			return &r->legs[i];
	return NULL;
}

/* Each pair of places once: by the direction that comes first. */
static bool verdict_is_first(const struct report *r, const struct report_leg *l)
{
	const struct report_leg *back = verdict_way_back(r, l);

	return !back || back > l;
}

static struct totals verdict_sum(const struct report *r)
{
	struct totals t = {0};

	for (int i = 0; i < r->leg_count; i++) {
		const struct report_leg *l = &r->legs[i];

		t.sent += l->sent;
		t.arrived += l->delivered + l->capture_missed;
		t.lost += l->lost + l->misaddressed;
		t.unjudged += l->unjudged;
		t.pairs += verdict_is_first(r, l);
	}
	return t;
}

/* " (290 client -> server, 564 back)", " (97 between app and db, 97 between db and job)" */
static void verdict_put_pairs(struct strbuf *out, const struct report *r, int pairs)
{
	int shown = 0;

	for (int i = 0; i < r->leg_count && shown < PAIRS_NAMED; i++) {
		const struct report_leg *l = &r->legs[i], *back = verdict_way_back(r, l);

		if (!verdict_is_first(r, l))
			continue;
		strbuf_adds(out, shown++ ? ", " : " (");
		if (!back)
			strbuf_printf(out, "%lld %s -> %s", (long long)l->sent, l->from, l->to);
		else if (pairs == 1)
			strbuf_printf(out, "%lld %s -> %s, %lld back", (long long)l->sent, l->from,
				l->to, (long long)back->sent);
		else
			strbuf_printf(out, "%lld between %s and %s",
				(long long)(l->sent + back->sent), l->from, l->to);
	}
	if (pairs > shown)
		strbuf_printf(out, ", and on %d more leg%s", pairs - shown,
			pairs - shown == 1 ? "" : "s");
	strbuf_addc(out, ')');
}

static char *verdict_of_legs(const struct report *r)
{
	const struct totals t = verdict_sum(r);
	const char *noun = "packet"; /* as in the sentences of the rules */
	struct strbuf out = STRBUF_INIT;

	if (t.lost) {
		strbuf_printf(&out, "Too little loss for a finding: %lld of ", (long long)t.lost);
		verdict_put_count(&out, t.sent, noun);
		strbuf_adds(&out, " lost");
		verdict_put_pairs(&out, r, t.pairs);
	} else if (t.unjudged) {
		strbuf_printf(&out, "No loss proven: %lld of ", (long long)t.arrived);
		verdict_put_count(&out, t.sent, noun);
		strbuf_adds(&out, " arrived");
		verdict_put_pairs(&out, r, t.pairs);
	} else {
		strbuf_adds(
			&out, r->open_count ? "No loss in what could be judged: " : "No loss: ");
		strbuf_adds(&out, t.sent == 1 ? "the " : "all ");
		verdict_put_count(&out, t.sent, noun);
		strbuf_adds(&out, " arrived");
		verdict_put_pairs(&out, r, t.pairs);
	}
	if (t.unjudged)
		strbuf_printf(&out, ", %lld could not be judged", (long long)t.unjudged);
	strbuf_addc(&out, '.');
	return strbuf_steal(&out);
}

/* ---- the choice ---- */

static bool verdict_is_shared(const struct report *r)
{
	for (int i = 0; i < r->leg_count; i++)
		if (r->legs[i].delivered || r->legs[i].misaddressed)
			return true;
	return false;
}

static char *verdict_without_finding(const struct report *r)
{
	const struct report_vantage *first = NULL;
	int captures = verdict_captures(r, &first);

	if (!r->counts.captures && !r->counts.log_files)
		return mem_strdup("Nothing was read.");
	if (!captures)
		return mem_strdup(
			r->open_count ? "No fault proven in the flow logs: not all could be judged."
				      : "No fault found in the flow logs.");
	if (!r->counts.frames)
		return mem_strdup("Nothing to judge: the captures hold no frame.");
	if (verdict_is_left_out(r))
		return verdict_of_left_out(r);
	if (verdict_is_shared(r))
		return verdict_of_legs(r);
	return captures == 1 ? verdict_of_one(r, first) : verdict_of_strangers(r);
}

/* "22 flows in 3188 frames, 4096 flow-log records" */
static char *verdict_checked(const struct report *r)
{
	const struct report_counts *c = &r->counts;
	struct strbuf out = STRBUF_INIT;

	if (c->captures) {
		verdict_put_count(&out, c->flows, "flow");
		strbuf_adds(&out, " in ");
		verdict_put_count(&out, c->frames, "frame");
	}
	if (c->log_files) {
		strbuf_adds(&out, c->captures ? ", " : "");
		verdict_put_count(&out, c->log_records, "flow-log record");
	}
	return out.text ? strbuf_steal(&out) : NULL;
}

void report_set_verdict(struct report *r)
{
	if (r->story_count) {
		r->verdict = mem_strdup(r->stories[0].findings->summary);
		return;
	}
	r->verdict = verdict_without_finding(r);
	if (verdict_is_shared(r) || r->counts.log_files)
		r->checked = verdict_checked(r);
}
