/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "node/describe_container.h"

/* Column of the values. */
#define VALUE_COLUMN 22
#define STEP 2

void describe_line(struct buf *out, int depth, const char *name, const char *value)
{
        int indent = depth * STEP, width = VALUE_COLUMN - indent;
        char head[VALUE_COLUMN * 4];

        (void)snprintf(head, sizeof(head), "%s%s", name, *name ? ":" : "");
        if (!value) {
                buf_addf(out, "%*s%s\n", indent, "", head);
                return;
        }
        for (bool first = true; first || *value; first = false) {
                size_t len = strcspn(value, "\n");

                buf_addf(out, "%*s%-*s %.*s\n", indent, "", width, first ? head : "", (int)len, value);
                value += len + (value[len] == '\n');
        }
}

void describe_linef(struct buf *out, int depth, const char *name, const char *fmt, ...)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        va_list ap;

        va_start(ap, fmt);
        buf_addfv(&text, fmt, ap);
        va_end(ap);
        describe_line(out, depth, name, buf_str(&text));
}

usec_t describe_time(const struct cJSON *object, const char *key)
{
        usec_t t = 0;

        (void)timefmt_parse(cjson_text(object, key, ""), &t);
        return t;
}

/* --- states ------------------------------------------------------------------------------------------------------- */

/* Codes above 128 are signals, as shells and Docker have it. */
static void describe_exit_code(struct buf *out, int depth, int64_t code)
{
        const char *name = code > 128 && code < 128 + 65 ? sigabbrev_np((int)code - 128) : NULL;

        describe_linef(out, depth, "Exit Code", "%" PRId64 "%s%s%s", code, name ? " (SIG" : "", name ? name : "",
                       name ? ")" : "");
}

static void describe_state(struct buf *out, const char *title, const cJSON *state)
{
        const cJSON *running = cjson_get(state, "running", NULL), *ended = cjson_get(state, "terminated", NULL);
        const cJSON *of = running ? running : ended ? ended : cjson_get(state, "waiting", NULL);

        if (!of)
                return;
        describe_line(out, 2, title, running ? "Running" : ended ? "Terminated" : "Waiting");
        if (cjson_text(of, "reason", NULL))
                describe_line(out, 3, "Reason", cjson_text(of, "reason", ""));
        if (cjson_text(of, "message", NULL))
                describe_line(out, 3, "Message", cjson_text(of, "message", ""));
        if (ended)
                describe_exit_code(out, 3, cjson_int(ended, "exitCode", 0));
        if (cjson_text(of, "startedAt", NULL))
                describe_line(out, 3, "Started", cjson_text(of, "startedAt", ""));
        if (cjson_text(of, "finishedAt", NULL))
                describe_line(out, 3, "Finished", cjson_text(of, "finishedAt", ""));
}

static void describe_ends(struct buf *out, const char *name, const cJSON *node)
{
        const cJSON *end, *list = cJSON_GetObjectItemCaseSensitive(cjson_get(node, "ends", NULL), name);

        if (cJSON_GetArraySize(list) == 0)
                return;
        describe_line(out, 2, "Earlier Runs", NULL);
        cJSON_ArrayForEach (end, list) {
                const char *cause = cjson_text(end, "cause", NULL);

                buf_addf(out, "      %s  exit code %" PRId64 "  %s%s%s%s\n", cjson_text(end, "finishedAt", "<unknown>"),
                         cjson_int(end, "exitCode", 0), cjson_text(end, "reason", ""), cause ? " (" : "",
                         cause ? cause : "", cause ? ")" : "");
        }
}

/* --- spec --------------------------------------------------------------------------------------------------------- */

static void describe_words(struct buf *out, const char *title, const cJSON *list)
{
        const cJSON *word;

        if (cJSON_GetArraySize(list) == 0)
                return;
        describe_line(out, 2, title, NULL);
        cJSON_ArrayForEach (word, list) {
                const char *text = cJSON_GetStringValue(word);

                for (; text && *text; text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n'))
                        buf_addf(out, "      %.*s\n", (int)strcspn(text, "\n"), text);
        }
}

static void describe_ports(struct buf *out, const cJSON *spec)
{
        struct buf ports CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY), hosts CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        const cJSON *port;

        cJSON_ArrayForEach (port, cjson_get(spec, "ports", NULL)) {
                const char *name = cjson_text(port, "name", NULL), *protocol = cjson_text(port, "protocol", "TCP");

                buf_addf(&ports, "%s%" PRId64 "/%s%s%s%s", ports.len ? ", " : "", cjson_int(port, "containerPort", 0),
                         protocol, name ? " (" : "", name ? name : "", name ? ")" : "");
                buf_addf(&hosts, "%s%" PRId64 "/%s", hosts.len ? ", " : "", cjson_int(port, "hostPort", 0), protocol);
        }
        describe_line(out, 2, "Ports", ports.len ? buf_str(&ports) : "<none>");
        describe_line(out, 2, "Host Ports", hosts.len ? buf_str(&hosts) : "<none>");
}

