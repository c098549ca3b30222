#include "hostfile/kernel.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/kernlog.h"

void kernel_init(struct kernel *k, struct collection *c)
{
	k->c = c;
	k->fact_count = k->driver_count = 0;
}

static void kernel_note(struct kernel *k, uint64_t line, const struct stamp *at, const char *key,
	const char *value, size_t size)
{
	size_t i = 0;

	if (!size)
		return;
	while (i < k->fact_count && strcmp(k->facts[i].key, key) != 0)
		i++;
	if (i == KERNEL_FACTS_MAX)
		return;
	k->fact_count += i == k->fact_count;
	k->facts[i].line = line;
	k->facts[i].at = *at;
	(void)snprintf(k->facts[i].key, sizeof(k->facts[i].key), "%s", key);
	(void)snprintf(k->facts[i].value, sizeof(k->facts[i].value), "%.*s",
		(int)(size < 127 ? size : 127), value);
}

static const char *kernel_after(const char *message, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(message, prefix, n) == 0 ? message + n : NULL;
}

static void kernel_hypervisor(
	struct kernel *k, uint64_t line, const struct stamp *at, const char *name)
{
	static const struct {
		const char *begins, *type;
	} types[] = {{"Xen", "xen"}, {"KVM", "kvm"}, {"VMware", "vmware"},
		{"Microsoft", "microsoft"}, {"MS", "microsoft"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (kernel_after(name, types[i].begins)) {
			kernel_note(k, line, at, "hypervisor.type", types[i].type,
				strlen(types[i].type));
			return;
		}
}

/* "DMI: Xen HVM domU, BIOS 4.2.amazon 08/24/2006": a guest's BIOS is the hypervisor's. */
static void kernel_dmi(struct kernel *k, uint64_t line, const struct stamp *at, const char *text)
{
	const char *bios = strstr(text, ", BIOS "), *vendor_end = strchr(text, ' ');

	if (!bios || !vendor_end || vendor_end > bios)
		return;
	kernel_note(k, line, at, "dmi.bios_version", bios + 7, strcspn(bios + 7, " "));
	if (!kernel_after(text, "Xen HVM domU"))
		return;
	kernel_note(k, line, at, "dmi.sys_vendor", "Xen", 3);
	kernel_note(k, line, at, "dmi.product_name", "HVM domU", 8);
	kernel_note(k, line, at, "hypervisor.type", "xen", 3);
	kernel_note(k, line, at, "hypervisor.version", bios + 7, strcspn(bios + 7, " "));
}

static struct kernel_driver *kernel_driver(struct kernel *k, const char *name, size_t n)
{
	struct kernel_driver *d = k->drivers;

	for (; d < k->drivers + k->driver_count; d++)
		if (strncmp(d->name, name, n) == 0 && !d->name[n])
			return d;
	if (k->driver_count == KERNEL_DRIVERS_MAX || !n || n >= sizeof(d->name))
		return NULL;
	k->driver_count++;
	*d = (struct kernel_driver){.at = {.kind = STAMP_NONE}};
	memcpy(d->name, name, n);
	return d;
}

/* Network drivers that say their version in a line of their own, and what stands before it. */
static const struct {
	const char *driver, *begins, *before;
} banners[] = {
	{"ixgbevf", "ixgbevf: Intel(R)", "- version "},
	{"ixgbe", "ixgbe: Intel(R)", "- version "},
	{"i40evf", "i40evf: Intel(R)", "- version "},
	{"igb", "igb: Intel(R)", "- version "},
	{"e1000e", "e1000e: Intel(R)", "Driver - "},
	{"e1000", "e1000: Intel(R)", "- version "},
	{"ena", "ena: Elastic Network Adapter", "(ENA) v"},
	{"r8169", "r8169 Gigabit Ethernet driver", "driver "},
	{"tg3", "tg3.c:", ":v"},
};

static void kernel_take_banner(
	struct kernel *k, uint64_t line, const struct stamp *at, const char *message)
{
	for (size_t i = 0; i < sizeof(banners) / sizeof(banners[0]); i++) {
		const char *version = kernel_after(message, banners[i].begins)
					      ? strstr(message, banners[i].before)
					      : NULL;
		struct kernel_driver *d;

		if (!version)
			continue;
		version += strlen(banners[i].before);
		d = kernel_driver(k, banners[i].driver, strlen(banners[i].driver));
		if (!d)
			return;
		d->line = line;
		d->at = *at;
		(void)snprintf(d->version, sizeof(d->version), "%.*s",
			(int)(strcspn(version, " ,") < 31 ? strcspn(version, " ,") : 31), version);
	}
}

/* "ixgbevf 0000:00:03.0: text": the driver has a device. */
static void kernel_take_device(struct kernel *k, const char *message)
{
	size_t n = strcspn(message, " "),
	       digits = n ? strspn(message + n + (message[n] == ' '), "0123456789abcdef:.") : 0;

	if (digits != 12 && digits != 13)
		return;
	for (size_t i = 0; i < k->driver_count; i++)
		if (strncmp(k->drivers[i].name, message, n) == 0 && !k->drivers[i].name[n])
			k->drivers[i].has_device = true;
}

/* What the first lines after a boot say of the machine. */
static void kernel_take_machine(
	struct kernel *k, uint64_t line, const struct stamp *at, const char *message)
{
	const char *text;

	if ((text = kernel_after(message, "Linux version "))) {
		kernel_init(k, k->c);
		kernel_note(k, line, at, "host.kernel", text, strcspn(text, " "));
	} else if ((text = kernel_after(message, "DMI: "))) {
		kernel_dmi(k, line, at, text);
	} else if ((text = kernel_after(message, "Hypervisor detected: "))) {
		kernel_hypervisor(k, line, at, text);
	} else if ((text = kernel_after(message, "Xen version")) && strspn(text, ": ")) {
		size_t n;

		text += strspn(text, ": ");
		n = strcspn(text, " ");
		kernel_note(k, line, at, "hypervisor.type", "xen", 3);
		/* "4.2." without what the extra version would say */
		kernel_note(k, line, at, "hypervisor.version", text,
			n && text[n - 1] == '.' ? n - 1 : n);
	} else {
		kernel_take_banner(k, line, at, message);
		kernel_take_device(k, message);
	}
}

void kernel_line(
	struct kernel *k, uint64_t line, const struct stamp *at, int level, const char *message)
{
	kernel_take_machine(k, line, at, message);
	if (!kernlog_tells(message))
		return;
	if (level >= 0)
		collection_event(
			k->c, line, at, "kernel.log", "level=%d message=%s", level, message);
	else
		collection_event(k->c, line, at, "kernel.log", "message=%s", message);
}

void kernel_finish(struct kernel *k)
{
	for (size_t i = 0; i < k->fact_count; i++)
		collection_event(k->c, k->facts[i].line, &k->facts[i].at, k->facts[i].key, "%s",
			k->facts[i].value);
	/* No line says which interface a driver got, under the name it has now: the driver stands
	 * for it. */
	for (size_t i = 0; i < k->driver_count; i++) {
		const struct kernel_driver *d = &k->drivers[i];
		char key[128];

		if (!d->has_device || !d->version[0])
			continue;
		(void)snprintf(key, sizeof(key), "nic.%s.driver", d->name);
		collection_event(k->c, d->line, &d->at, key, "%s", d->name);
		(void)snprintf(key, sizeof(key), "nic.%s.driver_version", d->name);
		collection_event(k->c, d->line, &d->at, key, "%s", d->version);
	}
}
