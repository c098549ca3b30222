#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flowlog/format/recognise.h"

#define DEFAULT_HEADER                                                                             \
	"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "  \
	"start end action log-status\n"
#define RECORD                                                                                     \
	"2 111122223333 eni-0aaa1111bbbb2222c 203.0.113.7 192.0.2.10 51000 443 6 9 1422 "          \
	"1790000004 1790000062 ACCEPT OK\n"

static const struct {
	const char *name;
	const char *text;
	enum flowlog_format format;
} cases[] = {
	{"empty", "", FLOWLOG_NOT_FLOWLOG},
	{"blank", " \n\n", FLOWLOG_NOT_FLOWLOG},
	{"header alone", DEFAULT_HEADER, FLOWLOG_AWS},
	{"record without header", RECORD, FLOWLOG_AWS},
	{"record without newline",
		"2 111122223333 eni-0a - - - - - - - 1790000064 1790000122 - NODATA", FLOWLOG_AWS},
	{"custom header, other order",
		"log-status srcaddr dstaddr start end\nOK 192.0.2.1 192.0.2.2 1 2\n", FLOWLOG_AWS},
	{"header with unknown names", "version frobnicated srcaddr dstaddr packets\n", FLOWLOG_AWS},
	{"blank and broken lines first", "\n\ngarbage\n" RECORD, FLOWLOG_AWS},
	{"byte order mark", "\xef\xbb\xbf" DEFAULT_HEADER, FLOWLOG_AWS},
	{"windows line ends",
		"version account-id interface-id srcaddr dstaddr\r\n2 1 eni-0a 192.0.2.1 "
		"192.0.2.2\r\n",
		FLOWLOG_AWS},
	{"export task", "2026-09-21T14:13:24.000Z " RECORD, FLOWLOG_CLOUDWATCH},
	{"transit gateway header",
		"version resource-type account-id tgw-id tgw-attachment-id srcaddr dstaddr\n",
		FLOWLOG_AWS_TGW},
	{"transit gateway record",
		"6 TransitGateway 111122223333 tgw-0a tgw-attach-0b 111122223333 - vpc-0c - "
		"subnet-0e - "
		"eni-01 - use1-az1 - - 192.0.2.10 203.0.113.99 40101 443 6 0 0 1790000130 "
		"1790000188 OK\n",
		FLOWLOG_AWS_TGW},
	{"command line",
		"{\"events\":[{\"logStreamName\":\"x\",\"message\":\"2 "
		"1\"}],\"searchedLogStreams\":[]}",
		FLOWLOG_CLOUDWATCH_JSON},
	{"subscription", "{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[]}",
		FLOWLOG_CLOUDWATCH_JSON},
	{"firehose",
		"{\"message\":\""
		"2 111122223333\"}\n",
		FLOWLOG_CLOUDWATCH_JSON},
	{"gcp", "{\"insertId\":\"a\",\"jsonPayload\":{\"connection\":{}}}", FLOWLOG_GCP},
	{"gcp array", " [\n {\"logName\":\"x%2Fvpc_flows\",\"jsonPayload\":{}}]", FLOWLOG_GCP},
	{"azure nsg", "{\"records\":[{\"category\":\"NetworkSecurityGroupFlowEvent\"}]}",
		FLOWLOG_AZURE_NSG},
	{"azure vnet", "{\"records\":[{\"category\":\"FlowLogFlowEvent\"}]}", FLOWLOG_AZURE_VNET},
	{"parquet", "PAR1\x15\x04", FLOWLOG_PARQUET},
	{"other json", "{\"name\":\"package\",\"version\":1}", FLOWLOG_NOT_FLOWLOG},
	{"prose", "These are notes about the version and the protocol.\n", FLOWLOG_NOT_FLOWLOG},
	{"a query's header", "\"version\",\"interface_id\",\"srcaddr\",\"dstaddr\"\n", FLOWLOG_AWS},
	{"a query's header without quotes", "version,interface_id,srcaddr,dstaddr\n", FLOWLOG_AWS},
	{"rows", "{\"interface_id\":\"eni-0a\",\"srcaddr\":\"192.0.2.1\",\"dstaddr\":null}",
		FLOWLOG_AWS_ROWS},
	{"gcp payload", "{\"connection\":{\"src_ip\":\"192.0.2.1\"},\"reporter\":\"SRC\"}",
		FLOWLOG_GCP},
	{"csv", "a,b,c\n1,2,3\n", FLOWLOG_NOT_FLOWLOG},
	{"ip neigh", "10.0.1.90 dev eth0 lladdr 00:00:01:fc:b3:48 STALE\n", FLOWLOG_NOT_FLOWLOG},
	{"binary", "\x7f\x45\x4c\x46\x02\x01\x01\xff\xfe\n\x80", FLOWLOG_NOT_FLOWLOG},
};

static void test_recognise(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum flowlog_format got =
			flowlog_recognise((const uint8_t *)cases[i].text, strlen(cases[i].text));

		if (got != cases[i].format)
			fail_msg("%s: got %d, expected %d", cases[i].name, got, cases[i].format);
	}
}

/* A file of which only a part is there is of the same kind or of none, never of another family. */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].text);

		for (size_t n = 0; n < size; n++) {
			enum flowlog_format got =
				flowlog_recognise((const uint8_t *)cases[i].text, n);
			bool text = got == FLOWLOG_AWS &&
				    (cases[i].format == FLOWLOG_AWS_TGW ||
					    cases[i].format == FLOWLOG_CLOUDWATCH);

			if (got != FLOWLOG_NOT_FLOWLOG && got != cases[i].format && !text)
				fail_msg("%s, first %zu bytes: got %d", cases[i].name, n, got);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(flowlog_format_name(FLOWLOG_AWS), "aws");
	assert_string_equal(flowlog_format_name(FLOWLOG_CLOUDWATCH_JSON), "cloudwatch");
	assert_string_equal(flowlog_format_name(FLOWLOG_AZURE_VNET), "azure-vnet");
	assert_null(flowlog_format_name(FLOWLOG_NOT_FLOWLOG));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recognise),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
