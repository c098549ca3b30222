/*
 * confine: gives up everything that a command on files from strangers does not need. It must be
 * called before the process opens a file or starts a thread. What is left: reading, writing and
 * making files below the working directory, memory, threads, and time. A kernel without Landlock
 * leaves the files of the user in reach; all other bounds hold.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * memory: bytes of data; file: bytes of one file written; parent: who started it, and with whom it
 * ends. Ends the process where a bound cannot be set, or parent is gone already.
 */
void confine(uint64_t memory, uint64_t file, uint64_t cpu_s, pid_t parent);
