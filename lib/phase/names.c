/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/strv.h"
#include "kube/meta.h"
#include "phase/names.h"

#define SUBDOMAIN_FORMAT "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

static bool in(char c, const char *set)
{
        return c && strchr(set, c);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* Labels of lower-case letters, digits and inner dashes, separated by single dots; length is another rule. */
static bool subdomain_form(const char *name)
{
        const char *label = name;

        for (;;) {
                size_t n = strcspn(label, ".");

                if (n == 0 || !in(label[0], LOWER DIGIT) || !in(label[n - 1], LOWER DIGIT) ||
                    strspn(label, LOWER DIGIT "-") < n)
                        return false;
                if (!label[n])
                        return true;
                label += n + 1;
        }
}

size_t name_wildcard_dns1123_subdomain(const char *name, struct strv *msgs)
{
        size_t count = 0;
        bool form = strncmp(name, "*.", 2) == 0;

        if (strlen(name) > META_DNS1123_SUBDOMAIN_MAX) {
                count++;
                if (msgs)
                        strv_addf(msgs, "must be no more than %d characters", META_DNS1123_SUBDOMAIN_MAX);
        }
        if (!form || !subdomain_form(name + 2)) {
                count++;
                if (msgs)
                        strv_add(msgs,
                                 "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
                                 "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
                                 "end with an alphanumeric character (e.g. '*.example.com', regex used for validation "
                                 "is '\\*\\." SUBDOMAIN_FORMAT "')");
        }
        return count;
}

/* One path component: alphanumeric runs separated by ".", "_", "__" or dashes. */
static bool path_component(const char *p, size_t n)
{
        size_t i = 0;

        for (;;) {
                size_t run = strspn(p + i, LOWER DIGIT);
                if (run == 0 || i + run > n)
                        return false;
                i += run;
                if (i == n)
                        return true;
                size_t dashes = strspn(p + i, "-"), low = strspn(p + i, "_");
                if (p[i] == '.')
                        i++;
                else if (dashes)
                        i += dashes;
                else if (low == 1 || low == 2)
                        i += low;
                else
                        return false;
        }
}

/* A registry: letters, digits and inner dashes between dots, or [IPv6]; perhaps with :PORT. */
static bool domain(const char *p, size_t n)
{
        size_t host = 0;

        if (n > 0 && p[0] == '[') {
                host = 1 + strspn(p + 1, DIGIT "abcdefABCDEF:");
                if (host < 2 || host >= n || p[host] != ']')
                        return false;
                host++;
        } else {
                size_t label = 0;
                while (host < n && p[host] != ':') {
                        bool dot = p[host] == '.';
                        if (!dot && !in(p[host], LOWER UPPER DIGIT "-"))
                                return false;
                        if (dot && (host == label || p[host - 1] == '-'))
                                return false;
                        if (host == label && p[host] == '-')
                                return false;
                        host++;
                        if (dot)
                                label = host;
                }
                if (host == label || p[host - 1] == '-')
                        return false;
        }
        if (host == n)
                return true;
        return p[host] == ':' && host + 1 < n && strspn(p + host + 1, DIGIT) >= n - host - 1;
}

bool name_is_image_repository(const char *repository)
{
        /* What stands before the first slash may be a registry; "/name" follows, so there is always a slash. */
        size_t first = strcspn(repository, "/");
        const char *p = repository;

        if (!path_component(p, first) && !domain(p, first))
                return false;
        for (p += first; *p; p += first) {
                first = strcspn(++p, "/");
                if (!path_component(p, first))
                        return false;
        }
        return true;
}

bool name_is_bootstrap_token(const char *token)
{
        return strspn(token, LOWER DIGIT) == 6 && token[6] == '.' && strspn(token + 7, LOWER DIGIT) == 16 && !token[23];
}
