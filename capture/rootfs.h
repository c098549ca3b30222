/*
 * rootfs: reads /proc, /sys and /etc of this host, or copies of another host's below --root.
 * Symbolic links in a copy never lead out of it. Paths have no leading slash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

struct rootfs {
	int fd;		 /* of the folder */
	const char *dir; /* as given; NULL: this host */
};

#define ROOTFS_LINE_SIZE 512

/* dir NULL: this host. dir must outlive r. */
int rootfs_open(struct rootfs *r, const char *dir, struct error *err);
void rootfs_release(struct rootfs *r);

/* Reads a file, at most limit bytes, into out (emptied first). false: not readable. */
bool rootfs_read(const struct rootfs *r, const char *path, size_t limit, struct strbuf *out);

/* The first line of a file, trimmed. false: not readable, or empty. */
bool rootfs_line(const struct rootfs *r, char line[ROOTFS_LINE_SIZE], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The number in a file. */
bool rootfs_u64(const struct rootfs *r, uint64_t *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The last component of a symbolic link's target ("ixgbevf" of ../bus/pci/drivers/ixgbevf). */
bool rootfs_link(const struct rootfs *r, char name[ROOTFS_LINE_SIZE], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool rootfs_exists(const struct rootfs *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An open file or folder (openat flags), or -1. The caller closes it. */
int rootfs_fd(const struct rootfs *r, int flags, const char *path);

/* Calls visit for each name in a folder, sorted, at most limit of them. Returns the total count. */
size_t rootfs_each(const struct rootfs *r, const char *path, size_t limit,
	void (*visit)(void *arg, const char *name), void *arg);
