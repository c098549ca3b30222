#include "flowlog/format/aws_rows.h"

#include "base/strbuf.h"
#include "flowlog/format/elements.h"
#include "flowlog/format/json.h"

/* A value as text in quotes. False: it has no place in a line. */
static bool aws_rows_put_value(struct strbuf *line, const json_t *value)
{
	int64_t number;

	strbuf_addc(line, '"');
	if (json_is_string(value)) {
		if (memchr(json_string_value(value), '"', json_string_length(value)))
			return false;
		strbuf_add(line, json_string_value(value), json_string_length(value));
	} else if (json_number_of(value, &number)) {
		strbuf_printf(line, "%lld", (long long)number);
	} else if (!json_is_null(value)) {
		return false;
	}
	strbuf_addc(line, '"');
	return true;
}

/* The members of an object as a header and a line. False: a value is none that a column has. */
static bool aws_rows_put_object(json_t *object, struct strbuf *names, struct strbuf *line)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (json_is_object(value) || json_is_array(value))
			continue;
		if (names->length) {
			strbuf_addc(names, ',');
			strbuf_addc(line, ',');
		}
		strbuf_add(names, name, strlen(name));
		if (!aws_rows_put_value(line, value))
			return false;
	}
	return true;
}

void aws_rows_read(struct source *s, struct aws_reader *aws, struct flowlog_sink *sink)
{
	struct strbuf names CLEANUP_STRBUF = STRBUF_INIT, line CLEANUP_STRBUF = STRBUF_INIT;
	struct elements e;
	const char *text;
	size_t n;

	elements_init(&e, s, sink);
	while (elements_next(&e, &text, &n)) {
		json_t *object = json_object_of(text, n);

		strbuf_reset(&names);
		strbuf_reset(&line);
		if (!object)
			flowlog_malformed(sink, e.number, "not valid JSON", text, n);
		else if (!aws_rows_put_object(object, &names, &line))
			flowlog_malformed(sink, e.number, "a value that no column has", text, n);
		else
			aws_row(aws, e.number, &(struct flowlog_text){names.text, names.length},
				&(struct flowlog_text){line.text, line.length});
		json_decref(object);
	}
}
