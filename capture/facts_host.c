/* Names, kernel, hypervisor and DMI: facts that do not change while the host runs. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/nsec.h"
#include "collector.h"

static void facts_host_put_line(struct host *h, const char *path, const char *key)
{
	char line[ROOTFS_LINE_SIZE];

	if (rootfs_line(&h->root, line, "%s", path))
		fact_put(h->facts, line, "%s", key);
}

static void facts_host_os_release(struct host *h)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *end;

	if (!rootfs_read(&h->root, "etc/os-release", 16384, &text))
		return;
	line = strstr(text.text, "PRETTY_NAME=");
	if (!line)
		return;
	line += strlen("PRETTY_NAME=");
	line += *line == '"';
	end = line + strcspn(line, "\"\n");
	*end = '\0';
	fact_put(h->facts, line, "host.os");
}

/* Masks words that look like secrets: captures are given to other people. */
static void facts_host_command_line(struct host *h)
{
	static const char *const secret[] = {"pass", "secret", "key", "token"};
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT, out CLEANUP_STRBUF = STRBUF_INIT;
	char *word, *save = NULL, *value;
	size_t i;

	if (!rootfs_read(&h->root, "proc/cmdline", 4096, &text))
		return;
	for (word = strtok_r(text.text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		value = strchr(word, '=');
		for (i = 0; value && i < sizeof(secret) / sizeof(*secret); i++) {
			char *found = strcasestr(word, secret[i]);

			if (found && found < value)
				strcpy(value, value[1] ? "=*" : "=");
		}
		strbuf_printf(&out, "%s%s", out.length ? " " : "", word);
	}
	fact_put(h->facts, out.text ? out.text : "", "host.cmdline");
}

static void facts_host_boot_time(struct host *h)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	unsigned cpus = 0;
	char *line;

	if (!rootfs_read(&h->root, "proc/stat", 1 << 20, &text))
		return;
	for (line = strstr(text.text, "\ncpu"); line; line = strstr(line + 1, "\ncpu"))
		cpus++;
	line = strstr(text.text, "\nbtime ");
	if (cpus)
		fact_put_u64(h->facts, cpus, "host.cpus");
	if (!line)
		return;
	h->boot_ns = strtoull(line + 7, NULL, 10) * (uint64_t)NSEC_PER_SEC;
	fact_put_u64(h->facts, h->boot_ns, "host.boot_ns");
}

static void facts_host_dmi(struct host *h)
{
	static const char *const names[] = {"sys_vendor", "product_name", "product_version",
		"bios_vendor", "bios_version", "board_name", "chassis_asset_tag"};
	char line[ROOTFS_LINE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (rootfs_line(&h->root, line, "sys/class/dmi/id/%s", names[i]))
			fact_put(h->facts, line, "dmi.%s", names[i]);
	}
}

/* From the DMI vendor: only Xen fills /sys/hypervisor. */
static const char *facts_host_type_from_dmi(struct host *h)
{
	static const struct {
		const char *vendor, *type;
	} vendors[] = {
		{"Amazon EC2", "kvm"},
		{"QEMU", "kvm"},
		{"Google", "kvm"},
		{"OpenStack", "kvm"},
		{"Red Hat", "kvm"},
		{"KVM", "kvm"},
		{"VMware", "vmware"},
		{"Microsoft", "microsoft"},
		{"innotek", "oracle"},
		{"Xen", "xen"},
	};
	char vendor[ROOTFS_LINE_SIZE];
	size_t i;

	if (!rootfs_line(&h->root, vendor, "sys/class/dmi/id/sys_vendor"))
		return NULL;
	for (i = 0; i < sizeof(vendors) / sizeof(*vendors); i++) {
		if (!strncasecmp(vendor, vendors[i].vendor, strlen(vendors[i].vendor)))
			return vendors[i].type;
	}
	return NULL;
}

static void facts_host_hypervisor_type(struct host *h)
{
	struct strbuf cpus CLEANUP_STRBUF = STRBUF_INIT;
	char line[ROOTFS_LINE_SIZE];
	const char *type;
	bool guest;

	if (rootfs_line(&h->root, line, "sys/hypervisor/type")) {
		fact_put(h->facts, line, "hypervisor.type");
		return;
	}
	if (!rootfs_read(&h->root, "proc/cpuinfo", 65536, &cpus))
		return;
	/* Bare-metal cloud hosts have the vendor's DMI too: the CPU flag decides (x86 only). */
	guest = strstr(cpus.text, " hypervisor") != NULL;
	if (!guest && !strstr(cpus.text, "flags\t"))
		return;
	type = guest ? facts_host_type_from_dmi(h) : "none";
	fact_put(h->facts, type ? type : "other", "hypervisor.type");
}

static void facts_host_hypervisor_version(struct host *h)
{
	char major[ROOTFS_LINE_SIZE], minor[ROOTFS_LINE_SIZE], extra[ROOTFS_LINE_SIZE];
	char version[3 * ROOTFS_LINE_SIZE];

	if (!rootfs_line(&h->root, major, "sys/hypervisor/version/major") ||
		!rootfs_line(&h->root, minor, "sys/hypervisor/version/minor"))
		return;
	if (!rootfs_line(&h->root, extra, "sys/hypervisor/version/extra"))
		extra[0] = '\0'; /* the text starts with a dot: ".amazon" */
	snprintf(version, sizeof(version), "%s.%s%s", major, minor, extra);
	fact_put(h->facts, version, "hypervisor.version");
}

void facts_host_start(struct host *h)
{
	/* Outside a round: never forgotten. */
	facts_host_put_line(h, "proc/sys/kernel/hostname", "host.name");
	facts_host_put_line(h, "proc/sys/kernel/random/boot_id", "host.boot_id");
	facts_host_put_line(h, "etc/machine-id", "host.machine_id");
	facts_host_put_line(h, "proc/sys/kernel/osrelease", "host.kernel");
	facts_host_put_line(h, "proc/sys/kernel/version", "host.kernel_build");
	facts_host_put_line(h, "sys/hypervisor/uuid", "hypervisor.uuid");
	facts_host_put_line(h, "sys/devices/system/clocksource/clocksource0/current_clocksource",
		"clock.source");
	facts_host_os_release(h);
	facts_host_command_line(h);
	facts_host_boot_time(h);
	facts_host_dmi(h);
	facts_host_hypervisor_type(h);
	facts_host_hypervisor_version(h);
}

void facts_host_uptime(struct host *h)
{
	uint64_t whole;
	char line[ROOTFS_LINE_SIZE];

	if (!rootfs_line(&h->root, line, "proc/uptime"))
		return;
	whole = strtoull(line, NULL, 10);
	fact_put_u64(h->facts, whole, "host.uptime_s");
}
