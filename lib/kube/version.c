/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "kube/version.h"

/* Reads the decimal number at *s and moves *s behind it. */
static int take_number(const char **s, int *ret)
{
        size_t len = strspn(*s, "0123456789");
        int n = 0;

        /* Nine digits fit an int; semantic versioning knows no leading zeros. */
        if (len == 0 || len > 9 || (len > 1 && **s == '0'))
                return -EINVAL;
        for (size_t i = 0; i < len; i++)
                n = n * 10 + ((*s)[i] - '0');
        *s += len;
        *ret = n;
        return 0;
}

/* One dot-separated identifier list (pre-release or build) of `len` bytes at s into ret. */
static int take_identifiers(const char *s, size_t len, bool numbers_strict, char *ret, size_t ret_size)
{
        size_t start = 0;

        if (len == 0 || len >= ret_size)
                return -EINVAL;
        for (size_t i = 0; i <= len; i++) {
                if (i < len && s[i] != '.') {
                        if (!isalnum((unsigned char)s[i]) && s[i] != '-')
                                return -EINVAL;
                        continue;
                }
                if (i == start)
                        return -EINVAL;
                if (numbers_strict && i - start > 1 && s[start] == '0' && strspn(s + start, "0123456789") >= i - start)
                        return -EINVAL;
                start = i + 1;
        }
        memcpy(ret, s, len);
        ret[len] = '\0';
        return 0;
}

int kube_version_parse(const char *text, bool partial, struct kube_version *ret, struct err *err)
{
        struct kube_version v = {0};
        const char *s = text;
        bool has_patch = true;

        if (*s == 'v')
                s++;
        if (take_number(&s, &v.major) < 0 || *s++ != '.' || take_number(&s, &v.minor) < 0)
                goto invalid;
        if (*s == '.') {
                s++;
                if (take_number(&s, &v.patch) < 0)
                        goto invalid;
        } else if (partial) {
                has_patch = false;
        } else {
                return err_set(err, ERR_INVALID, "version \"%s\": no patch number (want MAJOR.MINOR.PATCH)", text);
        }
        if (!has_patch && *s != '\0')
                goto invalid;
        if (*s == '-') {
                size_t len = strcspn(++s, "+");

                if (take_identifiers(s, len, true, v.pre, sizeof v.pre) < 0)
                        goto invalid;
                s += len;
        }
        if (*s == '+') {
                s++;
                if (take_identifiers(s, strlen(s), false, v.build, sizeof v.build) < 0)
                        goto invalid;
                s += strlen(s);
        }
        if (*s != '\0')
                goto invalid;
        *ret = v;
        return 0;
invalid:
        return err_set(err, ERR_INVALID, "version \"%s\": not of the form vMAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]",
                       text);
}

/* Precedence of two identifiers: numbers by value and before words, words bytewise. */
static int compare_identifier(const char *a, size_t a_len, const char *b, size_t b_len)
{
        bool a_number = strspn(a, "0123456789") >= a_len, b_number = strspn(b, "0123456789") >= b_len;
        int r;

        if (a_number != b_number)
                return a_number ? -1 : 1;
        if (a_number && a_len != b_len)
                return a_len < b_len ? -1 : 1;
        r = memcmp(a, b, a_len < b_len ? a_len : b_len);
        if (r != 0)
                return r;
        return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

static int compare_pre(const char *a, const char *b)
{
        if (*a == '\0' || *b == '\0')
                return (*a == '\0') - (*b == '\0'); /* a release is after its pre-releases */
        for (;;) {
                size_t a_len = strcspn(a, "."), b_len = strcspn(b, ".");
                int r = compare_identifier(a, a_len, b, b_len);

                if (r != 0)
                        return r;
                a += a_len;
                b += b_len;
                if (*a == '\0' || *b == '\0')
                        return (*a != '\0') - (*b != '\0'); /* more identifiers are later */
                a++;
                b++;
        }
}

int kube_version_compare(const struct kube_version *a, const struct kube_version *b)
{
        if (a->major != b->major)
                return a->major < b->major ? -1 : 1;
        if (a->minor != b->minor)
                return a->minor < b->minor ? -1 : 1;
        if (a->patch != b->patch)
                return a->patch < b->patch ? -1 : 1;
        return compare_pre(a->pre, b->pre);
}

void kube_version_text(const struct kube_version *v, char ret_text[KUBE_VERSION_MAX])
{
        (void)snprintf(ret_text, KUBE_VERSION_MAX, "v%d.%d.%d%s%s%s%s", v->major, v->minor, v->patch,
                       v->pre[0] ? "-" : "", v->pre, v->build[0] ? "+" : "", v->build);
}
