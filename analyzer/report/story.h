/* story: the parts of a story that every report format prints. */
#pragma once

#include "report/model.h"

#define REPORT_SIGNATURE "Made by bothends.\n" /* the last line of a text in a file */

/* "head", "because" or "also". */
const char *story_role_name(enum report_role role);

/* The finding that explains the headline, or NULL. */
const struct report_finding *story_cause(const struct report_story *s);

/* Whether finding i is one of those with ROLE_ALSO that only a count stands for. */
bool story_is_beyond(const struct report_story *s, int i);

/*
 * Whether the story gives the remedy of finding i: those of the causes; that of the headline only
 * where no cause has one.
 */
bool story_advises(const struct report_story *s, int i);

/* A part of a remedy: prose, or a command to run, which stands between backticks there. */
struct remedy_part {
	const char *text; /* of the remedy, length bytes */
	size_t length;
	bool is_command;
};

/* Takes the next part off a remedy; false at its end. A backtick without its partner is prose. */
bool story_next_part(const char **remedy, struct remedy_part *ret_part);

/* Is there a frame among the evidence? Lines of a log and counters cannot be extracted. */
bool story_extractable(const struct report_finding *f);

/* The last part of a path. */
const char *report_basename(const char *path);

/* Appends a word that a shell reads back as it is: quoted where it must be. */
void report_shell_word(struct strbuf *out, const char *word);
