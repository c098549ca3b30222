#include "flowlog/format/json.h"

#include <math.h>

#include "flowlog/format/value.h"

json_t *json_object_of(const char *text, size_t n)
{
	json_t *value = json_loadb(text, n, JSON_ALLOW_NUL, NULL);

	if (value && !json_is_object(value)) {
		json_decref(value);
		return NULL;
	}
	return value;
}

struct flowlog_text json_text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		return (struct flowlog_text){0};
	return (struct flowlog_text){json_string_value(value), json_string_length(value)};
}

bool json_number_of(const json_t *value, int64_t *ret)
{
	double d;

	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return *ret >= 0;
	}
	if (json_is_string(value))
		return value_number(json_string_value(value), json_string_length(value), ret);
	if (!json_is_real(value))
		return false;
	d = json_real_value(value);
	if (!(d >= 0 && d < 9e15) || d != floor(d))
		return false;
	*ret = (int64_t)d;
	return true;
}
