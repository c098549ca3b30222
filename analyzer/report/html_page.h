/* html_page: the sections of report.html and what they share. */
#pragma once

#include "report/html.h"
#include "report/model.h"
#include "store/db.h"

#define PAGE_LADDERS 40	  /* ladders on the page */
#define PAGE_FINDINGS 500 /* rows of the table of findings, unless all are asked for */
#define PAGE_FINDINGS_ALL 20000
#define PAGE_FLOWS 200	  /* rows of the table of flows */
#define PAGE_EVIDENCE 12  /* proof rows of one finding */
#define PAGE_VANTAGES 100 /* rows */
#define PAGE_FILES 200	  /* rows */
#define PAGE_LEGS 14	  /* legs on the map */
#define PAGE_LEG_ROWS 100 /* rows of the table of legs */

struct page {
	struct html h;
	struct db *db;
	struct report report;
	const char *database;	   /* the file's name */
	const char *argument;	   /* the same as a word for a shell, in commands to copy */
	int64_t first_ns, last_ns; /* span of everything, reference clock; DB_NONE: nothing */
	int ladders;		   /* drawn so far */
	struct error *err;
};

/* Each writes one section, or nothing where the database has nothing for it. 0 or negative. */
void html_open(struct page *p);	 /* what was not judged */
void html_notes(struct page *p); /* all other notes */
int html_stories(struct page *p);
int html_map(struct page *p);
int html_timelines(struct page *p);
int html_tables(struct page *p);   /* all findings, legs, flows */
int html_captures(struct page *p); /* capture quality, files, flow logs, clocks, thresholds */

/* Shared by the sections. */
void html_section(struct page *p, const char *id, const char *title);
void html_sentence(
	struct page *p, const char *text); /* numbers keep their units on the same line */
void html_severity(struct page *p, const char *severity);
void html_copy(struct page *p, const char *text); /* a command with a button that copies it */
void html_table_begin(struct page *p, const char *caption,
	const char *const *columns); /* NULL-ended; "#..." is one of numbers */
void html_table_end(struct page *p);
void html_number(struct page *p, int64_t v); /* a cell; DB_NONE is a dash */
void html_cell(struct page *p, const char *text);
void html_time_cell(struct page *p, int64_t t_ns);
void html_path_cell(struct page *p, const char *path); /* its last part, all of it as a title */
const char *html_grouped(struct page *p, int64_t v);   /* 1 234 567 */

/* The legs, the one that lost most first; freed by the caller. */
const struct report_leg **html_legs_by_loss(const struct report *r);
