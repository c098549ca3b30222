#include "record/hostfacts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/hashset.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"
#include "read/agentfacts.h"
#include "read/neigh.h"

#define SIDECAR_MAX ((size_t)1 << 30)
#define SOURCES_MAX 64
#define INTERFACES_MAX 256

struct hostfacts {
	struct db *db;
	int64_t host_id;
	struct hf_vantage {
		char *interface;
		int64_t id;
	} * vantages;
	size_t vantage_count, vantage_cap;
	/* MAC and addresses of an interface are two facts and one row each pair. */
	struct hf_interface {
		char *name, *mac, *addresses;
	} * interfaces;
	size_t interface_count, interface_cap;
	char *source_names[SOURCES_MAX]; /* of the file being read */
	/* Both of 64-bit hashes: two texts are confused with a chance of 2^-64. */
	struct hashset facts;  /* every (time, key, value): one fact */
	struct hashmap states; /* last value of a key */
	struct agentfacts_count count;
	struct neigh_count neigh_count;
};

static uint64_t hostfacts_hash_text(uint64_t seed, const char *text)
{
	return XXH3_64bits_withSeed(text, strlen(text), seed);
}

struct hostfacts *hostfacts_new(struct db *db, int64_t host_id)
{
	struct hostfacts *hf = mem_zalloc(sizeof(*hf));

	hf->db = db;
	hf->host_id = host_id;
	hashset_init(&hf->facts, sizeof(uint64_t), UINT32_MAX);
	hashmap_init(&hf->states, sizeof(uint64_t), sizeof(uint64_t), UINT32_MAX);
	return hf;
}

/* Remembers value for key; true when that is new (no value before, or another). */
static bool hostfacts_changes(struct hostfacts *hf, uint64_t key, uint64_t value)
{
	bool is_new;
	uint64_t *last = hashmap_at(&hf->states, &key, &is_new);

	if (!last || (!is_new && *last == value))
		return !last;
	*last = value;
	return true;
}

void hostfacts_vantage(struct hostfacts *hf, const char *interface, int64_t vantage_id)
{
	MEM_RESERVE(hf->vantages, hf->vantage_count, hf->vantage_cap);
	hf->vantages[hf->vantage_count++] =
		(struct hf_vantage){interface ? mem_strdup(interface) : NULL, vantage_id};
}

/* DB_NONE when the interface is not one of the host's vantage points. */
static int64_t hostfacts_vantage_of(const struct hostfacts *hf, const char *interface)
{
	for (size_t i = 0; i < hf->vantage_count; i++)
		if (hf->vantages[i].interface && strcmp(hf->vantages[i].interface, interface) == 0)
			return hf->vantages[i].id;
	return DB_NONE;
}

static bool hostfacts_whole_number(const char *text, int64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoll(text, &end, 10);
	return !errno && end != text && !*end;
}

static int64_t hostfacts_time(const struct agent_fact *f)
{
	return f->at_ns == AGENTFACTS_UNDATED ? DB_NONE : f->at_ns;
}

/* The file and line that a fact came from, at this column and the next. */
static void hostfacts_bind_place(sqlite3_stmt *s, int column, const struct agent_fact *f)
{
	db_int_or_null(s, column, f->file ? f->file : DB_NONE);
	db_int_or_null(s, column + 1, f->line ? (int64_t)f->line : DB_NONE);
}

static void hostfacts_store_fact(struct hostfacts *hf, const struct agent_fact *f)
{
	sqlite3_stmt *s = db_insert(hf->db, TABLE_HOST_FACT);

	db_int(s, 1, hf->host_id);
	db_int_or_null(s, 2, hostfacts_time(f));
	db_text(s, 3, f->key);
	db_text(s, 4, f->value);
	hostfacts_bind_place(s, 5, f);
	db_step(hf->db, s);
}

/* interface NULL: the stack's, which the host's first vantage point stands for. */
static void hostfacts_store_counter(struct hostfacts *hf, const struct agent_fact *f,
	const char *interface, const char *name, int64_t value)
{
	sqlite3_stmt *s = db_insert(hf->db, TABLE_NIC_COUNTER);
	int64_t vantage_id = interface		 ? hostfacts_vantage_of(hf, interface)
			     : hf->vantage_count ? hf->vantages[0].id
						 : DB_NONE;

	db_int_or_null(s, 1, vantage_id);
	db_int_or_null(s, 2, hostfacts_time(f));
	db_text(s, 3, name);
	db_int(s, 4, value);
	db_int(s, 5, hf->host_id);
	db_text(s, 6, interface);
	hostfacts_bind_place(s, 7, f);
	db_step(hf->db, s);
}

