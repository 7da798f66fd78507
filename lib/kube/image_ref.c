/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/err.h"
#include "base/str.h"
#include "kube/image_ref.h"

#define DEFAULT_DOMAIN "docker.io"
#define OFFICIAL "library/"
/* Of domain and path together, as the registry protocol has it. */
#define NAME_TOTAL_MAX 255

static bool is_lower_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
        return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
        return is_alnum(c) || c == '_';
}

/* HOST[:PORT], HOST of letters, digits, inner dashes and dots, or an IPv6 address in brackets. */
static bool is_domain(const char *s, size_t len)
{
        size_t host = 0;

        if (len > 0 && s[0] == '[') {
                while (++host < len && (isxdigit((unsigned char)s[host]) || s[host] == ':'))
                        ;
                if (host < 3 || host == len || s[host] != ']')
                        return false;
                host++;
        } else {
                while (host < len && (is_alnum(s[host]) || s[host] == '-' || s[host] == '.'))
                        host++;
                for (size_t i = 0, start = 0; i <= host; i++) {
                        if (i < host && s[i] != '.')
                                continue;
                        if (i == start || s[start] == '-' || s[i - 1] == '-')
                                return false;
                        start = i + 1;
                }
        }
        if (host == len)
                return true;
        if (s[host] != ':' || host + 1 == len)
                return false;
        for (size_t i = host + 1; i < len; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return false;
        }
        return true;
}

/* Runs of [a-z0-9] joined by ".", "_", "__" or dashes; components joined by "/". */
static bool is_path(const char *s, size_t len)
{
        size_t i = 0;

        while (i < len) {
                size_t start = i;

                while (i < len && is_lower_alnum(s[i]))
                        i++;
                if (i == start)
                        return false;
                if (i == len)
                        return true;
                if (s[i] == '/' || s[i] == '.') {
                        i++;
                } else if (s[i] == '_') {
                        i += i + 1 < len && s[i + 1] == '_' ? 2 : 1;
                } else if (s[i] == '-') {
                        while (i < len && s[i] == '-')
                                i++;
                } else {
                        return false;
                }
        }
        return false; /* empty, or a separator at the end */
}

static bool is_tag(const char *s)
{
        if (!is_word(*s) || strlen(s) >= IMAGE_TAG_MAX)
                return false;
        while (is_word(*s) || *s == '.' || *s == '-')
                s++;
        return *s == '\0';
}

/* ALGORITHM:HEX, and for the algorithms in use the right length. */
static bool is_digest(const char *s)
{
        const char *hex = strchr(s, ':');
        size_t len;

        if (!hex || hex == s || strlen(s) >= IMAGE_DIGEST_MAX || !isalpha((unsigned char)*s))
                return false;
        for (const char *c = s; c < hex; c++) {
                if (strchr("-_+.", *c) ? !isalpha((unsigned char)c[1]) : !is_alnum(*c))
                        return false;
        }
        len = strlen(++hex);
        if (strspn(hex, "0123456789abcdefABCDEF") != len)
                return false;
        if (str_starts(s, "sha256:"))
                return len == 64 && strspn(hex, "0123456789abcdef") == len;
        if (str_starts(s, "sha384:"))
                return len == 96 && strspn(hex, "0123456789abcdef") == len;
        if (str_starts(s, "sha512:"))
                return len == 128 && strspn(hex, "0123456789abcdef") == len;
        return false;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
        if (len >= size)
                len = size - 1;
        memcpy(to, from, len);
        to[len] = '\0';
}

/* Whether what stands before the first slash is a registry and not the first part of a path. */
static bool names_registry(const char *s, size_t len)
{
        if (len == strlen("localhost") && memcmp(s, "localhost", len) == 0)
                return true;
        for (size_t i = 0; i < len; i++) {
                if (s[i] == '.' || s[i] == ':' || (s[i] >= 'A' && s[i] <= 'Z'))
                        return true;
        }
        return false;
}

/* Splits NAME (len bytes) into domain and path. */
static int parse_name(const char *text, size_t len, struct image_ref *ret, struct err *err)
{
        const char *slash = memchr(text, '/', len);
        const char *path = text;

        if (slash && names_registry(text, (size_t)(slash - text))) {
                if (!is_domain(text, (size_t)(slash - text)))
                        return err_set(err, ERR_INVALID, "invalid reference format: bad registry name");
                copy(ret->domain, sizeof ret->domain, text, (size_t)(slash - text));
                if (str_eq(ret->domain, "index.docker.io"))
                        copy(ret->domain, sizeof ret->domain, DEFAULT_DOMAIN, strlen(DEFAULT_DOMAIN));
                path = slash + 1;
        } else {
                copy(ret->domain, sizeof ret->domain, DEFAULT_DOMAIN, strlen(DEFAULT_DOMAIN));
        }
        len -= (size_t)(path - text);
        for (size_t i = 0; i < len; i++) {
                if (path[i] >= 'A' && path[i] <= 'Z')
                        return err_set(err, ERR_INVALID, "invalid reference format: repository name must be lowercase");
        }
        if (!is_path(path, len))
                return err_set(err, ERR_INVALID, "invalid reference format");
        if (str_eq(ret->domain, DEFAULT_DOMAIN) && !memchr(path, '/', len)) {
                copy(ret->path, sizeof ret->path, OFFICIAL, strlen(OFFICIAL));
                copy(ret->path + strlen(OFFICIAL), sizeof ret->path - strlen(OFFICIAL), path, len);
        } else {
                copy(ret->path, sizeof ret->path, path, len);
        }
        return 0;
}

int image_ref_parse(const char *text, struct image_ref *ret, struct err *err)
{
        struct image_ref ref = {0};
        const char *at = strchr(text, '@');
        size_t len = at ? (size_t)(at - text) : strlen(text), tag = len;
        int r;

        if (!at && len == 64 && strspn(text, "0123456789abcdef") == len)
                return err_set(err, ERR_INVALID, "invalid reference format: cannot be 64 hexadecimal characters");
        if (at) {
                if (!is_digest(at + 1))
                        return err_set(err, ERR_INVALID, "invalid reference format: bad digest");
                copy(ref.digest, sizeof ref.digest, at + 1, strlen(at + 1));
        }
        while (tag > 0 && text[tag - 1] != ':' && text[tag - 1] != '/')
                tag--;
        if (tag > 0 && text[tag - 1] == ':') {
                copy(ref.tag, sizeof ref.tag, text + tag, len - tag);
                if (len - tag >= sizeof ref.tag || !is_tag(ref.tag))
                        return err_set(err, ERR_INVALID, "invalid reference format: bad tag");
                len = tag - 1;
        }
        if (len > NAME_TOTAL_MAX)
                return err_set(err, ERR_INVALID, "repository name must not be more than %d characters", NAME_TOTAL_MAX);
        r = parse_name(text, len, &ref, err);
        if (r < 0)
                return r;
        if (ref.tag[0] == '\0' && !at)
                copy(ref.tag, sizeof ref.tag, "latest", strlen("latest"));
        *ret = ref;
        return 0;
}
