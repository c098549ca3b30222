#include "join/scope.h"

#include "flow/summary.h"

bool scope_holds(const struct dataset *data, uint32_t vantage, const struct member *m)
{
	const struct vantage *v = &data->vantages[vantage];
	struct service key = summary_service(m->flow, !m->client_is_b);

	return hashmap_get(&v->addresses.services, &key) || (!v->filter && v->addresses.wide);
}
