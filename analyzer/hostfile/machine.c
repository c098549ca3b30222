#include "hostfile/machine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nsec.h"

static bool machine_begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The value behind "NAME:" or "NAME=" of an indented line, or NULL. */
static const char *machine_value(const char *line, const char *name, char separator)
{
	size_t n = strlen(name);

	line += strspn(line, " \t");
	if (strncmp(line, name, n) != 0)
		return NULL;
	line += n + strspn(line + n, " \t");
	return *line == separator ? line + 1 + strspn(line + 1, " \t") : NULL;
}

/* "Linux db1 4.9.0-4-amd64 #1 SMP Debian 4.9.65-3 (2017-12-03) x86_64 GNU/Linux" */
bool machine_uname_recognise(const struct hostfile_head *head)
{
	const char *end = head->bytes + strcspn(head->bytes, "\n"),
		   *mark = strstr(head->bytes, " #");

	return machine_begins(head->bytes, "Linux ") && mark && mark < end &&
	       !machine_begins(head->bytes, "Linux version ");
}

void machine_uname_parse(struct reader *r, struct collection *c)
{
	char name[256], release[128], *line, *build;
	size_t size;

	if (!reader_line(r, &line, &size) || sscanf(line, "Linux %255s %127s", name, release) != 2)
		return;
	build = strstr(line, " #");
	collection_state(c, r->line, name, "host.name");
	collection_state(c, r->line, release, "host.kernel");
	if (build)
		collection_state(c, r->line, build + 1, "host.kernel_build");
}

bool machine_os_recognise(const struct hostfile_head *head)
{
	return (machine_begins(head->bytes, "PRETTY_NAME=") ||
		       strstr(head->bytes, "\nPRETTY_NAME=")) &&
	       strstr(head->bytes, "NAME=") && strstr(head->bytes, "ID=");
}

void machine_os_parse(struct reader *r, struct collection *c)
{
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		char *value = machine_begins(line, "PRETTY_NAME=") ? line + 12 : NULL;

		if (!value)
			continue;
		value += *value == '"';
		value[strcspn(value, "\"")] = '\0';
		collection_state(c, r->line, value, "host.os");
	}
}

bool machine_dmidecode_recognise(const struct hostfile_head *head)
{
	return machine_begins(head->bytes, "# dmidecode ");
}

/* Only a Xen guest has Xen for its maker, and its BIOS has the hypervisor's version. */
static void machine_finish_dmi(
	struct collection *c, uint64_t line, const char *vendor, const char *bios)
{
	if (strcmp(vendor, "Xen") != 0)
		return;
	collection_state(c, line, "xen", "hypervisor.type");
	if (isdigit((unsigned char)*bios))
		collection_state(c, line, bios, "hypervisor.version");
}

void machine_dmidecode_parse(struct reader *r, struct collection *c)
{
	static const char *const names[][3] = {{"BIOS Information", "Vendor", "bios_vendor"},
		{"BIOS Information", "Version", "bios_version"},
		{"System Information", "Manufacturer", "sys_vendor"},
		{"System Information", "Product Name", "product_name"},
		{"System Information", "Version", "product_version"},
		{"Base Board Information", "Product Name", "board_name"},
		{"Chassis Information", "Asset Tag", "chassis_asset_tag"}};
	char section[64] = "", vendor[64] = "", bios[64] = "", *line;
	uint64_t vendor_line = 0;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (*line && *line != '\t' && *line != ' ')
			(void)snprintf(section, sizeof(section), "%.63s", line);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			const char *value = *line == '\t' && strcmp(section, names[i][0]) == 0
						    ? machine_value(line, names[i][1], ':')
						    : NULL;

			if (!value || !*value)
				continue;
			collection_state(c, r->line, value, "dmi.%s", names[i][2]);
			if (strcmp(names[i][2], "sys_vendor") == 0) {
				(void)snprintf(vendor, sizeof(vendor), "%.63s", value);
				vendor_line = r->line;
			}
			if (strcmp(names[i][2], "bios_version") == 0)
				(void)snprintf(bios, sizeof(bios), "%.63s", value);
		}
	}
	machine_finish_dmi(c, vendor_line, vendor, bios);
}

bool machine_modules_recognise(const struct hostfile_head *head)
{
	char name[64], state[16];
	unsigned long long size, used;

	if (machine_begins(head->bytes, "Module  ") && strstr(head->bytes, "Used by"))
		return true;
	return sscanf(head->bytes, "%63s %llu %llu %*s %15s 0x", name, &size, &used, state) == 4 &&
	       (strcmp(state, "Live") == 0 || strcmp(state, "Loading") == 0);
}

