/*
 * names: the host of a file that was given without one, by the file's name. Rotated files of one
 * capture belong to one host; files of one name in different folders to different hosts.
 */
#pragma once

/*
 * The name for a path: without its folder, the endings that say a format, and what tcpdump -C, -G,
 * -W and dumpcap -b add for each file (x.pcap1, x.pcap02, x-20261128T103000.pcap,
 * x_00001_20261128103000.pcapng). "-" is "stdin". The caller frees it.
 */
char *names_stem(const char *path);

/* The name with the last folders of its path before it: names_qualified("/a/b/x.pcap", 1) is "b/x".
 * Freed by the caller. */
char *names_qualified(const char *path, unsigned folders);
