#include "report/words.h"

#include <string.h>

#include "base/nsec.h"

struct word {
	const char *stored, *shown;
};

static const char *words_find(const struct word *words, size_t n, const char *stored)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(stored, words[i].stored) == 0)
			return words[i].shown;
	return stored;
}

const char *report_trust_word(const char *trust)
{
	static const struct word words[] = {
		{"sound", "good"}, {"with care", "degraded"}, {"unfit", "unusable"}};

	return words_find(words, sizeof(words) / sizeof(words[0]), trust);
}

const char *report_disposition_words(const char *disposition)
{
	static const struct word words[] = {
		{"joined", "matched"},
		{"one_sided", "seen at one end only"},
		{"outside_time", "outside --from/--to"},
		{"flow_table_full", "without room in the flow table"},
		{"other_ethertype", "other EtherType"},
		{"ip_other", "other IP protocol"},
		{"unsupported_link", "unsupported link type"},
		{"arp", "ARP"},
		{"nd", "ND"},
		{"vrrp", "VRRP"},
		{"carp", "CARP"},
		{"icmp", "ICMP"},
		{"record", "records"},
		{"nodata", "NODATA"},
		{"skipdata", "SKIPDATA"},
	};

	return words_find(words, sizeof(words) / sizeof(words[0]), disposition);
}

static void words_of_offset(struct strbuf *out, const struct ref_clock_piece *p)
{
	char span[NSEC_TEXT_SIZE], half[NSEC_TEXT_SIZE];

	if (p->low_ns == DB_NONE && p->high_ns == DB_NONE)
		strbuf_adds(out, "unknown");
	else if (p->high_ns == DB_NONE)
		strbuf_printf(out, ">= %s", nsec_span(p->low_ns, span));
	else if (p->low_ns == DB_NONE)
		strbuf_printf(out, "<= %s", nsec_span(p->high_ns, span));
	else if (p->low_ns <= 0 && p->high_ns >= 0)
		strbuf_printf(out, "within %s",
			nsec_span(p->high_ns > -p->low_ns ? p->high_ns : -p->low_ns, span));
	else
		strbuf_printf(out, "= %s +/- %s", nsec_span(p->offset_ns, span),
			nsec_span((p->high_ns - p->low_ns + 1) / 2, half));
}

static const char *words_of_method(const char *method)
{
	static const struct word words[] = {
		{"forward only", "one direction only"},
		{"backward only", "one direction only"},
		{"through another", "derived via another host"},
	};

	return words_find(words, sizeof(words) / sizeof(words[0]), method);
}

void report_clock_words(struct strbuf *out, const struct report_clock *c)
{
	const struct ref_clock_piece *p = c->best;

	strbuf_printf(out, "clock offset %s - %s ", p->name, p->reference_name);
	words_of_offset(out, p);
	if (p->skew_ppm > 0.5 || p->skew_ppm < -0.5)
		strbuf_printf(out, ", drift %.0f ppm", p->skew_ppm);
	if (c->pieces > 1)
		strbuf_printf(out, ", in %d pieces", c->pieces);
	strbuf_adds(out, " (");
	if (p->samples > 0)
		strbuf_printf(
			out, "%lld packet%s, ", (long long)p->samples, p->samples == 1 ? "" : "s");
	strbuf_printf(out, "%s)", words_of_method(p->method));
}

size_t report_unit_at(const char *text)
{
	static const char *const units[] = {"ns", "us", "ms", "s", "min", "h", "d", "%", "ppm"};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i]);

		if (strncmp(text, units[i], n) == 0 && (!text[n] || strchr(" ,;:.)", text[n])))
			return n;
	}
	return 0;
}

const char *report_news_title(const char *news)
{
	return strcmp(news, "new") == 0	    ? "New since the last run"
	       : strcmp(news, "still") == 0 ? "Still"
	       : strcmp(news, "over") == 0  ? "Over"
					    : NULL;
}

const char *report_news_heading(const struct report_story *story, const struct report_story *before)
{
	const char *news = story->findings->news;

	if (!news || (before && before->findings->news && !strcmp(before->findings->news, news)))
		return NULL;
	return report_news_title(news);
}