/* A listing of modules without vhost_net says that it is not loaded as one; facts.md has 0 for
 * that. */
void machine_modules_parse(struct reader *r, struct collection *c)
{
	bool vhost_net = false;
	uint64_t at = 0;
	char *line;
	size_t size;

	while (reader_line(r, &line, &size))
		if (machine_begins(line, "vhost_net ")) {
			vhost_net = true;
			at = r->line;
		}
	collection_state(c, at, vhost_net ? "1" : "0", "vhost_net.loaded");
}

bool machine_modinfo_recognise(const struct hostfile_head *head)
{
	return machine_begins(head->bytes, "filename:  ") && strstr(head->bytes, ".ko");
}

void machine_modinfo_parse(struct reader *r, struct collection *c)
{
	char name[64] = "", word[200], *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		const char *file = machine_value(line, "filename", ':');
		const char *version = machine_value(line, "version", ':');
		const char *base = file ? strrchr(file, '/') : NULL;

		if (base)
			(void)snprintf(name, sizeof(name), "%.*s",
				(int)(strcspn(base + 1, ".") < 63 ? strcspn(base + 1, ".") : 63),
				base + 1);
		/* modules are named with _, whatever their files are */
		for (char *p = name; base && *p; p++)
			if (*p == '-')
				*p = '_';
		if (version && name[0])
			collection_state(c, r->line, version, "module.%s.version",
				collection_word(word, sizeof(word), name));
	}
}

/* A file of one line, or little more, that is a date. */
bool machine_date_recognise(const struct hostfile_head *head)
{
	struct stamp at;
	size_t n = stamp_take(head->bytes, &at);

	return n && isupper((unsigned char)head->bytes[0]) &&
	       (at.kind == STAMP_ABSOLUTE || at.kind == STAMP_LOCAL) &&
	       (head->bytes[n] == '\n' || !head->bytes[n]);
}

void machine_date_parse(struct reader *r, struct collection *c)
{
	struct stamp at;
	char *line;
	size_t size;

	if (!reader_line(r, &line, &size) || !stamp_take(line, &at))
		return;
	collection_taken(c, &at);
	if (strstr(line, " UTC"))
		collection_zone(c, "UTC");
}

bool machine_timedatectl_recognise(const struct hostfile_head *head)
{
	return strstr(head->bytes, "Local time: ") && strstr(head->bytes, "Universal time: ");
}

void machine_timedatectl_parse(struct reader *r, struct collection *c)
{
	char *line, name[64];
	size_t size;

	while (reader_line(r, &line, &size)) {
		const char *zone = machine_value(line, "Time zone", ':');
		const char *now = machine_value(line, "Universal time", ':');
		struct stamp at;

		if (zone && sscanf(zone, "%63s", name) == 1)
			collection_zone(c, name);
		if (now && stamp_take(now, &at))
			collection_taken(c, &at);
	}
}

bool machine_qemu_default_recognise(const struct hostfile_head *head)
{
	return machine_begins(head->bytes, "VHOST_NET_ENABLED=") ||
	       strstr(head->bytes, "\nVHOST_NET_ENABLED=");
}

/* The last such line applies, as in a shell. */
void machine_qemu_default_parse(struct reader *r, struct collection *c)
{
	char value = 0, *line, text[2] = "";
	uint64_t at = 0;
	size_t size;

	while (reader_line(r, &line, &size)) {
		line += strspn(line, " \t");
		if (!machine_begins(line, "VHOST_NET_ENABLED="))
			continue;
		line += 18;
		value = line[strspn(line, "\"' ")];
		at = r->line;
	}
	text[0] = value;
	if (value == '0' || value == '1')
		collection_state(c, at, text, "vhost_net.enabled_in_config");
}

bool machine_collect_recognise(const struct hostfile_head *head)
{
	return machine_begins(head->bytes, "bothends collect ");
}

void machine_collect_parse(struct reader *r, struct collection *c)
{
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		const char *host = machine_value(line, "host", ':');
		const char *started = machine_value(line, "started", ':');
		long long seconds = started ? atoll(started) : 0;
		struct stamp at = {.kind = STAMP_ABSOLUTE};

		if (host && *host)
			collection_state(c, r->line, host, "host.name");
		if (seconds <= 0 || seconds > 4102444800)
			continue;
		at.ns = seconds * NSEC_PER_SEC;
		collection_taken(c, &at);
	}
	/* it lists every guest and every thread of vhost_net, and no other process */
	collection_keep(c, 1, "processes-that-matter", "1");
}
