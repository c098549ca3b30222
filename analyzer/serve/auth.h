/* auth: who may. Without a token loopback names only, never another page's script, and always the
 * token where there is one. */
#pragma once

#include "serve/request.h"

/* 0, or the status of a refusal and its text. */
int auth_check(const struct request *r, const char **ret_text);
