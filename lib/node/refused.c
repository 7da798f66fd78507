/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "kube/pod.h"
#include "node/refused.h"

/* --- the text ----------------------------------------------------------------------------------------------------- */

static const char *const words[] = {"connection refused", "econnrefused", "failed to connect to",
                                    "couldn't connect to"};

/* Case does not matter. */
static const char *find_word(const char *line, size_t len, const char *word)
{
        size_t want = strlen(word);

        for (size_t i = 0; i + want <= len; i++)
                if (strncasecmp(line + i, word, want) == 0)
                        return line + i;
        return NULL;
}

static bool host_char(char c)
{
        return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

/* A number of its own, 1 to 65535; 0: it is none. */
static int port_at(const char *s, const char *end)
{
        int port = 0;
        size_t n = 0;

        for (; s + n < end && isdigit((unsigned char)s[n]) && n < 6; n++)
                port = port * 10 + (s[n] - '0');
        if (n == 0 || n > 5 || port > 65535)
                return 0;
        /* "12:34:56" is a time, "file.go:12]" a place in a program. */
        if (s + n < end && (host_char(s[n]) || s[n] == ']' || s[n] == ':') && !(s[n] == '.' && s + n + 1 == end) &&
            !(s[n] == ':' && (s + n + 1 == end || !isdigit((unsigned char)s[n + 1]))))
                return 0;
        return port;
}

static bool copy_host(const char *from, const char *to, struct refused *ret)
{
        size_t len = (size_t)(to - from);
        bool word = false;

        if (len == 0 || len >= sizeof(ret->host))
                return false;
        for (size_t i = 0; i < len; i++)
                word = word || !isdigit((unsigned char)from[i]);
        if (!word)
                return false;
        memcpy(ret->host, from, len);
        ret->host[len] = '\0';
        return true;
}

/* HOST:PORT or [HOST]:PORT whose colon is at `colon`. */
static bool endpoint_at(const char *line, const char *colon, const char *end, struct refused *ret)
{
        const char *from = colon, *to = colon;

        ret->port = port_at(colon + 1, end);
        if (!ret->port)
                return false;
        if (colon > line && colon[-1] == ']') {
                to = --from;
                while (from > line && (isxdigit((unsigned char)from[-1]) || from[-1] == ':' || from[-1] == '.'))
                        from--;
                return from > line && from[-1] == '[' && copy_host(from, to, ret);
        }
        while (from > line && host_char(from[-1]))
                from--;
        return copy_host(from, to, ret);
}

/* "... at "localhost" (127.0.0.1), port 5432", "connect to 10.0.0.1 port 6443": the address in front of the word. */
static bool port_word_at(const char *line, const char *word, const char *end, struct refused *ret)
{
        const char *to = word, *from;

        ret->port = port_at(word + strlen(" port "), end);
        while (to > line && !host_char(to[-1]) && to[-1] != ':')
                to--;
        for (from = to; from > line && (host_char(from[-1]) || from[-1] == ':');)
                from--;
        return ret->port && copy_host(from, to, ret);
}

/* The endpoint that a line is about: the last one in front of the words, else the first one behind. */
static bool find_endpoint(const char *line, const char *end, const char *at, struct refused *ret)
{
        bool found = false;

        for (const char *s = line; s < end; s++) {
                struct refused here;
                bool good = false;

                if (*s == ':')
                        good = endpoint_at(line, s, end, &here);
                else if (*s == ' ' && (size_t)(end - s) > 6 && strncasecmp(s, " port ", 6) == 0)
                        good = port_word_at(line, s, end, &here);
                if (!good)
                        continue;
                if (s > at && found)
                        return true;
                *ret = here;
                found = true;
                if (s > at)
                        return true;
        }
        return found;
}

static void keep(struct refused ret[REFUSED_MAX], size_t *count, const struct refused *found)
{
        for (size_t i = 0; i < *count; i++)
                if (ret[i].port == found->port && str_eq(ret[i].host, found->host))
                        return;
        if (*count == REFUSED_MAX) {
                memmove(ret, ret + 1, (REFUSED_MAX - 1) * sizeof(*ret));
                (*count)--;
        }
        ret[(*count)++] = *found;
}

size_t refused_find(const char *text, struct refused ret[REFUSED_MAX])
{
        size_t count = 0;

        while (*text) {
                size_t len = strcspn(text, "\n");
                struct refused found;
                const char *at = NULL;

                for (size_t i = 0; !at && i < sizeof(words) / sizeof(*words); i++)
                        at = find_word(text, len, words[i]);
                if (at && find_endpoint(text, text + len, at, &found))
                        keep(ret, &count, &found);
                text += len + (text[len] == '\n');
        }
        return count;
}

/* --- who would serve it ------------------------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
        return strcasecmp(host, "localhost") == 0 || str_starts(host, "127.") || str_eq(host, "::1") ||
               str_eq(host, "0.0.0.0") || str_eq(host, "::");
}

enum refused_place refused_place(const struct refused *refused, const struct pod *from, const char *from_ip,
                                 const char *node_ip)
{
        if (is_loopback(refused->host))
                return from->host_network ? REFUSED_NODE : REFUSED_ITSELF;
        if (!str_empty(node_ip) && str_eq(refused->host, node_ip))
                return REFUSED_NODE;
        return !from->host_network && str_eq(refused->host, from_ip) ? REFUSED_ITSELF : REFUSED_ADDRESS;
}

/* The value names the port: "https://127.0.0.1:2379,https://10.0.0.1:2379", ":8080", "2379". */
static bool names_port(const char *value, int port)
{
        char text[16];
        size_t len = (size_t)snprintf(text, sizeof(text), "%d", port);

        if (str_eq(value, text))
                return true;
        for (const char *colon = strchr(value, ':'); colon; colon = strchr(colon + 1, ':'))
                if (strncmp(colon + 1, text, len) == 0 && !isdigit((unsigned char)colon[1 + len]))
                        return true;
        return false;
}

/* Flags that say where a program listens, and not whom it asks (--etcd-servers). */
static bool listens(const char *name, size_t len)
{
        static const char *const parts[] = {"listen", "bind"};
        static const char *const ends[] = {"port", "address", "addr"};

        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
                if (find_word(name, len, parts[i]))
                        return true;
        for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
                if (len >= strlen(ends[i]) && strncmp(name + len - strlen(ends[i]), ends[i], strlen(ends[i])) == 0)
                        return true;
        return false;
}

static bool words_serve(const struct strv *line, int port)
{
        for (size_t i = 0; i < line->len; i++) {
                const char *word = line->items[i];
                size_t len = strcspn(word, "=");

                if (word[0] != '-' || !listens(word, len))
                        continue;
                if (word[len] == '=' && names_port(word + len + 1, port))
                        return true;
                if (!word[len] && i + 1 < line->len && names_port(line->items[i + 1], port))
                        return true;
        }
        return false;
}

static bool container_serves(const struct pod_container *c, enum refused_place place, bool host_network, int port)
{
        for (size_t i = 0; i < c->port_count; i++)
                if (port == (place == REFUSED_NODE ? c->ports[i].host_port : c->ports[i].container_port))
                        return true;
        if (place == REFUSED_NODE && !host_network)
                return false;
        for (enum pod_probe_kind kind = 0; kind < POD_PROBE_KIND_MAX; kind++)
                if (c->probes[kind].handler.type != POD_HANDLER_NONE && c->probes[kind].handler.port == port)
                        return true;
        return words_serve(&c->command, port) || words_serve(&c->args, port);
}

bool refused_serves(const struct pod *pod, enum refused_place place, int port)
{
        for (size_t i = 0; i < pod->container_count; i++)
                if (container_serves(&pod->containers[i], place, pod->host_network, port))
                        return true;
        return false;
}