static void hostfacts_store_address(struct hostfacts *hf, const char *ip, const char *mac,
	const char *interface, int64_t prefix)
{
	sqlite3_stmt *s = db_insert(hf->db, TABLE_HOST_ADDRESS);

	db_int(s, 1, hf->host_id);
	db_text(s, 2, ip);
	db_text(s, 3, mac);
	db_text(s, 4, interface);
	db_int_or_null(s, 5, prefix);
	db_text(s, 6, "agent");
	db_step(hf->db, s);
}

static void hostfacts_store_neighbor(
	struct hostfacts *hf, int64_t at_ns, const struct neigh_entry *e)
{
	sqlite3_stmt *s = db_insert(hf->db, TABLE_NEIGHBOR);

	db_int(s, 1, hf->host_id);
	db_int_or_null(s, 2, at_ns);
	db_text(s, 3, e->ip);
	db_text(s, 4, e->mac[0] ? e->mac : NULL);
	db_text(s, 5, e->state);
	db_text(s, 6, e->interface[0] ? e->interface : NULL);
	db_int_or_null(s, 7, e->confirmed_s < 0 ? DB_NONE : e->confirmed_s);
	db_int_or_null(s, 8, e->used_s < 0 ? DB_NONE : e->used_s);
	db_int_or_null(s, 9, e->updated_s < 0 ? DB_NONE : e->updated_s);
	db_step(hf->db, s);
}

static int64_t hostfacts_age_of(const char *value, const char *name)
{
	int64_t ms;

	return agentfacts_number(value, name, &ms) && ms >= 0 ? ms / 1000 : -1;
}

/* An entry of a snapshot, or one that changed. Snapshots repeat; a row is stored for each change.
 */
static void hostfacts_take_neighbor(struct hostfacts *hf, const struct agent_fact *f, bool change)
{
	struct neigh_entry e = {0};
	char event[16], interface[64];
	uint64_t entry;

	if (!agentfacts_word(f->value, "ip", false, e.ip, sizeof(e.ip))) {
		hf->count.malformed++;
		return;
	}
	(void)agentfacts_word(f->value, "mac", false, e.mac, sizeof(e.mac));
	if (agentfacts_word(f->value, "dev", false, interface, sizeof(interface)))
		(void)agentfacts_key_part(interface, 0, e.interface, sizeof(e.interface));
	if (!agentfacts_word(f->value, "state", false, e.state, sizeof(e.state)))
		(void)snprintf(e.state, sizeof(e.state), "NONE");
	if (change && agentfacts_word(f->value, "event", false, event, sizeof(event)) &&
		strcmp(event, "removed") == 0)
		(void)snprintf(e.state, sizeof(e.state), "REMOVED");
	e.confirmed_s = hostfacts_age_of(f->value, "confirmed_ms");
	e.used_s = hostfacts_age_of(f->value, "used_ms");
	e.updated_s = hostfacts_age_of(f->value, "updated_ms");
	entry = hostfacts_hash_text(
		hostfacts_hash_text(hostfacts_hash_text(1, "neighbor"), e.ip), e.interface);
	if (hostfacts_changes(
		    hf, entry, hostfacts_hash_text(hostfacts_hash_text(0, e.mac), e.state)))
		hostfacts_store_neighbor(hf, hostfacts_time(f), &e);
}

/* A line of the kernel, or of a service. */
static void hostfacts_take_log(
	struct hostfacts *hf, const struct agent_fact *f, enum schema_table table)
{
	size_t size = strlen(f->value) + 1;
	CLEANUP_FREE char *message = mem_alloc(size);
	sqlite3_stmt *s = db_insert(hf->db, table);
	char service[32];
	int64_t level;

