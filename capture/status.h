/* status: the agent's status as JSON. */
#pragma once

#include "base/strbuf.h"
#include "privdrop.h"
#include "recorder.h"

void status_json(struct strbuf *out, const struct recorder *r, const struct privdrop *c);
