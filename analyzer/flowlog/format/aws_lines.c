#include "flowlog/format/aws_lines.h"

/* Skips a line that is too long, to its newline or the end. */
static void lines_skip_long(struct source *s, struct flowlog_sink *sink, uint64_t number)
{
	char start[64];
	size_t shown = s->window.left < sizeof(start) ? s->window.left : sizeof(start);

	memcpy(start, s->window.at, shown);
	flowlog_malformed(sink, number, "a line longer than 64 KiB", start, shown);
	while (source_need(s, 1)) {
		const uint8_t *nl = memchr(s->window.at, '\n', s->window.left);

		if (nl) {
			(void)cur_take(&s->window, (size_t)(nl - s->window.at) + 1);
			return;
		}
		(void)cur_take(&s->window, s->window.left);
	}
}

static bool lines_is_test_object(const char *text, size_t n)
{
	/* What an export task writes to see whether it may. */
	static const char check[] = "Permission Check Successful";

	return n >= sizeof(check) - 1 && !memcmp(text, check, sizeof(check) - 1);
}

static void lines_one_line(struct aws_reader *aws, struct flowlog_sink *sink, uint64_t number,
	const uint8_t *text, size_t n)
{
	if (number == 1 && n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		n -= 3;
	}
	if (number == 1 && lines_is_test_object((const char *)text, n))
		sink->account[FLOWLOG_LINE_CONTROL]++;
	else
		aws_line(aws, number, (const char *)text, n, NULL);
}

/* The bytes after the last newline. */
static void lines_last_line(
	struct source *s, struct aws_reader *aws, struct flowlog_sink *sink, uint64_t number)
{
	if (s->failure)
		flowlog_malformed(sink, number, "the file ends within this line", s->window.at,
			s->window.left);
	else
		lines_one_line(aws, sink, number, s->window.at, s->window.left);
	(void)cur_take(&s->window, s->window.left);
}

void lines_read(struct source *s, struct aws_reader *aws, struct flowlog_sink *sink)
{
	uint64_t number = 1;
	size_t searched = 0; /* of the window, without a newline */

	while (source_need(s, searched + 1) > searched) {
		const uint8_t *nl =
			memchr(s->window.at + searched, '\n', s->window.left - searched);

		if (nl) {
			size_t n = (size_t)(nl - s->window.at);

			lines_one_line(aws, sink, number++, s->window.at, n);
			(void)cur_take(&s->window, n + 1);
			searched = 0;
		} else if (s->window.left > LINES_MAX) {
			lines_skip_long(s, sink, number++);
			searched = 0;
		} else {
			searched = s->window.left;
		}
	}
	if (s->window.left)
		lines_last_line(s, aws, sink, number);
}
