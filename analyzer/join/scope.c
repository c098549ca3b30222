#include "join/scope.h"

#include "flow/census.h"

bool scope_holds(const struct network *net, uint32_t vantage, const struct member *m)
{
	const struct vantage *v = &net->vantages[vantage];
	struct service key = census_service(m->flow, !m->client_is_b);

	return hashmap_get(&v->services, &key) || (!v->filter && v->wide);
}
