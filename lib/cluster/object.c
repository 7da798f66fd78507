/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/object.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/action.h"
#include "phase/phase.h"
#include "phase/template.h"

#define STATUS_NOT_FOUND 404
#define STATUS_CONFLICT 409
#define STATUS_INVALID 422

struct kind {
        const char *kind, *group, *version, *resource;
        bool namespaced;
        const char *create_error, *update_error; /* NULL: "unable to create KIND", "unable to update KIND" */
};

#define RBAC "rbac.authorization.k8s.io"
static const struct kind kinds[] = {
        {"ConfigMap", "", "v1", "configmaps", true},
        {"Secret", "", "v1", "secrets", true},
        {"Service", "", "v1", "services", true, "unable to create a new DNS service",
         "unable to create/update the DNS service"},
        {"ServiceAccount", "", "v1", "serviceaccounts", true},
        {"Node", "", "v1", "nodes", false},
        {"Deployment", "apps", "v1", "deployments", true},
        {"DaemonSet", "apps", "v1", "daemonsets", true},
        {"Role", RBAC, "v1", "roles", true},
        {"RoleBinding", RBAC, "v1", "rolebindings", true},
        {"ClusterRole", RBAC, "v1", "clusterroles", false},
        {"ClusterRoleBinding", RBAC, "v1", "clusterrolebindings", false},
};

static const struct kind *find_kind(const struct value *object)
{
        const char *name = value_string(value_map_get(object, "kind"), "");

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (str_eq(kinds[i].kind, name))
                        return &kinds[i];
        return NULL;
}

static const char *meta(const struct value *object, const char *key)
{
        return value_string(value_get(object, "metadata", key, NULL), "");
}

char *object_path(const struct value *object, bool with_name)
{
        const struct kind *kind = find_kind(object);

        if (!kind)
                return NULL;
        return xasprintf("/%s%s%s/%s%s%s/%s%s%s", *kind->group ? "apis/" : "api", kind->group, "", kind->version,
                         kind->namespaced ? "/namespaces/" : "", kind->namespaced ? meta(object, "namespace") : "",
                         kind->resource, with_name ? "/" : "", with_name ? meta(object, "name") : "");
}

char *object_text(const struct value *object)
{
        const char *space = meta(object, "namespace");

        return xasprintf("%s %s%s%s", value_string(value_map_get(object, "kind"), "object"), space, *space ? "/" : "",
                         meta(object, "name"));
}

/* The server names the object mostly; what does not, gets it behind. */
static int named(const struct value *object, struct err *err)
{
        char *text CLEANUP_FREE = object_text(object);

        if (!strstr(err->msg, meta(object, "name"))) {
                int code = err->code, status = err->status;
                char *msg CLEANUP_FREE = xstrdup(err->msg);

                (void)err_set(err, code, "%s (%s)", msg, text);
                err->status = status;
        }
        return -err->code;
}

char *object_kind_text(const struct phase *phase, const char *kind)
{
        const char *text = value_string(value_map_get(era_value(phase->era, "cluster", "kindTexts"), kind), NULL);

        return text ? xstrdup(text) : xasprintf("%s%s", era_flag(phase->era, "cluster", "goTypes") ? "*v1." : "", kind);
}

enum call { CALL_GET, CALL_CREATE, CALL_UPDATE };

static int wrap_failure(const struct cluster *cluster, enum call call, const struct kind *kind, struct err *err)
{
        static const char *const verbs[] = {"get", "create", "update"};
        const char *own = call == CALL_CREATE ? kind->create_error : call == CALL_UPDATE ? kind->update_error : NULL;
        char *text CLEANUP_FREE = object_kind_text(cluster->phase, kind->kind);

        return own ? err_wrap(err, "%s", own) : err_wrap(err, "unable to %s %s", verbs[call], text);
}

void object_tell(const struct cluster *cluster, const char *action, const struct value *object,
                 const struct value *sent)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        struct value *line = action_new(cluster->phase, action);
        const char *space = meta(object, "namespace");

        if (!line)
                return;
        action_set(line, "apiVersion", value_string(value_map_get(object, "apiVersion"), NULL));
        action_set(line, "kind", value_string(value_map_get(object, "kind"), NULL));
        action_set(line, "namespace", *space ? space : NULL);
        action_set(line, "name", meta(object, "name"));
        if (sent) {
                json_write(sent, 0, &text);
                action_set_content(line, buf_str(&text), text.len);
        }
        /* The names are the server's to take, so they fit. */
        (void)action_tell(cluster->phase, line, NULL);
}