static void describe_resources(struct buf *out, const char *title, const cJSON *map)
{
        if (!map || !map->child)
                return;
        describe_line(out, 2, title, NULL);
        for (const cJSON *item = map->child; item; item = item->next)
                if (cJSON_IsString(item))
                        describe_line(out, 3, item->string, item->valuestring);
                else
                        describe_linef(out, 3, item->string, "%g", cJSON_GetNumberValue(item));
}

static void describe_variable(struct buf *out, const cJSON *variable)
{
        static const struct {
                const char *field, *kind;
        } refs[] = {{"secretKeyRef", "secret"}, {"configMapKeyRef", "config map"}};
        const cJSON *from = cjson_get(variable, "valueFrom", NULL);
        const char *name = cjson_text(variable, "name", "");

        for (size_t i = 0; i < 2; i++) {
                const cJSON *ref = cjson_get(from, refs[i].field, NULL);

                if (ref)
                        describe_linef(out, 3, name, "<set to the key '%s' in %s '%s'>  Optional: %s",
                                       cjson_text(ref, "key", ""), refs[i].kind, cjson_text(ref, "name", ""),
                                       cjson_bool(ref, "optional") ? "true" : "false");
        }
        if (cjson_get(from, "fieldRef", NULL))
                describe_linef(out, 3, name, "(%s)", cjson_text(cjson_get(from, "fieldRef", NULL), "fieldPath", ""));
        else if (cjson_get(from, "resourceFieldRef", NULL))
                describe_linef(out, 3, name, "(%s)",
                               cjson_text(cjson_get(from, "resourceFieldRef", NULL), "resource", ""));
        else if (!from)
                describe_line(out, 3, name, cjson_text(variable, "value", ""));
}

static void describe_environment(struct buf *out, const cJSON *spec)
{
        const cJSON *env = cjson_get(spec, "env", NULL), *sources = cjson_get(spec, "envFrom", NULL), *item;

        cJSON_ArrayForEach (item, sources) {
                const cJSON *map = cjson_get(item, "configMapRef", NULL), *secret = cjson_get(item, "secretRef", NULL);

                describe_linef(out, 2, "Environment From", "%s  %s", cjson_text(map ? map : secret, "name", ""),
                               map ? "ConfigMap" : "Secret");
        }
        describe_line(out, 2, "Environment", cJSON_GetArraySize(env) ? NULL : "<none>");
        cJSON_ArrayForEach (item, env)
                describe_variable(out, item);
}

static void describe_mounts(struct buf *out, const cJSON *spec)
{
        const cJSON *mounts = cjson_get(spec, "volumeMounts", NULL), *mount;

        describe_line(out, 2, "Mounts", cJSON_GetArraySize(mounts) ? NULL : "<none>");
        cJSON_ArrayForEach (mount, mounts) {
                const char *path = cjson_text(mount, "subPath", NULL);

                buf_addf(out, "      %s from %s (%s%s%s%s)\n", cjson_text(mount, "mountPath", ""),
                         cjson_text(mount, "name", ""), cjson_bool(mount, "readOnly") ? "ro" : "rw",
                         path ? ",path=\"" : "", path ? path : "", path ? "\"" : "");
        }
}

/* --- probes ------------------------------------------------------------------------------------------------------- */

static void add_number(struct buf *out, const cJSON *object, const char *key, int64_t otherwise)
{
        const cJSON *value = cjson_get(object, key, NULL);

        if (cJSON_IsString(value))
                buf_addstr(out, value->valuestring);
        else
                buf_addf(out, "%" PRId64, cjson_int(object, key, otherwise));
}

/* As kubectl's DescribeProbe. */
static void add_handler(struct buf *out, const cJSON *probe)
{
        const cJSON *http = cjson_get(probe, "httpGet", NULL), *tcp = cjson_get(probe, "tcpSocket", NULL);
        const cJSON *exec = cjson_get(probe, "exec", NULL), *grpc = cjson_get(probe, "grpc", NULL), *word;

        if (http) {
                const char *scheme = cjson_text(http, "scheme", "HTTP");

                buf_addf(out, "http-get %s://%s:", str_eq(scheme, "HTTPS") ? "https" : "http",
                         cjson_text(http, "host", ""));
                add_number(out, http, "port", 0);
                buf_addstr(out, cjson_text(http, "path", ""));
        } else if (tcp) {
                buf_addf(out, "tcp-socket %s:", cjson_text(tcp, "host", ""));
                add_number(out, tcp, "port", 0);
        } else if (grpc) {
                buf_addf(out, "grpc <pod>:%" PRId64 " %s", cjson_int(grpc, "port", 0), cjson_text(grpc, "service", ""));
        } else {
                buf_addstr(out, "exec [");
                cJSON_ArrayForEach (word, cjson_get(exec, "command", NULL))
                        buf_addf(out, "%s%s", word->prev && word->prev->next ? " " : "", cJSON_GetStringValue(word));
                buf_addstr(out, "]");
        }
}

