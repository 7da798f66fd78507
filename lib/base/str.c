/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

bool str_eq(const char *a, const char *b)
{
        if (!a || !b)
                return a == b;
        return strcmp(a, b) == 0;
}

const char *str_after(const char *s, const char *prefix)
{
        size_t n = strlen(prefix);

        return s && strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_starts(const char *s, const char *prefix)
{
        return str_after(s, prefix) != NULL;
}

bool str_ends(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool str_empty(const char *s)
{
        return !s || !*s;
}

int str_to_i64(const char *s, int64_t *ret)
{
        char *end;

        if (!s || !(isdigit((unsigned char)*s) || (*s == '-' && isdigit((unsigned char)s[1]))))
                return -EINVAL;
        errno = 0;
        intmax_t v = strtoimax(s, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno || v < INT64_MIN || v > INT64_MAX)
                return -ERANGE;
        *ret = v;
        return 0;
}

int str_to_u64(const char *s, uint64_t *ret)
{
        char *end;

        if (!s || !isdigit((unsigned char)*s))
                return -EINVAL;
        errno = 0;
        uintmax_t v = strtoumax(s, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno || v > UINT64_MAX)
                return -ERANGE;
        *ret = v;
        return 0;
}

int str_to_int(const char *s, int min, int max, int *ret)
{
        int64_t v;
        int r = str_to_i64(s, &v);

        if (r < 0)
                return r;
        if (v < min || v > max)
                return -ERANGE;
        *ret = (int)v;
        return 0;
}

size_t utf8_sequence_length(const char *s, size_t len)
{
        const unsigned char *u = (const unsigned char *)s;
        size_t n;
        uint32_t c, least;

        if (len == 0)
                return 0;
        if (u[0] < 0x80)
                return 1;
        if ((u[0] & 0xe0) == 0xc0)
                n = 2, c = u[0] & 0x1f, least = 0x80;
        else if ((u[0] & 0xf0) == 0xe0)
                n = 3, c = u[0] & 0x0f, least = 0x800;
        else if ((u[0] & 0xf8) == 0xf0)
                n = 4, c = u[0] & 0x07, least = 0x10000;
        else
                return 0;
        if (n > len)
                return 0;
        for (size_t i = 1; i < n; i++) {
                if ((u[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (u[i] & 0x3f);
        }
        return c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

size_t utf8_valid_prefix(const char *s, size_t len)
{
        size_t i = 0;

        while (i < len) {
                if ((unsigned char)s[i] < 0x80) {
                        i++;
                        continue;
                }
                size_t n = utf8_sequence_length(s + i, len - i);
                if (n == 0)
                        break;
                i += n;
        }
        return i;
}

static bool is_continuation(char c)
{
        return ((unsigned char)c & 0xc0) == 0x80;
}

/* s[0..len) is the beginning of a sequence that would be longer. */
static bool is_cut(const char *s, size_t len)
{
        unsigned char c = (unsigned char)s[0];
        size_t whole = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;

        for (size_t i = 1; i < len; i++)
                if (i >= whole || !is_continuation(s[i]))
                        return false;
        return len < whole;
}

void utf8_mend(char *s)
{
        size_t len = strlen(s), from = 0, to = 0;

        while (from < 3 && is_continuation(s[from]))
                from++;
        while (from < len) {
                size_t n = utf8_sequence_length(s + from, len - from);

                if (n == 0 && is_cut(s + from, len - from))
                        break;
                if (n == 0)
                        s[to] = '?';
                else
                        memmove(s + to, s + from, n);
                from += n ? n : 1;
                to += n ? n : 1;
        }
        s[to] = '\0';
}

/* Levenshtein distance over bytes, letter case ignored; words longer than the row are never near. */
static size_t edit_distance(const char *a, const char *b)
{
        size_t row[65], n = strlen(a), m = strlen(b);

        if (n > 64 || m > 64)
                return 64;
        for (size_t j = 0; j <= m; j++)
                row[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
                        size_t best = diagonal + (same ? 0 : 1);
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (row[j - 1] + 1 < best)
                                best = row[j - 1] + 1;
                        diagonal = row[j];
                        row[j] = best;
                }
        }
        return row[m];
}

const char *str_did_you_mean(const char *word, const char *const *candidates, size_t count)
{
        size_t limit = strlen(word) / 3 > 1 ? strlen(word) / 3 : 1, least = limit + 1;
        const char *best = NULL;

        for (size_t i = 0; i < count; i++) {
                size_t d = edit_distance(word, candidates[i]);
                if (d < least) {
                        least = d;
                        best = candidates[i];
                }
        }
        return best;
}

void str_copy(char *to, size_t size, const char *from)
{
        size_t len = strnlen(from, size);

        if (size == 0)
                return;
        if (len == size) {
                len = size - 1;
                while (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80)
                        len--;
        }
        memcpy(to, from, len);
        to[len] = '\0';
}

void str_lower(char *s)
{
        for (; *s; s++)
                *s = (char)tolower((unsigned char)*s);
}

const char *str_trim(const char *s, size_t *len)
{
        static const char spaces[] = " \t\n\v\f\r";
        const char *end = s + *len;

        while (s < end && memchr(spaces, *s, sizeof(spaces) - 1))
                s++;
        while (end > s && memchr(spaces, end[-1], sizeof(spaces) - 1))
                end--;
        *len = (size_t)(end - s);
        return s;
}

char *str_trimmed(const char *s)
{
        size_t len = strlen(s);

        s = str_trim(s, &len);
        return xstrndup(s, len);
}
