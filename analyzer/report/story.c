#include "report/story.h"

#include <string.h>

#include "report/report.h"

const char *story_role_name(enum report_role role)
{
	static const char *const names[] = {
		[ROLE_HEAD] = "head", [ROLE_BECAUSE] = "because", [ROLE_ALSO] = "also"};

	return names[role];
}

const struct report_finding *story_cause(const struct report_story *s)
{
	const struct report_finding *cause = NULL;

	for (int i = 1; i < s->count; i++)
		if (s->findings[i].role == ROLE_BECAUSE &&
			(!cause || s->findings[i].depth < cause->depth))
			cause = &s->findings[i];
	return cause;
}

bool story_is_beyond(const struct report_story *s, int i)
{
	int before = 0;

	for (int k = 0; k < i; k++)
		before += s->findings[k].role == ROLE_ALSO;
	return s->findings[i].role == ROLE_ALSO && before >= REPORT_ALSO;
}

bool story_advises(const struct report_story *s, int i)
{
	const struct report_finding *f = s->findings;
	bool caused = false;

	if (!f[i].remedy || f[i].role == ROLE_ALSO)
		return false;
	for (int k = 0; k < s->count; k++) {
		if (!f[k].remedy || f[k].role != ROLE_BECAUSE)
			continue;
		/* A cause and its own cause may ask for the same: once is enough. */
		if (k > i && strcmp(f[k].remedy, f[i].remedy) == 0)
			return false;
		caused = true;
	}
	return !caused || i != 0;
}

bool story_next_part(const char **remedy, struct remedy_part *ret_part)
{
	const char *at = *remedy, *tick = strchr(at, '`'),
		   *end = tick ? strchr(tick + 1, '`') : NULL;

	if (!*at)
		return false;
	if (end && tick == at) {
		*ret_part = (struct remedy_part){at + 1, (size_t)(end - at - 1), true};
		*remedy = end + 1;
	} else {
		*ret_part = (struct remedy_part){at, end ? (size_t)(tick - at) : strlen(at), false};
		*remedy = at + ret_part->length;
	}
	return true;
}

bool story_extractable(const struct report_finding *f)
{
	for (int i = 0; i < f->proof_count; i++)
		if (f->proofs[i].path && !f->proofs[i].is_log && f->proofs[i].number != DB_NONE)
			return true;
	return false;
}

const char *report_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void report_shell_word(struct strbuf *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%,=";

	if (*word && word[strspn(word, plain)] == 0) {
		strbuf_adds(out, word);
		return;
	}
	strbuf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_adds(out, "'\\'");
		strbuf_addc(out, *word);
	}
	strbuf_addc(out, '\'');
}

bool report_is_report(const struct outfile_ends *ends)
{
	return outfile_finishes(ends, REPORT_SIGNATURE) || outfile_begins(ends, "# bothends\n") ||
	       outfile_begins(ends, "{\n  \"format\": \"bothends-") ||
	       (outfile_begins(ends, "<!DOCTYPE html>") &&
		       outfile_holds(ends, "<title>bothends: "));
}
