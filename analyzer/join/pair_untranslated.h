/*
 * pair_untranslated: packets that address translation skipped on their way back, which a client
 * gets under an address that it never spoke to. A handshake's answer makes all that it fits alone
 * (schema/rules/reply-untranslated.sql). What comes in mid-flow, and the reset that answers it, is
 * part of the flow that it was skipped for, and stands beside it at the same place.
 */
#pragma once

#include "join/pairer.h"

/* A SYN without answer, or (*ret_answer) an answer without SYN. */
bool pair_untranslated_is_half(const struct member *m, bool *ret_answer);

/* Without a SYN of either side, and short. */
bool pair_untranslated_is_midflow(const struct member *m);

/* Marks unanswered SYNs and answers from elsewhere among a vantage point's members. */
void pair_untranslated_mark_halves(struct pairer *p, uint32_t first, uint32_t end);

/* Keeps a flow from such a candidate; both are marked as fitting more than one. */
bool pair_untranslated_is_refused(struct pairer *p, struct member *m, uint32_t flow);

/* Sets members aside that began in mid-flow while the same client port had a connection to another
 * server: what they belong to is known when all others are paired. */
void pair_untranslated_set_aside(struct pairer *p, uint32_t first, uint32_t end);

/*
 * Puts those set aside beside the connection whose other end sent them; their own flows are empty
 * then. The others are marked no longer.
 */
void pair_untranslated_settle(struct pairer *p);
