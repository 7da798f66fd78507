/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/meta.h"

#define LABEL_FMT "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define LABEL_UNDERSCORE_FMT "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
#define KEY_FMT "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define KEY_TEXT                                                                                                      \
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "                   \
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '" KEY_FMT \
        "')"

static size_t complain(struct strv *msgs, const char *prefix, const char *text)
{
        if (msgs)
                strv_addf(msgs, "%s%s", prefix, text);
        return 1;
}

static size_t complain_length(struct strv *msgs, size_t max)
{
        if (msgs)
                strv_addf(msgs, "must be no more than %zu characters", max);
        return 1;
}

/* The newer half of apimachinery counts in bytes and says so. */
static size_t complain_bytes(struct strv *msgs, const char *prefix, size_t max)
{
        if (msgs)
                strv_addf(msgs, "%smust be no more than %zu bytes", prefix, max);
        return 1;
}

static bool is_lower_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_ascii_alnum(char c)
{
        return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? and, with underscore, _?[a-z0-9]([-_a-z0-9]*[a-z0-9])? over len bytes. */
static bool matches_label(const char *s, size_t len, bool underscore)
{
        if (underscore && len > 0 && s[0] == '_') {
                s++;
                len--;
        }
        if (len == 0 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[len - 1]))
                return false;
        for (size_t i = 1; i < len; i++) {
                if (!is_lower_alnum(s[i]) && s[i] != '-' && !(underscore && s[i] == '_'))
                        return false;
        }
        return true;
}

static bool matches_subdomain(const char *s, bool underscore)
{
        for (;;) {
                size_t len = strcspn(s, ".");

                if (!matches_label(s, len, underscore))
                        return false;
                if (s[len] == '\0')
                        return true;
                s += len + 1;
        }
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9] */
static bool matches_key(const char *s)
{
        size_t len = strlen(s);

        if (len == 0 || !is_ascii_alnum(s[0]) || !is_ascii_alnum(s[len - 1]))
                return false;
        for (size_t i = 1; i < len; i++) {
                if (!is_ascii_alnum(s[i]) && !strchr("-_.", s[i]))
                        return false;
        }
        return true;
}

size_t meta_dns1123_label(const char *value, struct strv *msgs)
{
        size_t n = 0;

        if (strlen(value) > META_DNS1123_LABEL_MAX)
                n += complain_length(msgs, META_DNS1123_LABEL_MAX);
        if (matches_label(value, strlen(value), false))
                return n;
        if (matches_subdomain(value, false))
                return n + complain(msgs, "", "must not contain dots");
        return n + complain(msgs, "",
                            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
                            "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
                            "used for validation is '" LABEL_FMT "')");
}

static size_t check_subdomain(const char *value, const char *prefix, struct strv *msgs)
{
        size_t n = 0;

        if (strlen(value) > META_DNS1123_SUBDOMAIN_MAX)
                n += *prefix ? complain_bytes(msgs, prefix, META_DNS1123_SUBDOMAIN_MAX)
                             : complain_length(msgs, META_DNS1123_SUBDOMAIN_MAX);
        if (!matches_subdomain(value, false))
                n += complain(msgs, prefix,
                              "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "
                              "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
                              "regex used for validation is '" LABEL_FMT "(\\." LABEL_FMT ")*')");
        return n;
}

size_t meta_dns1123_subdomain(const char *value, struct strv *msgs)
{
        return check_subdomain(value, "", msgs);
}

size_t meta_dns1123_subdomain_underscore(const char *value, struct strv *msgs)
{
        size_t n = 0;

        if (strlen(value) > META_DNS1123_SUBDOMAIN_MAX)
                n += complain_length(msgs, META_DNS1123_SUBDOMAIN_MAX);
        if (!matches_subdomain(value, true))
                n += complain(msgs, "",
                              "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', "
                              "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
                              "regex used for validation is '" LABEL_UNDERSCORE_FMT "(\\." LABEL_UNDERSCORE_FMT ")*')");
        return n;
}

size_t meta_label_key(const char *value, struct strv *msgs)
{
        const char *slash = strchr(value, '/');
        const char *name = slash ? slash + 1 : value;
        size_t n = 0;

        if (slash && strchr(name, '/'))
                return complain(msgs, "",
                                "a valid label key " KEY_TEXT " with an optional DNS subdomain prefix and '/' (e.g. "
                                "'example.com/MyName')");
        if (slash == value) {
                n += complain(msgs, "", "prefix part must be non-empty");
        } else if (slash) {
                char *prefix CLEANUP_FREE = xstrndup(value, (size_t)(slash - value));

                n += check_subdomain(prefix, "prefix part ", msgs);
        }
        if (*name == '\0')
                n += complain(msgs, "", "name part must be non-empty");
        else if (strlen(name) > META_LABEL_MAX)
                n += complain_bytes(msgs, "name part ", META_LABEL_MAX);
        if (!matches_key(name))
                n += complain(msgs, "name part ", KEY_TEXT);
        return n;
}

