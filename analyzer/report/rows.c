#include "report/rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "report/escape.h"

#define HELD_ROWS 500
#define CELL_WIDTH_MAX                                                                             \
	120 /* wider cells stick out: cutting evidence is worse than a ragged line                 \
	     */

bool rows_format_parse(const char *name, enum rows_format *ret_format)
{
	static const char *const names[] = {"table", "csv", "json"};

	for (int i = 0; i < 3; i++)
		if (strcmp(name, names[i]) == 0) {
			*ret_format = (enum rows_format)i;
			return true;
		}
	return false;
}

static void rows_add_hex(struct strbuf *out, sqlite3_stmt *stmt, int column)
{
	const uint8_t *blob = sqlite3_column_blob(stmt, column);

	for (int i = 0; i < sqlite3_column_bytes(stmt, column); i++)
		strbuf_printf(out, "%02x", blob[i]);
}

/* A cell as escaped text; NULL is empty. */
static void rows_add_cell(struct strbuf *out, sqlite3_stmt *stmt, int column)
{
	const char *text;

	if (sqlite3_column_type(stmt, column) == SQLITE_BLOB) {
		rows_add_hex(out, stmt, column);
		return;
	}
	text = (const char *)sqlite3_column_text(stmt, column);
	if (text)
		escape_text(out, text);
}

static bool rows_is_number(sqlite3_stmt *stmt, int column)
{
	int type = sqlite3_column_type(stmt, column);

	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* Inside quotes where RFC 4180 section 2 asks for it. */
static void rows_add_quoted(struct strbuf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n ")) {
		strbuf_adds(out, text);
		return;
	}
	strbuf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			strbuf_addc(out, '"');
		strbuf_addc(out, *text);
	}
	strbuf_addc(out, '"');
}

static void rows_add_csv(struct strbuf *out, sqlite3_stmt *stmt, int column)
{
	CLEANUP_STRBUF struct strbuf cell = STRBUF_INIT;

	/* Spreadsheets take these for formulas, also behind quotes. */
	rows_add_cell(&cell, stmt, column);
	if (!cell.length)
		return;
	if (!rows_is_number(stmt, column) && strchr("=+-@", cell.text[0]))
		strbuf_addc(out, '\'');
	rows_add_quoted(out, cell.text);
}

static void rows_add_json(struct strbuf *out, sqlite3_stmt *stmt, int column)
{
	CLEANUP_STRBUF struct strbuf hex = STRBUF_INIT;

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_INTEGER:
		strbuf_printf(out, "%lld", (long long)sqlite3_column_int64(stmt, column));
		break;
	case SQLITE_FLOAT:
		if (isfinite(sqlite3_column_double(stmt, column)))
			strbuf_printf(out, "%.15g", sqlite3_column_double(stmt, column));
		else
			strbuf_adds(out, "null"); /* JSON has no infinity */
		break;
	case SQLITE_BLOB:
		rows_add_hex(&hex, stmt, column);
		jsonout_string(out, hex.text ? hex.text : "");
		break;
	default:
		jsonout_string(out, (const char *)sqlite3_column_text(stmt, column));
	}
}

/* Whether to go on: not after an error, nor when the reader went away. */
static bool rows_flush_line(struct strbuf *line, FILE *out)
{
	(void)fwrite(line->text ? line->text : "", 1, line->length, out);
	strbuf_reset(line);
	return !ferror(out);
}

static int rows_write_csv(sqlite3_stmt *stmt, FILE *out)
{
	CLEANUP_STRBUF struct strbuf line = STRBUF_INIT;
	int columns = sqlite3_column_count(stmt), r = SQLITE_DONE;

	for (int i = 0; i < columns; i++) {
		CLEANUP_STRBUF struct strbuf name = STRBUF_INIT;

		escape_text(&name, sqlite3_column_name(stmt, i));
		strbuf_adds(&line, i ? "," : "");
		rows_add_quoted(&line, name.text ? name.text : "");
	}
	strbuf_adds(&line, "\r\n");
	while (rows_flush_line(&line, out) && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < columns; i++) {
			strbuf_adds(&line, i ? "," : "");
			rows_add_csv(&line, stmt, i);
		}
		strbuf_adds(&line, "\r\n");
	}
	return r;
}

static int rows_write_json(sqlite3_stmt *stmt, FILE *out)
{
	CLEANUP_STRBUF struct strbuf line = STRBUF_INIT;
	int columns = sqlite3_column_count(stmt), r = SQLITE_DONE;
	bool any = false;

	strbuf_addc(&line, '[');
	while (rows_flush_line(&line, out) && (r = sqlite3_step(stmt)) == SQLITE_ROW) {
		strbuf_adds(&line, any ? ",\n{" : "\n{");
		any = true;
		for (int i = 0; i < columns; i++) {
			strbuf_adds(&line, i ? ", " : "");
			jsonout_string(&line, sqlite3_column_name(stmt, i));
			strbuf_adds(&line, ": ");
			rows_add_json(&line, stmt, i);
		}
		strbuf_addc(&line, '}');
	}
	strbuf_adds(&line, any ? "\n]\n" : "]\n");
	(void)rows_flush_line(&line, out);
	return r;
}

