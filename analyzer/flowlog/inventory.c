#include "flowlog/inventory.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flowlog/format/json.h"
#include "flowlog/format/value.h"
#include "flowlog/rows.h"

#define LIST_MAX (256 << 20) /* bytes of a list */

/* An address and whose it is; NULL where the list does not say. */
struct entry {
	char *ip, *interface, *label, *name, *instance, *subnet, *zone;
};

struct inventory {
	struct entry *list;
	size_t count, cap;
};

static void inventory_release(struct inventory *v)
{
	for (size_t i = 0; i < v->count; i++) {
		struct entry *e = &v->list[i];

		free(e->ip);
		free(e->interface);
		free(e->label);
		free(e->name);
		free(e->instance);
		free(e->subnet);
		free(e->zone);
	}
	free(v->list);
}

/* A string member; NULL: none, or empty. */
static const char *inventory_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : NULL;
}

/* The last part of a resource's path: ".../zones/europe-west1-b". */
static const char *inventory_last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

static char *inventory_copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

/* What one interface has in common for all of its addresses. */
struct described {
	const char *interface, *name, *instance, *subnet, *zone;
};

static void inventory_add(struct inventory *v, const char *address, const struct described *d)
{
	char buffer[VALUE_IP_TEXT], text[INET6_ADDRSTRLEN];
	struct flowlog_ip ip;
	struct entry *e;
	const char *label = d->name ? d->name : d->instance ? d->instance : d->interface;

	if (!address || !label || !value_ip(address, strlen(address), buffer, &ip))
		return;
	MEM_RESERVE(v->list, v->count, v->cap);
	e = &v->list[v->count++];
	*e = (struct entry){.ip = mem_strdup(flowlog_ip_text(ip.bytes, text)),
		.interface = inventory_copy(d->interface),
		.label = mem_strdup(label),
		.name = inventory_copy(d->name),
		.instance = inventory_copy(d->instance),
		.subnet = inventory_copy(d->subnet),
		.zone = inventory_copy(d->zone)};
}

/* The addresses in a list of objects, under any of the names that they have. */
static void inventory_add_all(struct inventory *v, const json_t *list, const struct described *d)
{
	static const char *const keys[] = {"PrivateIpAddress", "Ipv6Address", "networkIP",
		"ipv6Address", "privateIPAddress", "privateIpAddress"};
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			inventory_add(v, inventory_text(item, keys[k]), d);
	}
}

/* The tag "Name". */
static const char *inventory_aws_name(const json_t *interface)
{
	const json_t *tag;
	size_t i;

	json_array_foreach(json_object_get(interface, "TagSet"), i, tag)
	{
		const char *key = inventory_text(tag, "Key");

		if (key && !strcmp(key, "Name"))
			return inventory_text(tag, "Value");
	}
	/* Of what the cloud runs itself: "ELB app/web/50dc6c495c0c9188". */
	return json_object_get(json_object_get(interface, "Attachment"), "InstanceId")
		       ? NULL
		       : inventory_text(interface, "Description");
}

static void inventory_take_aws(struct inventory *v, const json_t *i)
{
	const struct described d = {.interface = inventory_text(i, "NetworkInterfaceId"),
		.name = inventory_aws_name(i),
		.instance = inventory_text(json_object_get(i, "Attachment"), "InstanceId"),
		.subnet = inventory_text(i, "SubnetId"),
		.zone = inventory_text(i, "AvailabilityZone")};

	inventory_add_all(v, json_object_get(i, "PrivateIpAddresses"), &d);
	inventory_add_all(v, json_object_get(i, "Ipv6Addresses"), &d);
}

static void inventory_take_gcp(struct inventory *v, const json_t *instance)
{
	const json_t *interfaces = json_object_get(instance, "networkInterfaces"), *i;
	const char *name = inventory_text(instance, "name");
	size_t at;

	json_array_foreach(interfaces, at, i)
	{
		const struct described d = {.interface = name,
			.name = name,
			.instance = name,
			.subnet = inventory_last_part(inventory_text(i, "subnetwork")),
			.zone = inventory_last_part(inventory_text(instance, "zone"))};

		inventory_add(v, inventory_text(i, "networkIP"), &d);
		inventory_add(v, inventory_text(i, "ipv6Address"), &d);
	}
}

/* "00-0D-3A-92-6A-7C" as flow logs of ours name it: 00:0d:3a:92:6a:7c. */
static void inventory_mac(const char *text, char ret[18])
{
	size_t n = 0;

	for (; text && *text && n < 17; text++)
		ret[n++] = *text == '-' ? ':' : (char)tolower((unsigned char)*text);
	ret[n] = 0;
}

