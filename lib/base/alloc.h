#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Small allocations abort with a message when memory is out: there is nothing sensible to do. Whatever outside input
 * sizes goes through struct buf, or checks for NULL itself.
 */
#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline void cleanup_free(void *p)
{
        free(*(void **)p);
}
/* char *s CLEANUP_FREE = NULL; */
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP(func) __attribute__((cleanup(func)))

/* Moves a pointer out of a cleanup variable. */
#define TAKE_PTR(p)                        \
        ({                                 \
                typeof(p) *_take = &(p);   \
                typeof(p) _taken = *_take; \
                *_take = NULL;             \
                _taken;                    \
        })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