size_t meta_annotation_key(const char *value, struct strv *msgs)
{
        char *lower CLEANUP_FREE = xstrdup(value);

        str_lower(lower);
        return meta_label_key(lower, msgs);
}

size_t meta_label_value(const char *value, struct strv *msgs)
{
        size_t n = 0;

        if (strlen(value) > META_LABEL_MAX)
                n += complain_bytes(msgs, "", META_LABEL_MAX);
        if (*value != '\0' && !matches_key(value))
                n += complain(
                        msgs, "",
                        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
                        "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
                        "'my_value',  or '12345', regex used for validation is '(" KEY_FMT ")?')");
        return n;
}

size_t meta_env_var_name(const char *value, struct strv *msgs)
{
        if (*value == '\0')
                return complain(msgs, "", "environment variable name must be non-empty");
        for (const char *c = value; *c; c++) {
                if (*c < ' ' || *c > '~' || *c == '=')
                        return complain(msgs, "",
                                        "a valid environment variable name must consist only of printable ASCII "
                                        "characters other than '='");
        }
        return 0;
}

size_t meta_port_name(const char *value, struct strv *msgs)
{
        size_t len = strlen(value), n = 0;
        bool charset = len > 0, letter = false;

        for (size_t i = 0; i < len; i++) {
                charset = charset && (is_lower_alnum(value[i]) || value[i] == '-');
                letter = letter || (value[i] >= 'a' && value[i] <= 'z');
        }
        if (len > META_PORT_NAME_MAX)
                n += complain_length(msgs, META_PORT_NAME_MAX);
        if (!charset)
                n += complain(msgs, "", "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
        if (!letter)
                n += complain(msgs, "", "must contain at least one letter (a-z)");
        if (strstr(value, "--"))
                n += complain(msgs, "", "must not contain consecutive hyphens");
        if (len > 0 && (value[0] == '-' || value[len - 1] == '-'))
                n += complain(msgs, "", "must not begin or end with a hyphen");
        return n;
}

size_t meta_port_number(int64_t port, struct strv *msgs)
{
        if (port >= 1 && port <= 65535)
                return 0;
        return complain(msgs, "", "must be between 1 and 65535, inclusive");
}

size_t meta_unix_id(int64_t id, struct strv *msgs)
{
        if (id >= 0 && id <= INT32_MAX)
                return 0;
        return complain(msgs, "", "must be between 0 and 2147483647, inclusive");
}

size_t meta_http_header_name(const char *value, struct strv *msgs)
{
        const char *c = value;

        while (is_ascii_alnum(*c) || *c == '-')
                c++;
        if (c != value && *c == '\0')
                return 0;
        return complain(msgs, "",
                        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
                        "regex used for validation is '[-A-Za-z0-9]+')");
}

/* Four decimal numbers up to 255, leading zeros allowed, as older Go took them. */
static bool is_ipv4_with_zeros(const char *s)
{
        for (int part = 0; part < 4; part++) {
                unsigned n = 0;
                size_t digits = 0;

                for (; *s >= '0' && *s <= '9' && n <= 255; s++, digits++)
                        n = n * 10 + (unsigned)(*s - '0');
                if (digits == 0 || n > 255 || *s != (part < 3 ? '.' : '\0'))
                        return false;
                s++;
        }
        return true;
}

size_t meta_ip(const char *value, struct strv *msgs)
{
        struct in_addr v4;
        struct in6_addr v6;

        if (inet_pton(AF_INET, value, &v4) == 1)
                return 0;
        if (inet_pton(AF_INET6, value, &v6) == 1)
                return IN6_IS_ADDR_V4MAPPED(&v6) ? complain(msgs, "", "must not be an IPv4-mapped IPv6 address") : 0;
        if (is_ipv4_with_zeros(value))
                return complain(msgs, "", "must not have leading 0s");
        return complain(msgs, "", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

size_t meta_path_no_backsteps(const char *value, struct strv *msgs)
{
        const char *s = value;

        for (;;) {
                size_t len = strcspn(s, "/");

                if (len == 2 && s[0] == '.' && s[1] == '.')
                        return complain(msgs, "", "must not contain '..'");
                if (s[len] == '\0')
                        return 0;
                s += len + 1;
        }
}

size_t meta_path_descending(const char *value, struct strv *msgs)
{
        size_t n = 0;

        if (value[0] == '/')
                n += complain(msgs, "", "must be a relative path");
        return n + meta_path_no_backsteps(value, msgs);
}
