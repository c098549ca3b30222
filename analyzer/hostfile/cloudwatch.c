#include "hostfile/cloudwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "hostfile/counters.h"

#define POINTS_MAX 100000u
#define TIME_MAX_NS (INT64_C(4102444800) * NSEC_PER_SEC) /* the year 2100 */

struct cloudwatch_point {
	int64_t from_ns;
	double amount;
};

bool cloudwatch_recognise(const struct hostfile_head *head)
{
	return head->bytes[0] == '{' && (strstr(head->bytes, "\"Datapoints\"") ||
						strstr(head->bytes, "\"MetricDataResults\""));
}

/* An exact sum where there is one; else at least the average of the samples, or the largest. */
static bool cloudwatch_amount(json_t *point, double *ret_amount)
{
	json_t *sum = json_object_get(point, "Sum"), *average = json_object_get(point, "Average"),
	       *samples = json_object_get(point, "SampleCount"),
	       *maximum = json_object_get(point, "Maximum");

	if (json_is_number(sum))
		*ret_amount = json_number_value(sum);
	else if (json_is_number(average) && json_is_number(samples))
		*ret_amount = json_number_value(average) * json_number_value(samples);
	else if (json_is_number(average))
		*ret_amount = json_number_value(average);
	else if (json_is_number(maximum))
		*ret_amount = json_number_value(maximum);
	else
		return false;
	return true;
}

static int cloudwatch_compare(const void *a, const void *b)
{
	const struct cloudwatch_point *x = a, *y = b;

	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

/* The points of one metric, in any order. */
static void cloudwatch_put(struct collection *c, uint64_t record, const char *label,
	struct cloudwatch_point *points, size_t count)
{
	char name[128];
	int64_t period = 0;

	if (count < 2 || !label || strlen(label) > 100)
		return;
	qsort(points, count, sizeof(*points), cloudwatch_compare);
	for (size_t i = 1; i < count; i++) {
		int64_t distance = points[i].from_ns - points[i - 1].from_ns;

		if (distance > 0 && (!period || distance < period))
			period = distance;
	}
	(void)snprintf(name, sizeof(name), "cloud.%s", label);
	for (size_t i = 0; i < count && period; i++) {
		const struct stamp end = {.kind = STAMP_ABSOLUTE, .ns = points[i].from_ns + period};

		counters_counted(c, record, &end, period, NULL, name, points[i].amount);
	}
}

static bool cloudwatch_time(json_t *text, int64_t *ret_ns)
{
	return json_is_string(text) && nsec_parse(json_string_value(text), ret_ns) &&
	       *ret_ns >= 0 && *ret_ns < TIME_MAX_NS;
}

static void cloudwatch_statistics(struct collection *c, json_t *all)
{
	json_t *list = json_object_get(all, "Datapoints"), *point;
	size_t n = json_array_size(list), count = 0, i;
	struct cloudwatch_point *points CLEANUP_FREE = NULL;

	n = n < POINTS_MAX ? n : POINTS_MAX;
	points = mem_alloc((n + 1) * sizeof(*points));
	json_array_foreach(list, i, point)
	{
		if (count == n)
			break;
		if (cloudwatch_time(json_object_get(point, "Timestamp"), &points[count].from_ns) &&
			cloudwatch_amount(point, &points[count].amount))
			count++;
		else
			c->file->malformed++;
	}
	cloudwatch_put(c, 1, json_string_value(json_object_get(all, "Label")), points, count);
}

static void cloudwatch_data(struct collection *c, uint64_t record, json_t *result)
{
	json_t *times = json_object_get(result, "Timestamps"),
	       *values = json_object_get(result, "Values"), *time;
	size_t n = json_array_size(times), count = 0, i;
	struct cloudwatch_point *points CLEANUP_FREE = NULL;

	n = n < POINTS_MAX ? n : POINTS_MAX;
	points = mem_alloc((n + 1) * sizeof(*points));
	json_array_foreach(times, i, time)
	{
		json_t *value = json_array_get(values, i);

		if (count == n)
			break;
		if (json_is_number(value) && cloudwatch_time(time, &points[count].from_ns))
			points[count++].amount = json_number_value(value);
		else
			c->file->malformed++;
	}
	cloudwatch_put(
		c, record, json_string_value(json_object_get(result, "Label")), points, count);
}

void cloudwatch_parse(struct reader *r, struct collection *c)
{
	size_t size, i;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *all = text ? json_loadb(text, size, 0, NULL) : NULL, *result;

	if (!all)
		c->file->damaged = mem_strdup(text ? "no JSON, or cut" : "more than 32 MiB");
	if (json_object_get(all, "Datapoints"))
		cloudwatch_statistics(c, all);
	json_array_foreach(json_object_get(all, "MetricDataResults"), i, result)
		cloudwatch_data(c, i + 1, result);
	json_decref(all);
}
