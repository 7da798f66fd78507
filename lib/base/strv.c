/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"

void strv_release(struct strv *v)
{
        for (size_t i = 0; i < v->len; i++)
                free(v->items[i]);
        free(v->items);
        *v = STRV_INIT;
}

void strv_take(struct strv *v, char *s)
{
        if (v->len + 2 > v->cap) {
                v->cap = v->cap ? v->cap * 2 : 8;
                v->items = xrealloc(v->items, v->cap, sizeof(char *));
        }
        v->items[v->len++] = s;
        v->items[v->len] = NULL;
}

void strv_add(struct strv *v, const char *s)
{
        strv_take(v, xstrdup(s));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
        va_list ap;
        char *s;

        va_start(ap, fmt);
        int n = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (n < 0)
                abort();
        strv_take(v, s);
}

void strv_insert(struct strv *v, size_t at, const char *s)
{
        strv_add(v, s);
        char *last = v->items[v->len - 1];
        memmove(v->items + at + 1, v->items + at, (v->len - 1 - at) * sizeof(char *));
        v->items[at] = last;
}

void strv_remove(struct strv *v, size_t at)
{
        free(v->items[at]);
        memmove(v->items + at, v->items + at + 1, (v->len - at) * sizeof(char *));
        v->len--;
}

bool strv_contains(const struct strv *v, const char *s)
{
        for (size_t i = 0; i < v->len; i++)
                if (strcmp(v->items[i], s) == 0)
                        return true;
        return false;
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *v)
{
        if (v->len > 1)
                qsort(v->items, v->len, sizeof(char *), compare);
}

void strv_split(struct strv *v, const char *s, char separator)
{
        for (;;) {
                const char *end = strchrnul(s, separator);
                strv_take(v, xstrndup(s, (size_t)(end - s)));
                if (!*end)
                        return;
                s = end + 1;
        }
}

char *strv_join(const struct strv *v, const char *separator)
{
        size_t size = 1, sep = strlen(separator);

        for (size_t i = 0; i < v->len; i++)
                size += strlen(v->items[i]) + sep;
        char *s = xmalloc(size), *p = s;
        for (size_t i = 0; i < v->len; i++) {
                if (i > 0)
                        p = mempcpy(p, separator, sep);
                p = mempcpy(p, v->items[i], strlen(v->items[i]));
        }
        *p = '\0';
        return s;
}

void strv_copy(struct strv *to, const struct strv *from)
{
        for (size_t i = 0; i < from->len; i++)
                strv_add(to, from->items[i]);
}

bool strv_equal(const struct strv *a, const struct strv *b)
{
        if (a->len != b->len)
                return false;
        for (size_t i = 0; i < a->len; i++)
                if (strcmp(a->items[i], b->items[i]) != 0)
                        return false;
        return true;
}
