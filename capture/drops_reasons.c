#include "drops_reasons.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define PREFIX "SKB_DROP_REASON_"
#define NUMBERS_MAX 1024 /* SUBSYS_MASK, far above, is no reason */

static const char *drops_reasons_short(const char *name)
{
	return strncmp(name, PREFIX, sizeof(PREFIX) - 1) ? name : name + sizeof(PREFIX) - 1;
}

static void drops_reasons_take(
	struct drops_reasons *r, const struct btf *btf, const struct btf_type *type)
{
	const struct btf_enum *e = btf_enum(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		uint32_t number = (uint32_t)e[i].val;

		if (number >= NUMBERS_MAX)
			continue;
		r->names[number] =
			mem_strdup(drops_reasons_short(btf__name_by_offset(btf, e[i].name_off)));
		if (number >= r->count)
			r->count = number + 1;
	}
}

/* How many parameters the tracepoint has, its own context among them; 0: there is none. */
static uint32_t drops_reasons_parameters(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "btf_trace_kfree_skb", BTF_KIND_TYPEDEF);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	for (int depth = 0; type && depth < 2; depth++)
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) ? btf_vlen(type) : 0;
}

int drops_reasons_load(struct drops_reasons *r, struct error *err)
{
	struct btf *btf = btf__load_vmlinux_btf();
	uint32_t parameters;
	int id;

	*r = (struct drops_reasons){0};
	if (!btf)
		return error_set(err, -ENOTSUP,
			"this kernel has no type information (CONFIG_DEBUG_INFO_BTF)");
	id = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM);
	parameters = drops_reasons_parameters(btf);
	if (id >= 0 && parameters >= 4) {
		r->has_socket = parameters >= 5;
		r->names = mem_zalloc(NUMBERS_MAX * sizeof(*r->names));
		drops_reasons_take(r, btf, btf__type_by_id(btf, (uint32_t)id));
	}
	btf__free(btf);
	return r->count ? 0
			: error_set(err, -ENOTSUP,
				  "this kernel gives no reasons for drops (Linux 5.17 and later "
				  "do)");
}

void drops_reasons_release(struct drops_reasons *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		free(r->names[i]);
	free(r->names);
	*r = (struct drops_reasons){0};
}

static uint32_t drops_reasons_find(const struct drops_reasons *r, const char *name, size_t length)
{
	uint32_t i = 0;

	while (i < r->count && !(r->names[i] && strlen(r->names[i]) == length &&
				       !memcmp(r->names[i], name, length)))
		i++;
	return i;
}

int drops_reasons_unwanted(const struct drops_reasons *r, const char *list, uint64_t *bits,
	uint32_t words, struct error *err)
{
	size_t n;

	memset(bits, 0xff, words * sizeof(*bits));
	for (; *list; list += n + (list[n] == ',')) {
		uint32_t reason;

		n = strcspn(list, ",");
		reason = drops_reasons_find(r, list, n);
		if (reason == r->count || reason / 64 >= words)
			return error_set(err, -EINVAL, "this kernel has no drop reason '%.*s'",
				(int)n, list);
		bits[reason / 64] &= ~(UINT64_C(1) << reason % 64);
	}
	return 0;
}
