#include "read/inputs.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static int inputs_add_file(
	struct inputs *w, const char *path, bool named, bool link, struct error *err)
{
	if (w->count == INPUTS_FILES_MAX)
		return error_set(err, -E2BIG, "more than %u files; use fewer folders at once",
			INPUTS_FILES_MAX);
	MEM_RESERVE(w->files, w->count, w->cap);
	w->files[w->count++] =
		(struct input_file){.path = mem_strdup(path), .named = named, .link = link};
	return 0;
}

static int inputs_by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name); /* bytes: the same in every locale */
}

static bool inputs_is_link_to_file(const FTSENT *e)
{
	struct stat st;

	return e->fts_info == FTS_SL && !stat(e->fts_accpath, &st) && S_ISREG(st.st_mode);
}

static int inputs_folder_failed(struct inputs *w, const FTSENT *e, struct error *err)
{
	if (e->fts_level > FTS_ROOTLEVEL) {
		w->unreadable++;
		return 0;
	}
	return error_set(err, -(e->fts_errno ? e->fts_errno : EIO),
		"cannot read the folder '%s': %s%s", e->fts_path, strerror(e->fts_errno),
		e->fts_errno == EACCES ? "; make it readable for this user (chmod, sudo)" : "");
}

static int inputs_visit(struct inputs *w, FTS *tree, FTSENT *e, struct error *err)
{
	if (e->fts_level > FTS_ROOTLEVEL && e->fts_name[0] == '.') {
		if (e->fts_info != FTS_DP)
			w->hidden++;
		(void)fts_set(tree, e, FTS_SKIP); /* fails on bad flags only */
		return 0;
	}
	switch (e->fts_info) {
	case FTS_D:
	case FTS_DP:
		return 0;
	case FTS_F:
		return inputs_add_file(w, e->fts_path, false, false, err);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return inputs_folder_failed(w, e, err);
	default:
		if (inputs_is_link_to_file(e))
			return inputs_add_file(w, e->fts_path, false, true, err);
		w->not_regular++;
		return 0;
	}
}

static int inputs_add_folder(struct inputs *w, const char *path, struct error *err)
{
	char *roots[] = {(char *)path, NULL}; /* fts_open() only reads them */
	uint32_t before = w->count;
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, inputs_by_name);
	FTSENT *e;
	int r = 0;

	if (!tree)
		return error_errno(err, "cannot read the folder '%s'", path);
	while (!r && (e = fts_read(tree)))
		r = inputs_visit(w, tree, e, err);
	(void)fts_close(tree); /* only frees */
	if (!r && w->count == before)
		return error_set(err, INPUTS_NOTHING, "no files in folder '%s'", path);
	return r;
}

int inputs_add(struct inputs *w, const char *path, struct error *err)
{
	struct stat st;

	if (strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode))
		return inputs_add_folder(w, path, err);
	return inputs_add_file(w, path, true, false, err);
}

void inputs_release(struct inputs *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		free(w->files[i].path);
	free(w->files);
	*w = (struct inputs)INPUTS_INIT;
}
