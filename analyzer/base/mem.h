/* mem: allocation that never returns NULL; exhaustion ends the program with a message. */
#pragma once

#include <stddef.h>

/* For those who got no memory elsewhere: says so and ends the program. */
void mem_exhausted(size_t size) __attribute__((noreturn));
void *mem_alloc(size_t size);		 /* uninitialised */
void *mem_zalloc(size_t size);		 /* zeroed */
void *mem_realloc(void *p, size_t size); /* as realloc */
void *mem_array(
	size_t count, size_t size); /* zeroed, and touched when large; the product is checked */
void *mem_grow(void *p, size_t count, size_t size); /* resize to count elements, checked */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For __attribute__((cleanup)): frees what the variable points to. */
void mem_freep(void *pp);
#define CLEANUP_FREE __attribute__((cleanup(mem_freep)))

/*
 * Makes room for one more element in a growing array: doubles cap when
 * count == cap. Amortised constant; never call it on a per-packet path.
 */
#define MEM_RESERVE(array, count, cap)                                                             \
	do {                                                                                       \
		if ((count) == (cap)) {                                                            \
			(cap) = (cap) ? (cap)*2 : 16;                                              \
			(array) = mem_grow((array), (cap), sizeof(*(array)));                      \
		}                                                                                  \
	} while (0)