static void count_made(struct cluster *cluster, const struct value *object)
{
        char *text CLEANUP_FREE = object_text(object);

        cluster->made++;
        phase_detail(cluster->phase, 2, "%s: created", text);
        object_tell(cluster, "create", object, object);
}

/* sent: NULL where nothing was to be changed. Whether an update changed anything: the server keeps the resourceVersion
 * of an object that stays as it is. */
static void count_update(struct cluster *cluster, const struct value *object, const struct value *before,
                         const struct value *after, const struct value *sent)
{
        char *text CLEANUP_FREE = object_text(object);
        bool same =
                !sent || (before && after && str_eq(meta(before, "resourceVersion"), meta(after, "resourceVersion")));

        object_tell(cluster, same ? "keep" : "update", object, same ? NULL : sent);
        *(same ? &cluster->same : &cluster->changed) += 1;
        phase_detail(cluster->phase, same ? 1 : 2, same ? "%s: is there already and stays as it is" : "%s: updated",
                     text);
}

int object_get(struct cluster *cluster, const struct value *object, struct value **ret, struct err *err)
{
        char *path CLEANUP_FREE = object_path(object, true);
        struct value *there CLEANUP_VALUE = NULL;
        struct err why = ERR_INIT;
        int r = api_wait_request(cluster->api, "GET", 0, path, NULL, &there, &why);

        if (r == 0 && !value_is(there, VALUE_MAP))
                r = err_set(&why, ERR_PROTOCOL, "the server's answer is no JSON object");
        if (r < 0 && why.status == STATUS_NOT_FOUND)
                return 1;
        if (r < 0) {
                (void)named(object, &why);
                if (err)
                        *err = why;
                return r;
        }
        *ret = TAKE_PTR(there);
        return 0;
}

/* body is what object comes to: the same, or the one that was there with changes, whose name is not looked at. */
static int put(struct cluster *cluster, const struct value *object, const struct value *body,
               const struct value *before, struct err *err)
{
        char *path CLEANUP_FREE = object_path(object, true);
        struct value *after CLEANUP_VALUE = NULL;
        int r = api_wait_request(cluster->api, "PUT", 0, path, body, &after, err);

        if (r == 0)
                count_update(cluster, object, before, after, body);
        return r;
}

int object_update(struct cluster *cluster, const struct value *object, struct err *err)
{
        int r = put(cluster, object, object, NULL, err);

        return r < 0 ? named(object, err) : 0;
}

/* 1: made. 0: it is there already. */
static int post(struct cluster *cluster, const struct value *object, struct err *err)
{
        char *path CLEANUP_FREE = object_path(object, false);
        int r = api_wait_request(cluster->api, "POST", 0, path, object, NULL, err);

        if (r == 0) {
                count_made(cluster, object);
                return 1;
        }
        /* A Service that is there is refused for its address first. */
        bool taken =
                err->status == STATUS_INVALID && str_eq(value_string(value_map_get(object, "kind"), ""), "Service");
        return err->status == STATUS_CONFLICT || taken ? 0 : r;
}

static int update(struct cluster *cluster, const struct value *object, const struct kind *kind, struct err *err)
{
        struct value *before CLEANUP_VALUE = NULL;

        (void)object_get(cluster, object, &before, NULL);
        if (era_lists(cluster->phase->era, "cluster", "neverUpdated", kind->kind)) {
                count_update(cluster, object, before, before, NULL);
                return 0;
        }
        return put(cluster, object, object, before, err) < 0 ? wrap_failure(cluster, CALL_UPDATE, kind, err) : 0;
}

static int try_update(struct cluster *cluster, void *userdata, struct err *err)
{
        const struct value *object = *(const struct value **)userdata;
        const struct kind *kind = find_kind(object);
        int r = post(cluster, object, err);

        if (r < 0)
                (void)wrap_failure(cluster, CALL_CREATE, kind, err);
        if (r == 0) {
                err_clear(err);
                r = update(cluster, object, kind, err) == 0 ? 1 : -err->code;
        }
        if (r > 0)
                return 1;
        (void)named(object, err);
        return 0;
}