/* Rows are held until their widths are known. */
struct table {
	int columns, rows;
	char **cells; /* rows x columns */
	bool *right;  /* column holds numbers only */
	int *width;
};

static void rows_hold_row(struct table *t, sqlite3_stmt *stmt)
{
	t->cells =
		mem_grow(t->cells, (size_t)(t->rows + 1) * (size_t)t->columns, sizeof(*t->cells));
	for (int i = 0; i < t->columns; i++) {
		struct strbuf cell = STRBUF_INIT;
		int width;

		rows_add_cell(&cell, stmt, i);
		t->cells[t->rows * t->columns + i] = strbuf_steal(&cell);
		width = escape_width(t->cells[t->rows * t->columns + i]);
		if (width > t->width[i])
			t->width[i] = width < CELL_WIDTH_MAX ? width : CELL_WIDTH_MAX;
		if (!rows_is_number(stmt, i) && sqlite3_column_type(stmt, i) != SQLITE_NULL)
			t->right[i] = false;
	}
	t->rows++;
}

static void rows_add_padded(
	struct strbuf *line, const struct table *t, int column, const char *text)
{
	int pad = t->width[column] - escape_width(text);

	if (column)
		strbuf_adds(line, "  ");
	for (int i = 0; t->right[column] && i < pad; i++)
		strbuf_addc(line, ' ');
	strbuf_adds(line, text);
	for (int i = 0; !t->right[column] && column + 1 < t->columns && i < pad; i++)
		strbuf_addc(line, ' ');
}

static bool rows_put_held(struct table *t, sqlite3_stmt *stmt, FILE *out, struct strbuf *line)
{
	for (int i = 0; i < t->columns; i++) {
		CLEANUP_STRBUF struct strbuf name = STRBUF_INIT;

		escape_text(&name, sqlite3_column_name(stmt, i));
		rows_add_padded(line, t, i, name.text ? name.text : "");
	}
	strbuf_addc(line, '\n');
	for (int i = 0; i < t->columns; i++) {
		strbuf_adds(line, i ? "  " : "");
		for (int k = 0; k < t->width[i]; k++)
			strbuf_addc(line, '-');
	}
	strbuf_addc(line, '\n');
	for (int r = 0; r < t->rows; r++) {
		for (int i = 0; i < t->columns; i++) {
			rows_add_padded(line, t, i, t->cells[r * t->columns + i]);
			free(t->cells[r * t->columns + i]);
		}
		strbuf_addc(line, '\n');
	}
	t->rows = 0;
	return rows_flush_line(line, out);
}

static int rows_write_table(sqlite3_stmt *stmt, FILE *out)
{
	CLEANUP_STRBUF struct strbuf line = STRBUF_INIT;
	struct table t = {.columns = sqlite3_column_count(stmt)};
	int r;

	t.right = mem_array((size_t)t.columns + 1, sizeof(*t.right));
	t.width = mem_array((size_t)t.columns + 1, sizeof(*t.width));
	for (int i = 0; i < t.columns; i++) {
		t.right[i] = true;
		t.width[i] = escape_width(sqlite3_column_name(stmt, i));
	}
	while ((r = sqlite3_step(stmt)) == SQLITE_ROW && t.rows < HELD_ROWS)
		rows_hold_row(&t, stmt);
	for (bool more = rows_put_held(&t, stmt, out, &line); more && r == SQLITE_ROW;
		r = sqlite3_step(stmt)) {
		for (int i = 0; i < t.columns; i++) {
			CLEANUP_STRBUF struct strbuf cell = STRBUF_INIT;

			rows_add_cell(&cell, stmt, i);
			rows_add_padded(&line, &t, i, cell.text ? cell.text : "");
		}
		strbuf_addc(&line, '\n');
		more = rows_flush_line(&line, out);
	}
	free(t.cells);
	free(t.right);
	free(t.width);
	return r;
}

int rows_write(sqlite3_stmt *stmt, enum rows_format format, FILE *out, struct error *err)
{
	int r = format == ROWS_CSV    ? rows_write_csv(stmt, out)
		: format == ROWS_JSON ? rows_write_json(stmt, out)
				      : rows_write_table(stmt, out);

	if (r != SQLITE_DONE && r != SQLITE_ROW)
		return error_set(err, -EIO, "%s", sqlite3_errmsg(sqlite3_db_handle(stmt)));
	errno = 0;
	if ((fflush(out) != 0 || ferror(out)) && errno && errno != EPIPE)
		return error_errno(err, "cannot write");
	return 0;
}
