/* Virtualisation host: vhost_net, which serves the guests' virtio interfaces. */
#include <ctype.h>
#include <string.h>

#include "collector.h"

#define PROCESSES 32768

struct census {
	struct host *h;
	uint64_t vhost, qemu;
};

static void virt_look_at(void *arg, const char *pid)
{
	struct census *c = arg;
	char comm[ROOTFS_LINE_SIZE];

	if (!isdigit((unsigned char)pid[0]) || !rootfs_line(&c->h->root, comm, "proc/%s/comm", pid))
		return;
	c->vhost += !strncmp(comm, "vhost-", 6);
	c->qemu += !strncmp(comm, "qemu-system", 11) || !strcmp(comm, "qemu-kvm") ||
		   !strcmp(comm, "kvm");
}

/* VHOST_NET_ENABLED=0, with or without quotes; the last such line applies, as in a shell. */
static void virt_packaging_default(struct host *h)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *save = NULL, *value = NULL;

	if (!rootfs_read(&h->root, "etc/default/qemu-kvm", 65536, &text))
		return;
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (!strncmp(line, "VHOST_NET_ENABLED=", 18))
			value = line + 18 + strspn(line + 18, "\"' ");
	}
	if (value && (*value == '0' || *value == '1'))
		fact_put_u64(h->facts, (uint64_t)(*value - '0'), "vhost_net.enabled_in_config");
}

void facts_virt(struct host *h)
{
	struct census c = {.h = h};
	char version[ROOTFS_LINE_SIZE];

	(void)rootfs_each(&h->root, "proc", PROCESSES, virt_look_at, &c);
	fact_put_u64(h->facts, rootfs_exists(&h->root, "sys/module/vhost_net"), "vhost_net.loaded");
	fact_put_u64(h->facts, c.vhost, "vhost_net.threads");
	fact_put_u64(h->facts, c.qemu, "qemu.processes");
	if (rootfs_line(&h->root, version, "sys/module/vhost_net/version"))
		fact_put(h->facts, version, "module.vhost_net.version");
	virt_packaging_default(h);
}
