/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/meta.h"
#include "kube/pod_own.h"

#define NSEC_PER_SEC INT64_C(1000000000)

void pod_after_release(struct pod_after_list *list)
{
        for (size_t i = 0; i < list->count; i++) {
                free(list->items[i].namespace);
                free(list->items[i].name);
        }
        free(list->items);
        *list = (struct pod_after_list){0};
}

/* One "NS/NAME:state"; text is cut in place. */
static int parse_one(char *text, const char *namespace, struct pod_after *ret, struct err *err)
{
        char *state = strchr(text, ':'), *slash = strchr(text, '/');
        struct strv problems CLEANUP_STRV = STRV_INIT;

        if (state)
                *state++ = '\0';
        if (state && !str_eq(state, "ready") && !str_eq(state, "started"))
                return err_set(err, ERR_INVALID, "\"%s\" is no state to wait for: ready or started", state);
        if (slash)
                *slash++ = '\0';
        if (meta_dns1123_subdomain(slash ? slash : text, &problems) > 0 ||
            (slash && meta_dns1123_label(text, &problems) > 0))
                return err_set(err, ERR_INVALID, "\"%s%s%s\" is no name of a pod: %s", text, slash ? "/" : "",
                               slash ? slash : "", problems.items[0]);
        ret->namespace = xstrdup(slash ? text : namespace);
        ret->name = xstrdup(slash ? slash : text);
        ret->ready = !state || str_eq(state, "ready");
        return 0;
}

int pod_after_parse(const char *text, const char *namespace, struct pod_after_list *ret, struct err *err)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;
        struct pod_after_list list CLEANUP_POD_AFTER = {0};
        const char *part;

        strv_split(&parts, text, ',');
        list.items = xcalloc(parts.len, sizeof(*list.items));
        STRV_FOREACH (part, &parts) {
                char *one CLEANUP_FREE = str_trimmed(part);
                int r;

                if (!*one)
                        continue;
                if (list.count == POD_OWN_AFTER_MAX)
                        return err_set(err, ERR_LIMIT, "more than %d pods to wait for", POD_OWN_AFTER_MAX);
                r = parse_one(one, namespace, &list.items[list.count], err);
                if (r < 0)
                        return r;
                list.count++;
        }
        *ret = list;
        list = (struct pod_after_list){0};
        return 0;
}

bool pod_after_names(const struct pod_after *after, const char *namespace, const char *name, const char *node)
{
        const char *rest = str_after(name, after->name);

        if (!str_eq(after->namespace, namespace) || !rest)
                return false;
        return !*rest || (*rest == '-' && str_eq(rest + 1, node));
}

int pod_own_seconds(const char *text, int64_t *ret, struct err *err)
{
        int64_t nsec = 0;

        if (str_eq(text, "never")) {
                *ret = -1;
                return 0;
        }
        if (duration_parse(text, &nsec, NULL) < 0)
                return err_set(err, ERR_INVALID, "not a duration such as 90s or 2m, nor never");
        if (nsec < NSEC_PER_SEC || nsec > POD_OWN_REVERT_MAX_SECONDS * NSEC_PER_SEC)
                return err_set(err, ERR_INVALID, "must be from 1s to %dh", POD_OWN_REVERT_MAX_SECONDS / 3600);
        *ret = nsec / NSEC_PER_SEC;
        return 0;
}

static int check_after(const char *text, const char *namespace, struct err *err)
{
        struct pod_after_list list CLEANUP_POD_AFTER = {0};

        return pod_after_parse(text, namespace, &list, err);
}

static int check_seconds(const char *text, const char *namespace, struct err *err)
{
        int64_t seconds;

        (void)namespace;
        return pod_own_seconds(text, &seconds, err);
}

static const struct {
        const char *name;
        int (*check)(const char *text, const char *namespace, struct err *err);
} known[] = {{POD_OWN_AFTER, check_after}, {POD_OWN_REVERT_AFTER, check_seconds}};

static void unknown(const struct field_path *path, const char *key, struct pod_findings *findings)
{
        const char *names[ARRAY_SIZE(known)];
        const char *near;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                names[i] = known[i].name;
        near = str_did_you_mean(key, names, ARRAY_SIZE(names));
        field_finding(findings, false, path, "not known to podwatch%s%s%s", near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}

static void check_one(const struct field_path *path, const char *key, const char *text, const char *namespace,
                      struct pod_findings *findings)
{
        struct err err = ERR_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                if (!str_eq(key, known[i].name))
                        continue;
                if (known[i].check(text, namespace, &err) < 0)
                        field_invalid(findings, path, "%s", err.msg);
                return;
        }
        unknown(path, key, findings);
}

void pod_own_validate(const struct field_path *annotations, const char *namespace, struct pod_findings *findings)
{
        const struct value *map = annotations->value;

        for (size_t i = 0; value_is(map, VALUE_MAP) && i < map->map.count; i++) {
                const struct value_entry *e = &map->map.entries[i];
                struct field_path path = field_key(annotations, e->key, e->value);
                const char *text = value_string(e->value, NULL);

                if (str_starts(e->key, POD_OWN_PREFIX) && text)
                        check_one(&path, e->key, text, namespace, findings);
        }
}
