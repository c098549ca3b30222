#include "flow/dataset.h"

#include <stdlib.h>

#include "read/filter.h"

static void dataset_release_scope(struct host_scope *s)
{
	if (!s)
		return;
	(void)filter_free(s->filter);
	free(s->expression);
	free(s);
}

static void dataset_release_host(struct host *h)
{
	dataset_release_scope(h->scope);
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
	free(h->file_frames);
	free(h->name);
	fileindex_release(&h->frames);
	hashmap_release(&h->macs);
	arena_release(&h->arena);
}

static void dataset_release_capture(struct capture *c)
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

void dataset_release(struct dataset *data)
{
	for (uint32_t i = 0; i < data->vantage_count; i++)
		vantage_release(&data->vantages[i]);
	for (uint32_t i = 0; i < data->host_count; i++)
		dataset_release_host(&data->hosts[i]);
	for (uint32_t i = 0; i < data->capture_count; i++)
		dataset_release_capture(&data->captures[i]);
	free(data->vantages);
	free(data->hosts);
	free(data->captures);
	(void)arena_budget_free(data->budget);
	*data = (struct dataset){0};
}
