/* auth: which request passes without a token, which with one, and what the others are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <strings.h>

#include "serve/auth.h"

#define TOKEN "correct-horse-battery"

/* In place of the HTTP library's: the headers of the one request that is tried. */
static struct {
	const char *host, *origin, *authorization, *cookie;
} sent;

const char *MHD_lookup_connection_value(
	struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key)
{
	(void)connection;
	if (kind == MHD_COOKIE_KIND)
		return strcmp(key, "bothends") == 0 ? sent.cookie : NULL;
	return strcasecmp(key, "Host") == 0	       ? sent.host
	       : strcasecmp(key, "Origin") == 0	       ? sent.origin
	       : strcasecmp(key, "Authorization") == 0 ? sent.authorization
						       : NULL;
}

static int check(const char *token, const char *method, const char *url)
{
	struct server server = {.token = token};
	const struct request r = {.server = &server, .method = method, .url = url};
	const char *text = NULL;
	int status = auth_check(&r, &text);

	assert_int_equal(text != NULL, status != 0);
	return status;
}

static int check_host(const char *host)
{
	memset(&sent, 0, sizeof(sent));
	sent.host = host;
	return check(NULL, "GET", "/incidents");
}

static void test_loopback_names(void **state)
{
	static const char *const good[] = {"localhost", "LOCALHOST:8480", "127.0.0.1",
		"127.0.0.1:8480", "127.1.2.3", "[::1]", "[::1]:8480"};
	static const char *const bad[] = {"", "example.com", "localhost.example.com",
		"127.example.com", "127.0.0.1.example.com", "10.0.0.5:8480", "0.0.0.0", "[::1]x",
		"[::2]", "localhos", "::1", "127.0.0.1@example.com"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(check_host(good[i]), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check_host(bad[i]), 403);
	assert_int_equal(check_host(NULL), 403);
}

static int check_origin(const char *origin)
{
	memset(&sent, 0, sizeof(sent));
	sent.host = "localhost:8480";
	sent.origin = origin;
	return check(NULL, "POST", "/incidents");
}

static void test_origin(void **state)
{
	(void)state;
	assert_int_equal(check_origin(NULL), 0);
	assert_int_equal(check_origin("http://localhost:8480"), 0);
	assert_int_equal(check_origin("https://LOCALHOST:8480"), 0);
	assert_int_equal(check_origin("http://localhost"), 403); /* another port */
	assert_int_equal(check_origin("http://example.com"), 403);
	assert_int_equal(check_origin("http://localhost:8480.example.com"), 403);
	assert_int_equal(check_origin("null"), 403);
	assert_int_equal(check_origin(""), 403);
}

static int check_token(const char *authorization, const char *cookie)
{
	memset(&sent, 0, sizeof(sent));
	sent.host = "incidents.example";
	sent.authorization = authorization;
	sent.cookie = cookie;
	return check(TOKEN, "POST", "/");
}

static void test_token(void **state)
{
	(void)state;
	assert_int_equal(check_token("Bearer " TOKEN, NULL), 0);
	assert_int_equal(check_token("bearer " TOKEN, NULL), 0);
	assert_int_equal(check_token(NULL, TOKEN), 0);
	assert_int_equal(check_token(NULL, NULL), 401);
	assert_int_equal(check_token("Bearer ", NULL), 401);
	assert_int_equal(check_token("Bearer correct-horse", NULL), 401);
	assert_int_equal(check_token("Bearer " TOKEN "y", NULL), 401);
	assert_int_equal(check_token("Bearer Correct-horse-battery", NULL), 401);
	assert_int_equal(check_token("Basic " TOKEN, NULL), 401);
	assert_int_equal(check_token(NULL, "correct-horse"), 401);
	/* What the header says counts, whatever the cookie is. */
	assert_int_equal(check_token("Bearer wrong", TOKEN), 401);
}

static void test_without_token(void **state)
{
	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.host = "incidents.example";
	/* The page itself, so that it can ask for the token. */
	assert_int_equal(check(TOKEN, "GET", "/"), 0);
	assert_int_equal(check(TOKEN, "GET", "/assets/serve.js"), 0);
	assert_int_equal(check(TOKEN, "POST", "/"), 401);
	assert_int_equal(check(TOKEN, "GET", "/incidents"), 401);
	assert_int_equal(check(TOKEN, "GET", "/assets"), 401);
	assert_int_equal(check(TOKEN, "DELETE", "/incidents/aaaaaaaaaaaaaaaaaaaaaaaaaa"), 401);
}

/* A token does not let the scripts of other pages in. */
static void test_token_and_origin(void **state)
{
	(void)state;
	(void)check_token("Bearer " TOKEN, NULL);
	sent.origin = "http://example.com";
	assert_int_equal(check(TOKEN, "POST", "/"), 403);
	sent.origin = "https://incidents.example";
	assert_int_equal(check(TOKEN, "POST", "/"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback_names),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_without_token),
		cmocka_unit_test(test_token_and_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
