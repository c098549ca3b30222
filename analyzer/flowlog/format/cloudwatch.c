#include "flowlog/format/cloudwatch.h"

#include "flowlog/format/elements.h"
#include "flowlog/format/json.h"

/* "eni-...-all" names the interface; other streams name none. */
static struct flowlog_text cloudwatch_stream_interface(struct flowlog_text stream)
{
	size_t n = 4;

	if (stream.length < 5 || memcmp(stream.at, "eni-", 4))
		return (struct flowlog_text){0};
	while (n < stream.length && stream.at[n] != '-')
		n++;
	return (struct flowlog_text){stream.at, n};
}

static void cloudwatch_message(const struct elements *e, const json_t *event,
	struct aws_reader *aws, struct flowlog_sink *sink)
{
	struct flowlog_text text = json_text_of(event, "message");
	struct flowlog_text stream = json_text_of(event, "logStreamName");

	if (!stream.length)
		stream = (struct flowlog_text){e->stream, strlen(e->stream)};
	stream = cloudwatch_stream_interface(stream);
	if (!text.length)
		sink->account[FLOWLOG_LINE_OTHER]++;
	else if (!strcmp(e->message_type, "CONTROL_MESSAGE"))
		sink->account[FLOWLOG_LINE_CONTROL]++;
	else
		aws_line(aws, e->number, text.at, text.length, stream.length ? &stream : NULL);
}

void cloudwatch_read(struct source *s, struct aws_reader *aws, struct flowlog_sink *sink)
{
	struct elements e;
	const char *text;
	size_t n;

	elements_init(&e, s, sink);
	while (elements_next(&e, &text, &n)) {
		json_t *event = json_object_of(text, n);

		if (event)
			cloudwatch_message(&e, event, aws, sink);
		else
			flowlog_malformed(sink, e.number, "not valid JSON", text, n);
		json_decref(event);
	}
}