	if (!agentfacts_word(f->value, "message", true, message, size))
		memcpy(message, f->value, size);
	db_int(s, 1, hf->host_id);
	db_int_or_null(s, 2, hostfacts_time(f));
	db_int_or_null(s, 3, agentfacts_number(f->value, "level", &level) ? level : DB_NONE);
	db_text(s, 4, message);
	db_int_or_null(s, 5, f->within_ns ? f->at_ns + f->within_ns : DB_NONE);
	db_text(s, 6, f->written);
	hostfacts_bind_place(s, 7, f);
	if (table == TABLE_SERVICE_LOG) {
		if (!agentfacts_word(f->value, "service", false, service, sizeof(service)))
			service[0] = '\0';
		db_text(s, 9, service);
	}
	db_step(hf->db, s);
}

static void hostfacts_take_drop(struct hostfacts *hf, const struct agent_fact *f, unsigned source)
{
	const char *name = source < SOURCES_MAX ? hf->source_names[source] : NULL;
	int64_t vantage_id = name ? hostfacts_vantage_of(hf, name) : DB_NONE, from_ns, to_ns,
		frames = 0, n;
	static const char *const parts[] = {"kernel", "interface", "own"};
	sqlite3_stmt *s;

	if (!agentfacts_number(f->value, "from_ns", &from_ns) ||
		!agentfacts_number(f->value, "to_ns", &to_ns)) {
		hf->count.malformed++;
		return;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (agentfacts_number(f->value, parts[i], &n) && n > 0 && n < INT64_MAX - frames)
			frames += n;
	if (vantage_id == DB_NONE) {
		hostfacts_store_fact(hf, f);
		return;
	}
	s = db_insert(hf->db, TABLE_CAPTURE_DROP);
	db_int(s, 1, vantage_id);
	db_int(s, 2, from_ns);
	db_int(s, 3, to_ns);
	/* no-buffer-space comes without a number: at least one */
	db_int(s, 4, frames ? frames : 1);
	db_text(s, 5, "agent");
	db_step(hf->db, s);
}

static struct hf_interface *hostfacts_interface_of(struct hostfacts *hf, const char *name)
{
	for (size_t i = 0; i < hf->interface_count; i++)
		if (strcmp(hf->interfaces[i].name, name) == 0)
			return &hf->interfaces[i];
	if (hf->interface_count == INTERFACES_MAX)
		return NULL;
	MEM_RESERVE(hf->interfaces, hf->interface_count, hf->interface_cap);
	hf->interfaces[hf->interface_count] = (struct hf_interface){.name = mem_strdup(name)};
	return &hf->interfaces[hf->interface_count++];
}

static bool hostfacts_loopback(const char *ip)
{
	return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

/* Each address with its MAC, as far as known; the same row is stored once. */
static void hostfacts_store_interface(struct hostfacts *hf, const struct hf_interface *in)
{
	CLEANUP_FREE char *list = mem_strdup(in->addresses ? in->addresses : "");
	bool mac_used = in->mac && strcmp(in->mac, "00:00:00:00:00:00") != 0;
	const char *mac = mac_used ? in->mac : NULL;
	char *save = NULL;
	bool any = false;

	for (char *word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *slash = strchr(word, '/');
		int64_t prefix = DB_NONE;
		uint64_t row = hostfacts_hash_text(
			hostfacts_hash_text(hostfacts_hash_text(2, word), mac ? mac : ""),
			in->name);

		if (slash) {
			*slash = '\0';
			if (!hostfacts_whole_number(slash + 1, &prefix) || prefix < 0 ||
				prefix > 128)
				prefix = DB_NONE;
		}
		any = true;
		if (!hostfacts_loopback(word) && hostfacts_changes(hf, row, 1))
			hostfacts_store_address(hf, word, mac, in->name, prefix);
	}
	if (!any && mac &&
		hostfacts_changes(
			hf, hostfacts_hash_text(hostfacts_hash_text(3, mac), in->name), 1))
		hostfacts_store_address(hf, NULL, mac, in->name, DB_NONE);
}

static void hostfacts_replace(char **slot, const char *text)
{
	free(*slot);
	*slot = mem_strdup(text);
}

static void hostfacts_take_interface_state(
	struct hostfacts *hf, const char *name, const char *what, const char *value)
{
	bool is_mac = strcmp(what, "mac") == 0;
	struct hf_interface *in;

	if (!is_mac && strcmp(what, "addresses") != 0)
		return;
	in = hostfacts_interface_of(hf, name);
	if (!in)
		return;
	hostfacts_replace(is_mac ? &in->mac : &in->addresses, value);
	if (in->mac && in->addresses)
		hostfacts_store_interface(hf, in);
}

/* What was counted in a span that ended at the fact's time. interface NULL: of the host. */
static bool hostfacts_take_interval(
	struct hostfacts *hf, const struct agent_fact *f, const char *interface, const char *name)
{
	sqlite3_stmt *s;
	int64_t length;
	char amount[40];

	if (f->at_ns == AGENTFACTS_UNDATED || !agentfacts_number(f->value, "length_ns", &length) ||
		!agentfacts_word(f->value, "amount", false, amount, sizeof(amount)))
		return false;
	s = db_insert(hf->db, TABLE_COUNTER_INTERVAL);
	db_int(s, 1, hf->host_id);
	db_text(s, 2, interface);
	db_text(s, 3, name);
	db_int(s, 4, f->at_ns - length);
	db_int(s, 5, f->at_ns);
	db_real(s, 6, strtod(amount, NULL));
	hostfacts_bind_place(s, 7, f);
	db_step(hf->db, s);
	return true;
}

/* nic.IF.counter.NAME, nic.IF.driver_counter.NAME, nic.IF.tx_timeout, nic.IF.carrier_changes. */
static bool hostfacts_take_nic_counter(struct hostfacts *hf, const struct agent_fact *f)
{
	char interface[64], kind[32], name[128], full[160];
	int64_t value;

	if (!agentfacts_key_part(f->key, 1, interface, sizeof(interface)) ||
		!agentfacts_key_part(f->key, 2, kind, sizeof(kind)))
		return false;
	if (strcmp(kind, "counted") == 0 && agentfacts_key_part(f->key, 3, name, sizeof(name)))
		return hostfacts_take_interval(hf, f, interface, name);
	if (!hostfacts_whole_number(f->value, &value))
		return false;
	if (strcmp(kind, "tx_timeout") == 0 || strcmp(kind, "carrier_changes") == 0) {
		hostfacts_store_counter(hf, f, interface, kind, value);
		return true;
	}
	if (!agentfacts_key_part(f->key, 3, name, sizeof(name)))
		return false;
	if (strcmp(kind, "counter") == 0) {
		hostfacts_store_counter(hf, f, interface, name, value);
		return true;
	}
	if (strcmp(kind, "driver_counter") != 0)
		return false;
	(void)snprintf(full, sizeof(full), "driver.%s", name);
	hostfacts_store_counter(hf, f, interface, full, value);
	return true;
}

static bool hostfacts_begins(const char *key, const char *with)
{
	return strncmp(key, with, strlen(with)) == 0;
}

/* firewall.TABLE.CHAIN.RULE.packets: "firewall.packets TABLE CHAIN: RULE". */
static bool hostfacts_take_firewall(struct hostfacts *hf, const struct agent_fact *f, int64_t value)
{
	char table[256], chain[256], rule[1024], what[16], name[1600];

	if (!agentfacts_key_part(f->key, 1, table, sizeof(table)) ||
		!agentfacts_key_part(f->key, 2, chain, sizeof(chain)) ||
		!agentfacts_key_part(f->key, 3, rule, sizeof(rule)) ||
		!agentfacts_key_part(f->key, 4, what, sizeof(what)))
		return false;
	(void)snprintf(name, sizeof(name), "firewall.%s %s %s: %s", what, table, chain, rule);
	hostfacts_store_counter(hf, f, NULL, name, value);
	return true;
}

/* Counters of the stack, filed under the host's first vantage point by their whole key. */
static bool hostfacts_take_stack_counter(struct hostfacts *hf, const struct agent_fact *f)
{
	static const char *const groups[] = {
		"softnet.", "snmp.", "netstat.", "snmp6.", "conntrack.", "neighbor.table."};
	char name[160];
	int64_t value;

	if (hostfacts_begins(f->key, "counted.") &&
		agentfacts_key_part(f->key, 1, name, sizeof(name)))
		return hostfacts_take_interval(hf, f, NULL, name);
	if (!hostfacts_whole_number(f->value, &value))
		return false;
	if (hostfacts_begins(f->key, "firewall."))
		return hostfacts_take_firewall(hf, f, value);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (hostfacts_begins(f->key, groups[i])) {
			hostfacts_store_counter(hf, f, NULL, f->key, value);
			return true;
		}
	return false;
}

/* source.SOURCE.name names a source, source.SOURCE.drop tells what it lost. true: stored elsewhere.
 */
static bool hostfacts_take_source(struct hostfacts *hf, const struct agent_fact *f)
{
	char number[8], what[16];
	int64_t source;

	if (!agentfacts_key_part(f->key, 1, number, sizeof(number)) ||
		!agentfacts_key_part(f->key, 2, what, sizeof(what)) ||
		!hostfacts_whole_number(number, &source) || source < 0 || source >= SOURCES_MAX)
		return false;
	if (strcmp(what, "name") == 0)
		hostfacts_replace(&hf->source_names[source], f->value);
	if (strcmp(what, "drop") != 0)
		return false;
	hostfacts_take_drop(hf, f, (unsigned)source);
	return true;
}

/* Facts that have a table of their own. false: host_fact takes it. */
static bool hostfacts_take_elsewhere(struct hostfacts *hf, const struct agent_fact *f)
{
	if (strcmp(f->key, "kernel.log") == 0 || strcmp(f->key, "service.log") == 0) {
		hostfacts_take_log(hf, f, f->key[0] == 'k' ? TABLE_KERNEL_LOG : TABLE_SERVICE_LOG);
		return true;
	}
	if (strcmp(f->key, "neighbor") == 0 || strcmp(f->key, "neighbor.change") == 0) {
		hostfacts_take_neighbor(hf, f, f->key[8] == '.');
		return true;
	}
	if (hostfacts_begins(f->key, "nic."))
		return hostfacts_take_nic_counter(hf, f);
	if (hostfacts_begins(f->key, "source."))
		return hostfacts_take_source(hf, f);
	return hostfacts_take_stack_counter(hf, f);
}

/* A set's members stand side by side under one key: each has a last value of its own. */
static bool hostfacts_is_set(const char *key)
{
	return strcmp(key, "route") == 0 || hostfacts_begins(key, "capture.");
}

/* What happened twice happened twice, though the words are the same. */
static bool hostfacts_is_event(const char *key)
{
	static const char *const events[] = {"heartbeat", "mark", "clock.", "disk.",
		"kernel.log.lost", "neighbor.lost", "neighbor.change", "source."};
	size_t n = strlen(key);

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (hostfacts_begins(key, events[i]))
			return true;
	return hostfacts_begins(key, "nic.") && n > 6 && strcmp(key + n - 6, ".event") == 0;
}

/* Counters and what was counted, of an interface, of rules, of the stack. */
static bool hostfacts_is_counted(const char *key)
{
	static const char *const parts[] = {".counter.", ".driver_counter.", ".counted."};
	static const char *const groups[] = {
		"counted.", "firewall.", "softnet.", "snmp.", "snmp6.", "netstat.", "conntrack."};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (hostfacts_begins(key, groups[i]))
			return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(key, parts[i]))
			return true;
	return false;
}

void hostfacts_take(void *context, const struct agent_fact *f)
{
	struct hostfacts *hf = context;
	uint64_t key = hostfacts_hash_text(0, f->key),
		 whole = hostfacts_hash_text(key ^ (uint64_t)f->at_ns, f->value);
	char interface[64], what[32];

	if (f->written)
		whole = hostfacts_hash_text(whole, f->written);
	/* Two sources of a counter are two series, also where they agree. */
	if (f->file && hostfacts_is_counted(f->key))
		whole += f->file;

	if (hashset_add(&hf->facts, &whole) == HASHSET_KNOWN)
		return;
	if (hostfacts_begins(f->key, "nic.") &&
		agentfacts_key_part(f->key, 1, interface, sizeof(interface)) &&
		agentfacts_key_part(f->key, 2, what, sizeof(what)))
		hostfacts_take_interface_state(hf, interface, what, f->value);
	if (hostfacts_take_elsewhere(hf, f))
		return;
	/* A state is repeated in every file: a row for each change is enough. */
	if (hostfacts_is_event(f->key) ||
		hostfacts_changes(hf,
			hostfacts_is_set(f->key) ? hostfacts_hash_text(key, f->value) : key,
			hostfacts_hash_text(key, f->value)))
		hostfacts_store_fact(hf, f);
}

void hostfacts_file(struct hostfacts *hf, const struct hostfacts_file *file)
{
	sqlite3_stmt *s = db_insert(hf->db, TABLE_HOST_FILE);

	db_int(s, 1, file->id);
	db_int(s, 2, hf->host_id);
	db_text(s, 3, file->path);
	db_text(s, 4, file->kind);
	db_int(s, 5, (int64_t)file->lines);
	db_int(s, 6, (int64_t)file->facts);
	db_int(s, 7, (int64_t)file->malformed);
	db_int(s, 8, (int64_t)file->cut);
	db_int(s, 9, (int64_t)file->undated);
	db_int_or_null(
		s, 10, file->modified_ns == AGENTFACTS_UNDATED ? DB_NONE : file->modified_ns);
	db_text(s, 11, file->damaged);
	db_step(hf->db, s);
}

int hostfacts_comment(struct hostfacts *hf, const char *text)
{
	return agentfacts_comment(text, strlen(text), hostfacts_take, hf, &hf->count) ==
			       AGENTFACTS_OK
		       ? HOSTFACTS_OK
		       : HOSTFACTS_NOT_OURS;
}

void hostfacts_sidecar_bytes(struct hostfacts *hf, const char *bytes, size_t size)
{
	agentfacts_sidecar(bytes, size, hostfacts_take, hf, &hf->count);
}

/* Reads whole lines in pieces, so that memory stays small however long the recorder ran. */
static int hostfacts_read_sidecar(
	struct hostfacts *hf, FILE *file, const char *path, struct error *err)
{
	CLEANUP_FREE char *line = NULL;
	size_t cap = 0, total = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, file)) > 0) {
		total += (size_t)n;
		if (total > SIDECAR_MAX)
			return error_set(err, -EFBIG, "'%s' is larger than 1 GiB", path);
		hostfacts_sidecar_bytes(hf, line, (size_t)n);
	}
	return ferror(file) ? error_errno(err, "cannot read '%s'", path) : 0;
}