static void set_all(struct value *to, const struct value *from)
{
        for (size_t i = 0; i < from->map.count; i++)
                value_map_set(to, from->map.entries[i].key, value_copy(from->map.entries[i].value));
}

static int mutate(struct cluster *cluster, const struct value *object, struct err *err)
{
        struct value *before CLEANUP_VALUE = NULL;
        int r = object_get(cluster, object, &before, err);

        if (r > 0)
                r = err_set(err, ENOENT, "it went away meanwhile");
        if (r < 0)
                return wrap_failure(cluster, CALL_GET, find_kind(object), err);
        struct value *changed CLEANUP_VALUE = value_copy(before);
        if (!value_is(value_map_get(changed, "data"), VALUE_MAP))
                value_map_set(changed, "data", value_new_map());
        set_all(value_map_get(changed, "data"), value_map_get(object, "data"));
        return put(cluster, object, changed, before, err);
}

static int try_mutate(struct cluster *cluster, void *userdata, struct err *err)
{
        const struct value *object = *(const struct value **)userdata;
        int r = post(cluster, object, err);

        if (r == 0) {
                err_clear(err);
                r = mutate(cluster, object, err) == 0 ? 1 : -err->code;
        }
        if (r > 0)
                return 1;
        (void)named(object, err);
        return 0;
}

static int try_retain(struct cluster *cluster, void *userdata, struct err *err)
{
        const struct value *object = *(const struct value **)userdata;
        struct value *before CLEANUP_VALUE = NULL;
        int r = object_get(cluster, object, &before, err);

        if (r == 0) {
                count_update(cluster, object, before, before, NULL);
                return 1;
        }
        if (r < 0)
                (void)wrap_failure(cluster, CALL_GET, find_kind(object), err);
        else if (post(cluster, object, err) > 0)
                return 1;
        else
                (void)wrap_failure(cluster, CALL_CREATE, find_kind(object), err);
        (void)named(object, err);
        return 0;
}

bool object_is_tried_once(const struct phase *phase, const struct value *object)
{
        char *text CLEANUP_FREE = object_text(object);
        const char *kind = value_string(value_map_get(object, "kind"), "");

        return era_lists(phase->era, "cluster", "triedOnce", kind) ||
               era_lists(phase->era, "cluster", "triedOnce", text);
}

static int write_object(struct cluster *cluster, const struct value *object, cluster_try_fn fn, struct err *err)
{
        const struct kind *kind = find_kind(object);

        if (!kind)
                return value_error(&object->place, err, ERR_UNSUPPORTED, "no API objects of kind \"%s\" are written",
                                   value_string(value_map_get(object, "kind"), ""));
        if (cluster->dry_run)
                return object_dry_run(cluster, "CREATE", object, object, err);
        bool once = fn != try_mutate && object_is_tried_once(cluster->phase, object);
        return cluster_poll(cluster, once ? 0 : cluster->call_timeout, fn, &object, err);
}

int object_create_or_update(struct cluster *cluster, const struct value *object, struct err *err)
{
        return write_object(cluster, object, try_update, err);
}

int object_create_or_mutate(struct cluster *cluster, const struct value *object, struct err *err)
{
        return write_object(cluster, object, try_mutate, err);
}

int object_create_or_retain(struct cluster *cluster, const struct value *object, struct err *err)
{
        return write_object(cluster, object, try_retain, err);
}

int object_dry_run(const struct cluster *cluster, const char *verb, const struct value *object,
                   const struct value *body, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        const struct kind *kind = find_kind(object);
        const struct phase *phase = cluster->phase;

        object_tell(cluster,
                    str_eq(verb, "CREATE")  ? "create"
                    : str_eq(verb, "PATCH") ? "update"
                                            : "delete",
                    object, body);
        phase_say(phase, "[dryrun] Would perform action %s on resource \"%s\" in API group \"%s/%s\"", verb,
                  kind->resource, *kind->group ? kind->group : "core", kind->version);
        if (!body || !str_eq(verb, "CREATE"))
                phase_say(phase, "[dryrun] Resource name \"%s\", namespace \"%s\"", meta(object, "name"),
                          meta(object, "namespace"));
        if (!body)
                return 0;
        yaml_write(body, 0, &out);
        int r = buf_check(&out, meta(object, "name"), err);
        if (r < 0)
                return r;
        phase_say(phase, "[dryrun] Attached object:");
        phase_say(phase, "%s", buf_str(&out));
        return 0;
}

