#include "survey/coverage.h"

#include <assert.h>
#include <string.h>

#include "base/address.h"
#include "flow/summary.h"

/* Does its own MAC send what others sent first? */
static bool coverage_forwards(const struct vantage *v)
{
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);

		if (k->role == 0 && k->mac != MAC_NONE && k->mac == v->inferred.own_mac &&
			ip_is_unicast(k->ip) && u->ttl_max && !summary_is_initial_ttl(u->ttl_max))
			return true;
	}
	return false;
}

enum coverage_role coverage_role(const struct vantage *v)
{
	if (v->kind == VANTAGE_NETFILTER)
		return ROLE_HOOK;
	if (v->part && (strstr(v->part, "vni") || strstr(v->part, "session")))
		return ROLE_MIRROR;
	if (addresses_any_sent_out(&v->addresses) || v->inferred.sees_its_own)
		return coverage_forwards(v) ? ROLE_ROUTER : ROLE_HOST;
	return v->inferred.own_mac != MAC_NONE && v->counts.unicast_frames ? ROLE_MIRROR
									   : ROLE_UNKNOWN;
}

/* Do packets of the host's own addresses, of others, stand in it? */
static void coverage_senders(const struct vantage *v, bool *ret_own, bool *ret_others)
{
	*ret_own = *ret_others = false;
	for (uint32_t i = 0; i < v->addresses.by_ip.count; i++) {
		const struct address *a = hashmap_value(&v->addresses.by_ip, i);

		if (a->sent && v->inferred.own_addresses && v->inferred.own_addresses[i])
			*ret_own = true;
		else if (a->sent)
			*ret_others = true;
	}
}

static enum coverage_shown coverage_shown(const struct vantage *v, uint64_t frames, bool in_flows)
{
	if (v->addresses.one_way && !in_flows)
		return SHOWN_NEVER;
	return frames ? SHOWN_YES : SHOWN_NOTHING;
}

/* Frames are counted as received where nothing tells their direction. */
static bool coverage_tells_direction(const struct vantage *v)
{
	return v->inferred.own_mac != MAC_NONE || addresses_any_sent_out(&v->addresses);
}

int coverage_of(const struct vantage *v, struct coverage ret[2])
{
	uint64_t in = 0, out = 0;
	bool own, others;

	for (uint32_t i = 0; i < v->activity.count; i++) {
		in += v->activity.rows[i].rx_frames;
		out += v->activity.rows[i].tx_frames;
	}
	if (!coverage_tells_direction(v)) {
		ret[0] = (struct coverage){.direction = COVERAGE_ANY,
			.frames = in + out,
			.shown = in + out ? SHOWN_YES : SHOWN_NOTHING};
		return 1;
	}
	coverage_senders(v, &own, &others);
	ret[0] = (struct coverage){COVERAGE_IN, in, coverage_shown(v, in, others)};
	ret[1] = (struct coverage){COVERAGE_OUT, out, coverage_shown(v, out, own)};
	return 2;
}

bool coverage_span(
	const struct vantage *v, int64_t *ret_from_ns, int64_t *ret_to_ns, bool *ret_recorded)
{
	const struct vantage_span *s = &v->span;

	*ret_recorded = s->start_ns != INT64_MIN && s->end_ns != INT64_MIN;
	*ret_from_ns =
		s->start_ns != INT64_MIN && s->start_ns < s->first_ns ? s->start_ns : s->first_ns;
	*ret_to_ns = s->end_ns > s->last_ns ? s->end_ns : s->last_ns;
	return s->first_ns <= s->last_ns;
}

const char *coverage_role_name(enum coverage_role r)
{
	static const char *const names[] = {"unknown", "host", "router", "mirror", "hook"};

	assert(r <= ROLE_HOOK);
	return names[r];
}

const char *coverage_direction_name(enum coverage_direction d)
{
	return d == COVERAGE_ANY ? "any" : d == COVERAGE_IN ? "in" : "out";
}

const char *coverage_shown_name(enum coverage_shown s)
{
	return s == SHOWN_YES ? "yes" : s == SHOWN_NEVER ? "never" : "nothing";
}
