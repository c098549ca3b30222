/*
 * rootfs: reads the host's /proc, /sys and /etc, or another host's copies of them below --root.
 * Links in a copy never lead out of it. Paths are given without the leading slash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

struct rootfs {
	int fd;		 /* of the folder */
	const char *dir; /* as given; NULL: the host itself */
};

#define ROOTFS_LINE_SIZE 512

/* dir NULL: the host itself. dir must outlive it. */
int rootfs_open(struct rootfs *r, const char *dir, struct error *err);
void rootfs_release(struct rootfs *r);

/* All of a file, at most limit bytes, into out (which is emptied first). false: not readable. */
bool rootfs_read(const struct rootfs *r, const char *path, size_t limit, struct strbuf *out);

/* The first line of a file without blanks around it. false: not readable, or empty. */
bool rootfs_line(const struct rootfs *r, char line[ROOTFS_LINE_SIZE], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A file that holds one whole number. */
bool rootfs_u64(const struct rootfs *r, uint64_t *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The last part of what a symbolic link points to ("ixgbevf" of ../bus/pci/drivers/ixgbevf). */
bool rootfs_link(const struct rootfs *r, char name[ROOTFS_LINE_SIZE], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool rootfs_exists(const struct rootfs *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An open file or folder (openat flags), or -1. The caller closes it. */
int rootfs_fd(const struct rootfs *r, int flags, const char *path);

/* Calls visit for each name in a folder, sorted, at most limit; returns how many there were. */
size_t rootfs_each(const struct rootfs *r, const char *path, size_t limit,
	void (*visit)(void *arg, const char *name), void *arg);
