#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/host_reading.h"

/* Host-relative vantage numbers become places in net->vantages. */
static void gather_renumber(struct host_reading *rd, uint32_t first)
{
	struct host *h = rd->host;

	for (uint32_t i = 0; i < h->file_frames_count; i++)
		h->file_frames[i].vantage += first;
	for (uint32_t c = 0; c < h->capture_count; c++) {
		struct capture *cap = &rd->data->captures[h->captures[c]];

		for (uint32_t i = 0; i < cap->interface_count; i++) {
			assert(cap->interfaces[i].vantage < rd->count);
			cap->interfaces[i].vantage += first;
		}
	}
}

static void gather_name(const struct host *h, struct vantage *v, uint32_t place, uint32_t places)
{
	if (v->kind == VANTAGE_KERNEL)
		v->name = mem_printf("%s:%s", h->name, CAPFILE_KERNEL_DROPS);
	else if (places == 1)
		v->name = mem_strdup(h->name);
	else if (v->part && v->interface)
		v->name = mem_printf("%s:%s:%s", h->name, v->interface, v->part);
	else if (v->part)
		v->name = mem_printf("%s:%s", h->name, v->part);
	else if (v->interface)
		v->name = mem_printf("%s:%s", h->name, v->interface);
	else
		v->name = mem_printf("%s#%u", h->name, place + 1);
}

/* Without what the kernel says. */
static uint32_t gather_places(const struct host_reading *rd)
{
	uint32_t places = 0;

	for (uint32_t i = 0; i < rd->count; i++)
		places += rd->vantages[i]->v.kind != VANTAGE_KERNEL;
	return places;
}

void gather_vantages(struct dataset *data, struct host_reading **readings)
{
	uint32_t total = 0;

	for (uint32_t h = 0; h < data->host_count; h++)
		total += readings[h]->count;
	data->vantages = mem_array(total, sizeof(*data->vantages));
	for (uint32_t h = 0; h < data->host_count; h++) {
		struct host_reading *rd = readings[h];
		struct host *host = rd->host;
		uint32_t places = gather_places(rd);

		gather_renumber(rd, data->vantage_count);
		host->vantage_count = rd->count;
		host->vantages = mem_array(rd->count, sizeof(*host->vantages));
		for (uint32_t i = 0; i < rd->count; i++) {
			struct vantage *v = &data->vantages[data->vantage_count];

			assert(data->vantage_count < total);
			*v = rd->vantages[i]->v;
			v->host = h;
			v->id = data->vantage_count + 1;
			gather_name(host, v, i, places);
			host->vantages[i] = data->vantage_count++;
			free(rd->vantages[i]);
		}
		free(rd->vantages);
		free(rd);
		readings[h] = NULL;
	}
}
