/*
 * auth: authorization of requests. Without a token, only requests to loopback host names pass; with
 * one, every request but those for the page itself must carry it. Scripts of other sites never
 * pass.
 */
#pragma once

#include "serve/request.h"

/* 0, or the HTTP status to refuse the request with; then *ret_text says why. */
int auth_check(const struct request *r, const char **ret_text);
