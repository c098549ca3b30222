#include "flowlog/format/aws_layout.h"

#include <ctype.h>
#include <string.h>

const char layout_default[] = "version account-id interface-id srcaddr dstaddr srcport dstport "
			      "protocol packets bytes start end action log-status";

const char layout_transit_gateway[] =
	"version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id "
	"tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id "
	"tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr "
	"dstaddr "
	"srcport dstport protocol packets bytes start end log-status type packets-lost-no-route "
	"packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags "
	"region "
	"flow-direction pkt-src-aws-service pkt-dst-aws-service";

/* Every name of versions 2 to 11 and of transit gateways. */
static const struct {
	const char *name;
	enum layout_field field;
} known[] = {
	{"version", FIELD_DROP},
	{"type", FIELD_DROP},
	{"account-id", FIELD_ACCOUNT},
	{"interface-id", FIELD_INTERFACE},
	{"srcaddr", FIELD_SRC},
	{"dstaddr", FIELD_DST},
	{"srcport", FIELD_SRC_PORT},
	{"dstport", FIELD_DST_PORT},
	{"protocol", FIELD_PROTOCOL},
	{"packets", FIELD_PACKETS},
	{"bytes", FIELD_BYTES},
	{"start", FIELD_START},
	{"end", FIELD_END},
	{"action", FIELD_ACTION},
	{"log-status", FIELD_STATUS},
	{"tcp-flags", FIELD_FLAGS},
	{"pkt-srcaddr", FIELD_PKT_SRC},
	{"pkt-dstaddr", FIELD_PKT_DST},
	{"flow-direction", FIELD_DIRECTION},
	{"interface-type", FIELD_INTERFACE_TYPE},
	{"resource-id", FIELD_RESOURCE},
	{"tgw-attachment-id", FIELD_ATTACHMENT},
	{"packets-lost-no-route", FIELD_LOST_NO_ROUTE},
	{"packets-lost-blackhole", FIELD_LOST_BLACKHOLE},
	{"packets-lost-mtu-exceeded", FIELD_LOST_MTU},
	{"packets-lost-ttl-expired", FIELD_LOST_TTL},
	{"vpc-id", FIELD_DETAIL},
	{"subnet-id", FIELD_DETAIL},
	{"instance-id", FIELD_DETAIL},
	{"region", FIELD_DETAIL},
	{"az-id", FIELD_DETAIL},
	{"sublocation-type", FIELD_DETAIL},
	{"sublocation-id", FIELD_DETAIL},
	{"pkt-src-aws-service", FIELD_DETAIL},
	{"pkt-dst-aws-service", FIELD_DETAIL},
	{"traffic-path", FIELD_DETAIL},
	{"ecs-cluster-arn", FIELD_DETAIL},
	{"ecs-cluster-name", FIELD_DETAIL},
	{"ecs-container-instance-arn", FIELD_DETAIL},
	{"ecs-container-instance-id", FIELD_DETAIL},
	{"ecs-container-id", FIELD_DETAIL},
	{"ecs-second-container-id", FIELD_DETAIL},
	{"ecs-service-name", FIELD_DETAIL},
	{"ecs-task-definition-arn", FIELD_DETAIL},
	{"ecs-task-arn", FIELD_DETAIL},
	{"ecs-task-id", FIELD_DETAIL},
	{"reject-reason", FIELD_DETAIL},
	{"encryption-status", FIELD_DETAIL},
	{"instance-tag", FIELD_DETAIL},
	{"instance-tag-2", FIELD_DETAIL},
	{"interface-tag", FIELD_DETAIL},
	{"interface-tag-2", FIELD_DETAIL},
	{"asg-tag", FIELD_DETAIL},
	{"asg-tag-2", FIELD_DETAIL},
	{"next-hop-interface-id", FIELD_DETAIL},
	{"next-hop-subnet-id", FIELD_DETAIL},
	{"next-hop-az-id", FIELD_DETAIL},
	{"next-hop-vpc-id", FIELD_DETAIL},
	{"next-hop-interface-type", FIELD_DETAIL},
	{"resource-type", FIELD_DETAIL},
	{"tgw-id", FIELD_DETAIL},
	{"tgw-src-vpc-account-id", FIELD_DETAIL},
	{"tgw-dst-vpc-account-id", FIELD_DETAIL},
	{"tgw-src-vpc-id", FIELD_DETAIL},
	{"tgw-dst-vpc-id", FIELD_DETAIL},
	{"tgw-src-subnet-id", FIELD_DETAIL},
	{"tgw-dst-subnet-id", FIELD_DETAIL},
	{"tgw-src-eni", FIELD_DETAIL},
	{"tgw-dst-eni", FIELD_DETAIL},
	{"tgw-src-az-id", FIELD_DETAIL},
	{"tgw-dst-az-id", FIELD_DETAIL},
	{"tgw-pair-attachment-id", FIELD_DETAIL},
};

/* Lower case, hyphens for underscores. False: no name has this shape. */
static bool layout_normalise(const char *text, size_t n, char ret[32])
{
	if (!n || n >= 32 || !isalpha((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = text[i] == '_' ? '-' : (char)tolower((unsigned char)text[i]);

		if (!isalnum((unsigned char)c) && c != '-')
			return false;
		ret[i] = c;
	}
	ret[n] = 0;
	return true;
}

enum layout_field layout_field_of(const char *name, size_t n)
{
	char normal[32];

	if (!layout_normalise(name, n, normal))
		return FIELD_UNKNOWN;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, normal))
			return known[i].field;
	return FIELD_UNKNOWN;
}

static bool layout_separates(char c)
{
	return isspace((unsigned char)c) || c == ',';
}

/* Takes quotes, or ${ }, off a word. */
static void layout_strip(const char **word, size_t *n)
{
	const char *w = *word;

	if (*n > 3 && w[0] == '$' && w[1] == '{' && w[*n - 1] == '}') {
		*word += 2;
		*n -= 3;
	} else if (*n > 2 && w[0] == '"' && w[*n - 1] == '"') {
		*word += 1;
		*n -= 2;
	}
}

/* Moves to the next word. False: no more. */
static bool layout_next_word(const char **p, const char *end, const char **ret_word, size_t *ret_n)
{
	const char *start;

	while (*p < end && layout_separates(**p))
		(*p)++;
	start = *p;
	while (*p < end && !layout_separates(**p))
		(*p)++;
	*ret_word = start;
	*ret_n = (size_t)(*p - start);
	layout_strip(ret_word, ret_n);
	return *ret_n > 0;
}

bool layout_parse(struct layout *ret, const char *text, size_t n)
{
	const char *end = text + n, *word;
	unsigned known_names = 0;
	struct layout l;
	size_t length;

	l.columns = l.unknown = 0;
	l.transit_gateway = false;
	l.commas = memchr(text, ',', n) != NULL;
	while (layout_next_word(&text, end, &word, &length)) {
		enum layout_field field;

		if (l.columns == LAYOUT_MAX_COLUMNS ||
			!layout_normalise(word, length, l.name[l.columns]))
			return false;
		field = layout_field_of(word, length);
		l.unknown += field == FIELD_UNKNOWN;
		known_names += field != FIELD_UNKNOWN;
		l.transit_gateway |= field == FIELD_ATTACHMENT;
		l.field[l.columns++] = (uint8_t)field;
	}
	if (known_names < 2)
		return false;
	*ret = l;
	return true;
}
