/*
 * confine: confines this process to what a command on untrusted files needs: files below the
 * working directory, memory, threads and time. Call it before the process opens a file or starts a
 * thread. On a kernel without Landlock, all files of the user stay reachable; the other limits
 * hold.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * memory: limit of data, bytes. file: limit of one output file, bytes. parent: the server; this
 * process is killed when it ends. Exits if a limit cannot be set or parent is already gone.
 */
void confine(uint64_t memory, uint64_t file, uint64_t cpu_s, pid_t parent);