int hostfacts_sidecar(struct hostfacts *hf, const char *capture_path, struct error *err)
{
	CLEANUP_FREE char *path = agentfacts_sidecar_path(capture_path);
	FILE *file = fopen(path, "re");
	int r;

	if (!file && errno == ENOENT)
		return HOSTFACTS_ABSENT;
	if (!file)
		return error_errno(err, "cannot open '%s'", path);
	r = hostfacts_read_sidecar(hf, file, path, err);
	(void)fclose(file);
	return r;
}

static void hostfacts_take_listed(void *context, const struct neigh_entry *e)
{
	hostfacts_store_neighbor(context, DB_NONE, e);
}

uint64_t hostfacts_neighbors(struct hostfacts *hf, const char *bytes, size_t size)
{
	uint64_t before = hf->neigh_count.entries;

	neigh_parse(bytes, size, hostfacts_take_listed, hf, &hf->neigh_count);
	return hf->neigh_count.entries - before;
}

/* Lines and facts of the agent and of listings; each file of hostfile/ has its count in host_file.
 */
static void hostfacts_store_malformed(struct hostfacts *hf)
{
	uint64_t n = hf->count.malformed + hf->neigh_count.malformed;
	char value[24];

	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
	if (n)
		hostfacts_store_fact(hf, &(struct agent_fact){.at_ns = AGENTFACTS_UNDATED,
						 .key = "facts.malformed",
						 .value = value});
}

static void hostfacts_free(struct hostfacts *hf)
{
	for (size_t i = 0; i < hf->interface_count; i++) {
		free(hf->interfaces[i].name);
		free(hf->interfaces[i].mac);
		free(hf->interfaces[i].addresses);
	}
	for (size_t i = 0; i < hf->vantage_count; i++)
		free(hf->vantages[i].interface);
	for (size_t i = 0; i < SOURCES_MAX; i++)
		free(hf->source_names[i]);
	free(hf->interfaces);
	free(hf->vantages);
	hashset_release(&hf->facts);
	hashmap_release(&hf->states);
	free(hf);
}

void hostfacts_finish(struct hostfacts *hf)
{
	for (size_t i = 0; i < hf->interface_count; i++)
		hostfacts_store_interface(hf, &hf->interfaces[i]);
	hostfacts_store_malformed(hf);
	hostfacts_free(hf);
}
