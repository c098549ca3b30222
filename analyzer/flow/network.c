#include "flow/ingest.h"

#include <stdlib.h>

static void release_host(struct host *h)
{
	for (uint32_t i = 0; i < h->address_count; i++)
		free(h->addresses[i].interface);
	for (uint32_t i = 0; i < h->fact_count; i++) {
		free(h->facts[i].key);
		free(h->facts[i].value);
	}
	free(h->addresses);
	free(h->facts);
	free(h->captures);
	free(h->vantages);
	free(h->shares);
	free(h->name);
	fileindex_release(&h->frames);
	arena_release(&h->arena);
}

static void release_capture(struct capture *c)
{
	for (uint32_t i = 0; i < c->interface_count; i++) {
		free(c->interfaces[i].name);
		free(c->interfaces[i].filter);
	}
	free(c->interfaces);
	free(c->damaged);
	free(c->path);
	(void)capfile_close(c->open);
}

void network_release(struct network *net)
{
	for (uint32_t i = 0; i < net->vantage_count; i++)
		vantage_release(&net->vantages[i]);
	for (uint32_t i = 0; i < net->host_count; i++)
		release_host(&net->hosts[i]);
	for (uint32_t i = 0; i < net->capture_count; i++)
		release_capture(&net->captures[i]);
	free(net->vantages);
	free(net->hosts);
	free(net->captures);
	(void)arena_budget_free(net->budget);
	*net = (struct network){0};
}
