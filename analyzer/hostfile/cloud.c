#include "hostfile/cloud.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "hostfile/log.h"

bool cloud_console_recognise(const struct hostfile_head *head)
{
	return *head->bytes == '{' &&
	       ((strstr(head->bytes, "\"InstanceId\"") && strstr(head->bytes, "\"Output\"")) ||
		       (strstr(head->bytes, "\"contents\"") &&
			       (strstr(head->bytes, "serialPort") ||
				       strstr(head->bytes, "[    0.000000]"))));
}

/* A text as a reader_pull. */
struct cloud_text {
	const char *at;
	size_t left;
};

static size_t cloud_pull(void *from, char *to, size_t size)
{
	struct cloud_text *t = from;
	size_t n = t->left < size ? t->left : size;

	memcpy(to, t->at, n);
	t->at += n;
	t->left -= n;
	return n;
}

static int cloud_base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* The API gives the console in base64; most command lines have undone it. */
static bool cloud_undo_base64(const char *text, struct strbuf *out)
{
	unsigned bits = 0;
	int have = 0;

	for (; *text && *text != '='; text++) {
		int v = cloud_base64_value(*text);

		if (v < 0 && !isspace((unsigned char)*text))
			return false;
		if (v < 0)
			continue;
		bits = (bits << 6 | (unsigned)v) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			strbuf_addc(out, (char)(bits >> have & 0xff));
		}
	}
	return out->length > 0;
}

void cloud_console_parse(struct reader *r, struct collection *c)
{
	struct strbuf decoded CLEANUP_STRBUF = STRBUF_INIT;
	size_t size;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *root = text ? json_loadb(text, size, JSON_ALLOW_NUL, NULL) : NULL;
	const char *output = json_string_value(json_object_get(root, "Output"));
	struct cloud_text content;
	struct reader lines;

	if (!output)
		output = json_string_value(json_object_get(root, "contents"));
	if (!output) {
		c->file->malformed++;
		json_decref(root);
		return;
	}
	if (!strchr(output, '[') && cloud_undo_base64(output, &decoded))
		output = decoded.text;
	content = (struct cloud_text){output, strlen(output)};
	reader_init(&lines, cloud_pull, &content);
	log_console_parse(&lines, c);
	r->line = lines.line;
	r->cut += lines.cut;
	reader_release(&lines);
	json_decref(root);
}

bool cloud_instances_recognise(const struct hostfile_head *head)
{
	return (*head->bytes == '{' || *head->bytes == '[') &&
	       strstr(head->bytes, "\"InstanceId\"") && strstr(head->bytes, "\"InstanceType\"");
}

static void cloud_put(struct collection *c, uint64_t number, const json_t *object, const char *name,
	const char *key)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value) && *json_string_value(value))
		collection_state(c, number, json_string_value(value), "%s", key);
	else if (json_is_boolean(value))
		collection_state(c, number, json_is_true(value) ? "1" : "0", "%s", key);
}

static void cloud_put_interface(struct collection *c, uint64_t number, const json_t *interface)
{
	const char *id = json_string_value(json_object_get(interface, "NetworkInterfaceId"));
	const char *mac = json_string_value(json_object_get(interface, "MacAddress"));
	const json_t *addresses = json_object_get(interface, "PrivateIpAddresses");
	struct strbuf list CLEANUP_STRBUF = STRBUF_INIT;
	char word[200];

	if (!id)
		return;
	(void)collection_word(word, sizeof(word), id);
	if (mac)
		collection_state(c, number, mac, "nic.%s.mac", word);
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const char *ip = json_string_value(
			json_object_get(json_array_get(addresses, i), "PrivateIpAddress"));

		if (ip)
			strbuf_printf(&list, "%s%s", list.length ? " " : "", ip);
	}
	if (list.length)
		collection_state(c, number, list.text, "nic.%s.addresses", word);
}

static void cloud_put_instance(struct collection *c, uint64_t number, const json_t *instance)
{
	static const char *const names[][2] = {{"InstanceId", "cloud.instance_id"},
		{"InstanceType", "cloud.instance_type"}, {"ImageId", "cloud.image_id"},
		{"LaunchTime", "cloud.launched"}, {"EnaSupport", "cloud.ena_support"},
		{"SriovNetSupport", "cloud.sriov_net_support"}};
	const json_t *interfaces = json_object_get(instance, "NetworkInterfaces");

	/* Hypervisor is "xen" for all of them, whatever they run on. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cloud_put(c, number, instance, names[i][0], names[i][1]);
	cloud_put(c, number, json_object_get(instance, "Placement"), "AvailabilityZone",
		"cloud.zone");
	for (size_t i = 0; i < json_array_size(interfaces); i++)
		cloud_put_interface(c, number, json_array_get(interfaces, i));
}

static size_t cloud_count_instances(const json_t *instances, const json_t **ret_last)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(instances); i++)
		if (json_object_get(json_array_get(instances, i), "InstanceId")) {
			*ret_last = json_array_get(instances, i);
			n++;
		}
	return n;
}

/* A description of several instances does not say which one the host is. */
void cloud_instances_parse(struct reader *r, struct collection *c)
{
	size_t size, n = 0;
	char *text CLEANUP_FREE = reader_whole(r, &size);
	json_t *root = text ? json_loadb(text, size, JSON_ALLOW_NUL, NULL) : NULL;
	const json_t *groups = json_object_get(root, "Reservations"), *instance = NULL;

	if (!groups)
		n = cloud_count_instances(root, &instance);
	for (size_t i = 0; i < json_array_size(groups); i++)
		n += cloud_count_instances(
			json_object_get(json_array_get(groups, i), "Instances"), &instance);
	r->line = n;
	if (n == 1)
		cloud_put_instance(c, 1, instance);
	else
		c->file->malformed += n ? n : 1;
	json_decref(root);
}