/* ---- the Node ---- */

struct node_change {
        const struct value *object; /* which */
        object_node_fn fn;
        void *userdata;
};

/* Row nodePatchRetries: after which statuses a patch is tried again; no row: after any failure. */
static bool is_tried_again(const struct phase *phase, int status)
{
        const struct value *statuses = era_value(phase->era, "cluster", "nodePatchRetries");
        int64_t number;

        for (size_t i = 0; value_is(statuses, VALUE_LIST) && i < statuses->list.count; i++)
                if (value_int(statuses->list.items[i], &number) == 0 && number == status)
                        return true;
        return !statuses;
}

static int patch_failed(struct cluster *cluster, const char *name, struct err *err)
{
        const struct phase *phase = cluster->phase;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *context CLEANUP_VALUE = value_new_string(era_text(phase->era, "cluster", "nodePatchError", ""));
        const char *conflict = era_text(phase->era, "cluster", "nodePatchConflict", NULL);
        bool again = is_tried_again(phase, err->status);

        template_set_text(&variables, "node", name, NULL);
        int r = template_fill(context, &variables, err);
        if (r < 0)
                return r;
        if (err->status == STATUS_CONFLICT && conflict)
                phase_say(phase, "%s", conflict);
        (void)err_wrap(err, "%s", value_string(context, ""));
        return again ? 0 : -err->code;
}

static int try_patch_node(struct cluster *cluster, void *userdata, struct err *err)
{
        const struct node_change *change = userdata;
        struct value *node CLEANUP_VALUE = NULL, *patch CLEANUP_VALUE = value_new_map();
        const char *name = meta(change->object, "name");
        char *path CLEANUP_FREE = object_path(change->object, true);

        int r = api_wait_request(cluster->api, "GET", 0, path, NULL, &node, err);
        if (r < 0) {
                (void)named(change->object, err);
                return 0;
        }
        if (!value_get(node, "metadata", "labels", "kubernetes.io/hostname", NULL)) {
                (void)err_set(err, ETIMEDOUT, "Node \"%s\" has no label kubernetes.io/hostname yet", name);
                return 0;
        }
        change->fn(change->userdata, node, patch);
        if (patch->map.count == 0) {
                count_update(cluster, change->object, node, node, NULL);
                return 1;
        }
        if (!value_map_get(patch, "metadata"))
                value_map_set(patch, "metadata", value_new_map());
        value_map_set(value_map_get(patch, "metadata"), "resourceVersion",
                      value_new_string(meta(node, "resourceVersion")));
        r = api_wait_request(cluster->api, "PATCH", API_PATCH_STRATEGIC, path, patch, NULL, err);
        if (r < 0)
                return patch_failed(cluster, name, err);
        count_update(cluster, change->object, node, NULL, patch);
        return 1;
}

int object_patch_node(struct cluster *cluster, const char *name, object_node_fn fn, void *userdata, struct err *err)
{
        struct value *object CLEANUP_VALUE = value_new_map();
        struct node_change change = {.object = object, .fn = fn, .userdata = userdata};

        value_map_set(object, "apiVersion", value_new_string("v1"));
        value_map_set(object, "kind", value_new_string("Node"));
        value_map_set(value_map_set(object, "metadata", value_new_map()), "name", value_new_string(name));
        if (!cluster->dry_run)
                return cluster_poll(cluster, cluster->node_timeout, try_patch_node, &change, err);
        struct value *node CLEANUP_VALUE = value_copy(object), *patch CLEANUP_VALUE = value_new_map();
        struct value *labels = value_map_set(value_map_get(node, "metadata"), "labels", value_new_map());
        value_map_set(labels, "kubernetes.io/hostname", value_new_string(name));
        fn(userdata, node, patch);
        return object_dry_run(cluster, "PATCH", object, patch, err);
}