static void describe_results(struct buf *out, const cJSON *results, usec_t now)
{
        const cJSON *result;

        cJSON_ArrayForEach (result, results) {
                const char *output = cjson_text(result, "output", NULL);
                char ago[TIMEFMT_MAX];

                duration_human(usec_sub(now, describe_time(result, "time")), ago);
                buf_addf(out, "      %s  (%s ago)  %s in %" PRId64 " ms%s", cjson_text(result, "time", ""), ago,
                         cjson_text(result, "outcome", ""), cjson_int(result, "tookMs", 0), output ? ": " : "");
                for (const char *c = output ? output : ""; *c; c++)
                        buf_addch(out, *c == '\n' ? ' ' : *c);
                buf_addch(out, '\n');
        }
}

static void describe_kept(struct buf *out, const cJSON *kept)
{
        if (kept)
                buf_addf(out, "      %s, decided before podwatch was started (%s); not asked since\n",
                         cjson_text(kept, "outcome", ""), cjson_text(kept, "before", ""));
}

static void describe_probe(struct buf *out, const cJSON *spec, const cJSON *node, const char *kind, const char *field,
                           usec_t now)
{
        const cJSON *probe = cjson_get(spec, field, NULL), *seen;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        char next[TIMEFMT_MAX];

        if (!probe)
                return;
        add_handler(&text, probe);
        buf_addf(&text,
                 " delay=%" PRId64 "s timeout=%" PRId64 "s period=%" PRId64 "s #success=%" PRId64 " #failure=%" PRId64,
                 cjson_int(probe, "initialDelaySeconds", 0), cjson_int(probe, "timeoutSeconds", 1),
                 cjson_int(probe, "periodSeconds", 10), cjson_int(probe, "successThreshold", 1),
                 cjson_int(probe, "failureThreshold", 3));
        describe_line(out, 2, kind, buf_str(&text));
        cJSON_ArrayForEach (seen, cjson_get(node, "probes", NULL)) {
                if (!str_eq(cjson_text(seen, "container", ""), cjson_text(spec, "name", "")) ||
                    !str_eq(cjson_text(seen, "kind", ""), kind))
                        continue;
                describe_results(out, cjson_get(seen, "results", NULL), now);
                describe_kept(out, cjson_get(seen, "kept", NULL));
                duration_human(usec_sub(describe_time(seen, "next"), now), next);
                if (describe_time(seen, "next"))
                        buf_addf(out, "      next in %s\n", next);
        }
}

void describe_container(const struct cJSON *spec, const struct cJSON *status, const struct cJSON *node, usec_t now,
                        struct buf *out)
{
        const char *name = cjson_text(spec, "name", "");

        describe_line(out, 1, name, NULL);
        describe_line(out, 2, "Container ID", cjson_text(status, "containerID", ""));
        describe_line(out, 2, "Image", cjson_text(spec, "image", ""));
        describe_line(out, 2, "Image ID", cjson_text(status, "imageID", ""));
        describe_ports(out, spec);
        describe_words(out, "Command", cjson_get(spec, "command", NULL));
        describe_words(out, "Args", cjson_get(spec, "args", NULL));
        describe_state(out, "State", cjson_get(status, "state", NULL));
        describe_state(out, "Last State", cjson_get(status, "lastState", NULL));
        describe_line(out, 2, "Ready", cjson_bool(status, "ready") ? "True" : "False");
        describe_linef(out, 2, "Restart Count", "%" PRId64, cjson_int(status, "restartCount", 0));
        describe_ends(out, name, node);
        describe_resources(out, "Limits", cjson_get(spec, "resources", "limits", NULL));
        describe_resources(out, "Requests", cjson_get(spec, "resources", "requests", NULL));
        describe_probe(out, spec, node, "Liveness", "livenessProbe", now);
        describe_probe(out, spec, node, "Readiness", "readinessProbe", now);
        describe_probe(out, spec, node, "Startup", "startupProbe", now);
        describe_environment(out, spec);
        describe_mounts(out, spec);
}
