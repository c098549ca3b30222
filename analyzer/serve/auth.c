#include "serve/auth.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

static bool auth_same_token(const char *a, const char *b)
{
	unsigned char x[32], y[32], different = 0;
	unsigned n = 32;

	/* Compares digests: the time taken does not depend on length or content. */
	if (!EVP_Digest(a, strlen(a), x, &n, EVP_sha256(), NULL) ||
		!EVP_Digest(b, strlen(b), y, &n, EVP_sha256(), NULL))
		return false;
	for (int i = 0; i < 32; i++)
		different |= x[i] ^ y[i];
	return different == 0;
}

static bool auth_has_token(const struct request *r)
{
	const char *given = request_header(r, "Authorization");

	if (given && strncasecmp(given, "Bearer ", 7) == 0)
		return auth_same_token(given + 7, r->server->token);
	given = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, "bothends");
	return given && auth_same_token(given, r->server->token);
}

static bool auth_loopback_name(const char *host)
{
	size_t n = host ? strcspn(host, ":") : 0;

	if (!host)
		return false;
	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || host[5] == ':';
	return (n == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (n <= 15 && n >= 9 && strncmp(host, "127.", 4) == 0 &&
		       strspn(host, "0123456789.") == n);
}

static bool auth_own_origin(const struct request *r)
{
	const char *origin = request_header(r, "Origin"), *host = request_header(r, "Host");

	if (!origin)
		return true;
	if (strncmp(origin, "http://", 7) == 0)
		return host && strcasecmp(origin + 7, host) == 0;
	return strncmp(origin, "https://", 8) == 0 && host && strcasecmp(origin + 8, host) == 0;
}

static bool auth_is_public(const struct request *r)
{
	return strcmp(r->method, "GET") == 0 &&
	       (strcmp(r->url, "/") == 0 || strncmp(r->url, "/assets/", 8) == 0);
}

int auth_check(const struct request *r, const char **ret_text)
{
	if (!r->server->token && !auth_loopback_name(request_header(r, "Host"))) {
		*ret_text =
			"this server accepts loopback host names only: start it with --token-file "
			"to allow others";
		return 403;
	}
	if (!auth_own_origin(r)) {
		*ret_text = "requests from other sites are refused";
		return 403;
	}
	if (r->server->token && !auth_is_public(r) && !auth_has_token(r)) {
		*ret_text = "token missing or wrong: send Authorization: Bearer TOKEN";
		return 401;
	}
	return 0;
}