static void inventory_take_azure(struct inventory *v, const json_t *nic)
{
	const json_t *list = json_object_get(nic, "ipConfigurations"), *c;
	const json_t *machine = json_object_get(nic, "virtualMachine");
	const char *tag = inventory_text(json_object_get(nic, "tags"), "Name");
	char mac[18];
	size_t i;

	inventory_mac(inventory_text(nic, "macAddress"), mac);
	json_array_foreach(list, i, c)
	{
		const json_t *subnet = json_object_get(c, "subnet");
		const char *instance = inventory_last_part(inventory_text(machine, "id"));
		const struct described d = {.interface = *mac ? mac : NULL,
			.name = tag	   ? tag
				: instance ? instance
					   : inventory_text(nic, "name"),
			.instance = instance,
			.subnet = inventory_last_part(inventory_text(subnet, "id")),
			.zone = json_string_value(
				json_array_get(json_object_get(nic, "zones"), 0))};

		inventory_add(v, inventory_text(c, "privateIPAddress"), &d);
		inventory_add(v, inventory_text(c, "privateIpAddress"), &d);
	}
}

static void inventory_take_list(struct inventory *v, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (json_object_get(item, "NetworkInterfaceId"))
			inventory_take_aws(v, item);
		else if (json_object_get(item, "networkInterfaces"))
			inventory_take_gcp(v, item);
		else if (json_object_get(item, "ipConfigurations"))
			inventory_take_azure(v, item);
	}
}

static int inventory_read(struct inventory *v, const char *path, struct error *err)
{
	json_error_t problem;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
	size_t before = v->count;

	if (!root)
		return error_set(
			err, -EINVAL, "cannot read the names in '%s': %s", path, problem.text);
	inventory_take_list(
		v, json_is_object(root) ? json_object_get(root, "NetworkInterfaces") : root);
	json_decref(root);
	if (v->count > before)
		return 0;
	return error_set(err, -EINVAL,
		"'%s' names no interface; --names takes the JSON of 'aws ec2 "
		"describe-network-interfaces', 'gcloud compute instances list --format=json' or "
		"'az network nic list'",
		path);
}

static const char *inventory_owner(const struct entry *e)
{
	return e->instance ? e->instance : e->interface ? e->interface : e->ip;
}

static int inventory_by_label(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->label, y->label);

	c = c ? c : strcmp(inventory_owner(x), inventory_owner(y));
	return c ? c : strcmp(x->ip, y->ip);
}

/* A name that several have is told with whose it is. */
static void inventory_tell_apart(struct inventory *v)
{
	size_t to;

	qsort(v->list, v->count, sizeof(*v->list), inventory_by_label);
	for (size_t from = 0; from < v->count; from = to) {
		const char *first = inventory_owner(&v->list[from]);
		bool several = false;

		for (to = from; to < v->count && !strcmp(v->list[to].label, v->list[from].label);
			to++)
			several |= strcmp(inventory_owner(&v->list[to]), first) != 0;
		/* From behind, so that the label that the others are compared with is the last. */
		for (size_t i = to; several && i-- > from;) {
			struct entry *e = &v->list[i];
			char *label = mem_printf("%s %s", e->label, inventory_owner(e));

			free(e->label);
			e->label = label;
		}
	}
}

static void inventory_write(struct db *db, const struct inventory *v)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct entry *e = &v->list[i];
		sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG_NAME);
		const char *texts[] = {
			e->ip, e->interface, e->label, e->name, e->instance, e->subnet, e->zone};

		for (int k = 0; k < 7; k++)
			db_text(s, k + 1, texts[k]);
		db_step(db, s);
	}
}

int flowlog_inventory_store(struct db *db, char *const *paths, int count, struct error *err)
{
	struct inventory v = {0};
	int r = 0;

	for (int i = 0; i < count && r == 0; i++)
		r = inventory_read(&v, paths[i], err);
	if (r == 0 && v.count)
		inventory_tell_apart(&v);
	if (r == 0)
		r = db_run(db, "names", schema_statement_begin, err);
	if (r == 0)
		r = db_run(db, "names", schema_statement_flowlog_forget_names, err);
	if (r == 0) {
		inventory_write(db, &v);
		r = db_failed(db, err);
	}
	if (r == 0)
		r = db_run(db, "names", schema_statement_commit, err);
	inventory_release(&v);
	return r;
}
