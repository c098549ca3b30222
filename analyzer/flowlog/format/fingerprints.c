#include "flowlog/format/fingerprints.h"

#include <assert.h>

bool fingerprints_add(struct fingerprints *s, uint64_t fingerprint)
{
	enum hashset_result result;

	if (!s->begun)
		hashset_init(&s->set, sizeof(fingerprint), FINGERPRINTS_MAX);
	s->begun = true;
	result = hashset_add(&s->set, &fingerprint);
	s->full |= result == HASHSET_FULL;
	return result != HASHSET_KNOWN;
}

uint32_t fingerprints_fresh(const struct fingerprints *s)
{
	return s->begun ? hashset_count(&s->set) - s->kept : 0;
}

uint64_t fingerprints_fresh_at(const struct fingerprints *s, uint32_t i)
{
	assert(i < fingerprints_fresh(s));
	return *(const uint64_t *)hashset_key(&s->set, s->kept + i);
}

void fingerprints_kept(struct fingerprints *s)
{
	s->kept = s->begun ? hashset_count(&s->set) : 0;
}

void fingerprints_release(struct fingerprints *s)
{
	if (s->begun)
		hashset_release(&s->set);
	*s = (struct fingerprints){0};
}
