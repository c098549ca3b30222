#include "report/html_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "report/words.h"

void html_section(struct page *p, const char *id, const char *title)
{
	html_begin(&p->h, "section", "id", id, "aria-labelledby", html_fmt(&p->h, "%s-title", id),
		NULL);
	html_element(&p->h, "h2", title, "id", html_fmt(&p->h, "%s-title", id), NULL);
}

void html_sentence(struct page *p, const char *text)
{
	CLEANUP_STRBUF struct strbuf sb = STRBUF_INIT;

	for (const char *s = text; *s; s++)
		if (*s == ' ' && s > text && s[-1] >= '0' && s[-1] <= '9' && report_unit_at(s + 1))
			strbuf_adds(&sb, "\xc2\xa0");
		else
			strbuf_addc(&sb, *s);
	html_text(&p->h, sb.text);
}

void html_severity(struct page *p, const char *severity)
{
	html_element(&p->h, "span", severity, "class", html_fmt(&p->h, "badge %s", severity), NULL);
}

void html_copy(struct page *p, const char *text)
{
	html_begin(&p->h, "span", "class", "copy", NULL);
	html_element(&p->h, "code", text, NULL);
	html_element(&p->h, "button", "Copy", "type", "button", "hidden", "", NULL);
	html_end(&p->h, "span");
}

void html_table_begin(struct page *p, const char *caption, const char *const *columns)
{
	struct html *h = &p->h;

	html_begin(h, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label",
		caption, NULL);
	html_begin(h, "table", "class", "data", NULL);
	html_element(h, "caption", caption, NULL);
	html_begin(h, "thead", NULL);
	html_begin(h, "tr", NULL);
	for (size_t i = 0; columns[i]; i++) {
		bool number = columns[i][0] == '#';

		html_element(h, "th", columns[i] + number, "scope", "col", "class",
			number ? "n" : NULL, NULL);
	}
	html_end(h, "tr");
	html_end(h, "thead");
	html_begin(h, "tbody", NULL);
}

void html_table_end(struct page *p)
{
	html_end(&p->h, "tbody");
	html_end(&p->h, "table");
	html_end(&p->h, "div");
}

/* Thin spaces between the thousands. */
const char *html_grouped(struct page *p, int64_t v)
{
	char digits[32], out[64];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)v), o = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0 && digits[i - 1] != '-') {
			memcpy(out + o, "\xe2\x80\x89", 3);
			o += 3;
		}
		out[o++] = digits[i];
	}
	out[o] = '\0';
	return html_fmt(&p->h, "%s", out);
}

void html_number(struct page *p, int64_t v)
{
	if (v == DB_NONE)
		html_element(&p->h, "td", "\xe2\x80\x93", "class", "n", NULL);
	else
		html_element(&p->h, "td", html_grouped(p, v), "class", "n", "data-sort",
			html_fmt(&p->h, "%lld", (long long)v), NULL);
}

void html_cell(struct page *p, const char *text)
{
	/* Short names stay in one piece: a break at a hyphen of eni-0aaa... helps nobody. */
	html_element(&p->h, "td", text, "class", text && strlen(text) <= 28 ? "t" : NULL, NULL);
}

void html_time_cell(struct page *p, int64_t t_ns)
{
	char buf[NSEC_TEXT_SIZE];

	if (t_ns == DB_NONE) {
		html_cell(p, "");
		return;
	}
	(void)nsec_format(t_ns, buf);
	html_element(&p->h, "td", html_fmt(&p->h, "%.10s %.12s", buf, buf + 11), "class", "t",
		"data-sort", html_fmt(&p->h, "%lld", (long long)t_ns), "title", buf, NULL);
}

void html_path_cell(struct page *p, const char *path)
{
	const char *base = path ? strrchr(path, '/') : NULL;

	html_element(&p->h, "td", base ? base + 1 : path, "class", "file", "title", path, NULL);
}

static int html_by_loss(const void *pa, const void *pb)
{
	const struct report_leg *a = *(const struct report_leg *const *)pa,
				*b = *(const struct report_leg *const *)pb;
	int64_t gone_a = a->lost + a->misaddressed, gone_b = b->lost + b->misaddressed;

	if (gone_a != gone_b)
		return gone_a > gone_b ? -1 : 1;
	if (a->sent != b->sent)
		return a->sent > b->sent ? -1 : 1;
	return a < b ? -1 : a > b; /* in the order of the model */
}

const struct report_leg **html_legs_by_loss(const struct report *r)
{
	const struct report_leg **legs = mem_array((size_t)r->leg_count + 1, sizeof(*legs));

	for (int i = 0; i < r->leg_count; i++)
		legs[i] = &r->legs[i];
	if (r->leg_count)
		qsort(legs, (size_t)r->leg_count, sizeof(*legs), html_by_loss);
	return legs;
}
