/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "docker/docker_decode.h"

/* ---- pieces ---- */

static int parse(const char *json, size_t len, const char *what, struct cJSON **ret, struct err *err)
{
        cJSON *c = cJSON_ParseWithLength(json, len);
        if (!c)
                return err_set(err, ERR_PROTOCOL, "%s: Docker's answer is no JSON", what);
        *ret = c;
        return 0;
}

static int parse_object(const char *json, size_t len, const char *what, struct cJSON **ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse(json, len, what, &c, err);
        if (r < 0)
                return r;
        if (!cJSON_IsObject(c))
                return err_set(err, ERR_PROTOCOL, "%s: Docker's answer is no object", what);
        *ret = TAKE_PTR(c);
        return 0;
}

static char *text(const struct cJSON *object, const char *key)
{
        return xstrdup(cjson_text(object, key, ""));
}

static int bounded_int(const struct cJSON *object, const char *key)
{
        int64_t n = cjson_int(object, key, 0);
        return n < INT_MIN || n > INT_MAX ? 0 : (int)n;
}

static usec_t time_of(const struct cJSON *object, const char *key)
{
        usec_t t = 0;
        (void)timefmt_parse(cjson_text(object, key, ""), &t);
        return t;
}

static void strings(const struct cJSON *list, struct strv *out)
{
        const struct cJSON *item;
        if (!cJSON_IsArray(list))
                return;
        cJSON_ArrayForEach (item, list) {
                if (cJSON_IsString(item))
                        strv_add(out, item->valuestring);
        }
}

static void labels(const struct cJSON *map, struct docker_labels *out)
{
        const struct cJSON *item;
        size_t count = cJSON_IsObject(map) ? (size_t)cJSON_GetArraySize(map) : 0;
        if (count == 0)
                return;
        out->items = xcalloc(count, sizeof(*out->items));
        cJSON_ArrayForEach (item, map) {
                if (cJSON_IsString(item))
                        out->items[out->count++] = (struct docker_label){.key = xstrdup(item->string),
                                                                         .value = xstrdup(item->valuestring)};
        }
}

/* ---- version and info ---- */

int docker_decode_version(const char *json, size_t len, struct docker_version *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "version", &c, err);
        if (r < 0)
                return r;
        if (str_empty(cjson_text(c, "ApiVersion", NULL)))
                return err_set(err, ERR_PROTOCOL, "version: Docker's answer has no ApiVersion");
        *ret = (struct docker_version){
                .version = text(c, "Version"),
                .api_version = text(c, "ApiVersion"),
                .api_used = xstrdup(""),
                .os = text(c, "Os"),
                .arch = text(c, "Arch"),
                .kernel = text(c, "KernelVersion"),
        };
        return 0;
}

int docker_decode_version_min(const char *json, size_t len, char **ret_min, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "version", &c, err);
        if (r < 0)
                return r;
        *ret_min = text(c, "MinAPIVersion");
        return 0;
}

void docker_version_release(struct docker_version *version)
{
        free(version->version);
        free(version->api_version);
        free(version->api_used);
        free(version->os);
        free(version->arch);
        free(version->kernel);
        *version = (struct docker_version){0};
}

/* SecurityOptions are "name=seccomp,profile=default" (since API 1.25), "name=apparmor". */
static bool has_security(const struct cJSON *info, const char *name)
{
        const struct cJSON *item, *list = cjson_get(info, "SecurityOptions", NULL);
        if (!cJSON_IsArray(list))
                return false;
        cJSON_ArrayForEach (item, list) {
                const char *rest = cJSON_IsString(item) ? str_after(item->valuestring, "name=") : NULL;
                rest = rest ? str_after(rest, name) : NULL;
                if (rest && (*rest == '\0' || *rest == ','))
                        return true;
        }
        return false;
}

int docker_decode_info(const char *json, size_t len, struct docker_info *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "info", &c, err);
        if (r < 0)
                return r;
        int cgroup_version;
        /* A string, absent before API 1.41, when there was only version 1. */
        if (str_to_int(cjson_text(c, "CgroupVersion", "1"), 1, 2, &cgroup_version) < 0)
                return err_set(err, ERR_PROTOCOL, "info: unknown CgroupVersion '%s'",
                               cjson_text(c, "CgroupVersion", ""));
        *ret = (struct docker_info){
                .id = text(c, "ID"),
                .name = text(c, "Name"),
                .cgroup_driver = text(c, "CgroupDriver"),
                .cgroup_version = cgroup_version,
                .storage_driver = text(c, "Driver"),
                .root_dir = text(c, "DockerRootDir"),
                .logging_driver = text(c, "LoggingDriver"),
                .os_name = text(c, "OperatingSystem"),
                .live_restore = cjson_bool(c, "LiveRestoreEnabled"),
                .apparmor = has_security(c, "apparmor"),
                .seccomp = has_security(c, "seccomp"),
                .memory_total = cjson_int(c, "MemTotal", 0),
                .cpus = bounded_int(c, "NCPU"),
        };
        return 0;
}

void docker_info_release(struct docker_info *info)
{
        free(info->id);
        free(info->name);
        free(info->cgroup_driver);
        free(info->storage_driver);
        free(info->root_dir);
        free(info->logging_driver);
        free(info->os_name);
        *info = (struct docker_info){0};
}

/* ---- containers ---- */

static int state_of(const char *what, const char *name, enum docker_state *ret, struct err *err)
{
        *ret = docker_state_from_name(name);
        if (*ret == DOCKER_STATE_MAX)
                return err_set(err, ERR_PROTOCOL, "%s: unknown container state '%s'", what, name);
        return 0;
}

/* The container's own name is the one with a single slash; those with more are links to it. */
static const char *own_name(const struct cJSON *names)
{
        const struct cJSON *item;
        if (cJSON_IsArray(names)) {
                cJSON_ArrayForEach (item, names) {
                        if (cJSON_IsString(item) && item->valuestring[0] == '/' && !strchr(item->valuestring + 1, '/'))
                                return item->valuestring + 1;
                }
        }
        return "";
}

static int decode_summary(const struct cJSON *c, struct docker_container *ret, struct err *err)
{
        enum docker_state state;
        const char *id = cjson_text(c, "Id", "");
        if (!*id)
                return err_set(err, ERR_PROTOCOL, "containers: one has no Id");
        int r = state_of("containers", cjson_text(c, "State", ""), &state, err);
        if (r < 0)
                return r;
        int64_t created = cjson_int(c, "Created", 0); /* whole seconds here */
        *ret = (struct docker_container){
                .id = xstrdup(id),
                .name = xstrdup(own_name(cjson_get(c, "Names", NULL))),
                .image = text(c, "Image"),
                .image_id = text(c, "ImageID"),
                .state = state,
                .created = created > 0 ? (usec_t)created * USEC_PER_SEC : 0,
        };
        labels(cjson_get(c, "Labels", NULL), &ret->labels);
        return 0;
}

int docker_decode_containers(const char *json, size_t len, struct docker_containers *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        const struct cJSON *item;
        int r = parse(json, len, "containers", &c, err);
        if (r < 0)
                return r;
        if (!cJSON_IsArray(c))
                return err_set(err, ERR_PROTOCOL, "containers: Docker's answer is no list");
        struct docker_containers list = {0};
        list.items = xcalloc((size_t)cJSON_GetArraySize(c), sizeof(*list.items));
        cJSON_ArrayForEach (item, c) {
                r = decode_summary(item, &list.items[list.count], err);
                if (r < 0) {
                        docker_containers_release(&list);
                        return r;
                }
                list.count++;
        }
        *ret = list;
        return 0;
}

void docker_containers_release(struct docker_containers *containers)
{
        for (size_t i = 0; i < containers->count; i++)
                docker_container_release(&containers->items[i]);
        free(containers->items);
        *containers = (struct docker_containers){0};
}

/* The address in the first network that gave one. */
static const char *first_ip(const struct cJSON *c)
{
        const struct cJSON *network, *networks = cjson_get(c, "NetworkSettings", "Networks", NULL);
        if (cJSON_IsObject(networks)) {
                cJSON_ArrayForEach (network, networks) {
                        const char *ip = cjson_text(network, "IPAddress", "");
                        if (*ip)
                                return ip;
                }
        }
        return "";
}

int docker_decode_container(const char *json, size_t len, struct docker_container *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        enum docker_state status;
        int r = parse_object(json, len, "container", &c, err);
        if (r < 0)
                return r;
        const struct cJSON *state = cjson_get(c, "State", NULL), *config = cjson_get(c, "Config", NULL);
        const char *id = cjson_text(c, "Id", ""), *name = cjson_text(c, "Name", "");
        if (!*id)
                return err_set(err, ERR_PROTOCOL, "container: Docker's answer has no Id");
        r = state_of("container", cjson_text(state, "Status", ""), &status, err);
        if (r < 0)
                return r;
        *ret = (struct docker_container){
                .id = xstrdup(id),
                .name = xstrdup(name[0] == '/' ? name + 1 : name),
                .image = text(config, "Image"),
                .image_id = text(c, "Image"),
                .state = status,
                .created = time_of(c, "Created"),
                .inspected = true,
                .pid = bounded_int(state, "Pid"),
                .exit_code = bounded_int(state, "ExitCode"),
                .oom_killed = cjson_bool(state, "OOMKilled"),
                .error = text(state, "Error"),
                .started = time_of(state, "StartedAt"),
                .finished = time_of(state, "FinishedAt"),
                .ip = xstrdup(first_ip(c)),
                .log_path = text(c, "LogPath"),
                .resolv_conf = text(c, "ResolvConfPath"),
                .hosts_path = text(c, "HostsPath"),
                .network_mode = text(cjson_get(c, "HostConfig", NULL), "NetworkMode"),
        };
        labels(cjson_get(config, "Labels", NULL), &ret->labels);
        return 0;
}

/* ---- images ---- */

static int decode_image(const struct cJSON *c, struct docker_image *ret, struct err *err)
{
        const struct cJSON *config = cjson_get(c, "Config", NULL);
        const char *id = cjson_text(c, "Id", "");
        if (!*id)
                return err_set(err, ERR_PROTOCOL, "image: Docker's answer has no Id");
        *ret = (struct docker_image){
                .id = xstrdup(id),
                .user = text(config, "User"),
                .working_dir = text(config, "WorkingDir"),
                .stop_signal = text(config, "StopSignal"),
                .size_bytes = cjson_int(c, "Size", 0),
        };
        strings(cjson_get(c, "RepoTags", NULL), &ret->repo_tags);
        strings(cjson_get(c, "RepoDigests", NULL), &ret->repo_digests);
        strings(cjson_get(config, "Entrypoint", NULL), &ret->entrypoint);
        strings(cjson_get(config, "Cmd", NULL), &ret->cmd);
        strings(cjson_get(config, "Env", NULL), &ret->env);
        return 0;
}

int docker_decode_image(const char *json, size_t len, struct docker_image *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "image", &c, err);
        return r < 0 ? r : decode_image(c, ret, err);
}

int docker_decode_images(const char *json, size_t len, struct docker_images *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        const struct cJSON *item;
        int r = parse(json, len, "images", &c, err);
        if (r < 0)
                return r;
        if (!cJSON_IsArray(c))
                return err_set(err, ERR_PROTOCOL, "images: Docker's answer is no list");
        struct docker_images list = {0};
        list.items = xcalloc((size_t)cJSON_GetArraySize(c), sizeof(*list.items));
        cJSON_ArrayForEach (item, c) {
                r = decode_image(item, &list.items[list.count], err);
                if (r < 0) {
                        docker_images_release(&list);
                        return r;
                }
                list.count++;
        }
        *ret = list;
        return 0;
}

void docker_images_release(struct docker_images *images)
{
        for (size_t i = 0; i < images->count; i++)
                docker_image_release(&images->items[i]);
        free(images->items);
        *images = (struct docker_images){0};
}

/* ---- small answers ---- */

int docker_decode_id(const char *json, size_t len, char **ret_id, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "create", &c, err);
        if (r < 0)
                return r;
        if (str_empty(cjson_text(c, "Id", NULL)))
                return err_set(err, ERR_PROTOCOL, "create: Docker's answer has no Id");
        *ret_id = text(c, "Id");
        return 0;
}

int docker_decode_exec(const char *json, size_t len, int *ret_exit_code, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "exec", &c, err);
        if (r < 0)
                return r;
        if (cjson_bool(c, "Running"))
                return -EAGAIN;
        if (!cJSON_IsNumber(cjson_get(c, "ExitCode", NULL)))
                return err_set(err, ERR_PROTOCOL, "exec: Docker's answer has no ExitCode");
        *ret_exit_code = bounded_int(c, "ExitCode");
        return 0;
}

/* ---- events ---- */

/* timeNano is beyond 2^53, so its double is off by up to 128 ns; microseconds are what is wanted. */
static usec_t event_time(const struct cJSON *c)
{
        const struct cJSON *nano = cjson_get(c, "timeNano", NULL);
        if (cJSON_IsNumber(nano) && nano->valuedouble >= 0 && nano->valuedouble < 1e19)
                return (usec_t)nano->valuedouble / 1000;
        int64_t sec = cjson_int(c, "time", 0);
        return sec > 0 ? (usec_t)sec * USEC_PER_SEC : 0;
}

int docker_decode_event(const char *json, size_t len, struct docker_event_owned *ret, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "event", &c, err);
        if (r < 0)
                return r;
        const struct cJSON *actor = cjson_get(c, "Actor", NULL), *attributes = cjson_get(actor, "Attributes", NULL);
        if (!*cjson_text(c, "Type", "") || !*cjson_text(c, "Action", ""))
                return err_set(err, ERR_PROTOCOL, "event: Docker's answer has no Type or no Action");
        *ret = (struct docker_event_owned){
                .type = text(c, "Type"),
                .action = text(c, "Action"),
                .id = text(actor, "ID"),
                .name = text(attributes, "name"),
        };
        labels(attributes, &ret->attributes);
        ret->event = (struct docker_event){
                .type = ret->type,
                .action = ret->action,
                .id = ret->id,
                .name = ret->name,
                .attributes = &ret->attributes,
                .time = event_time(c),
        };
        return 0;
}

void docker_event_owned_release(struct docker_event_owned *event)
{
        free(event->type);
        free(event->action);
        free(event->id);
        free(event->name);
        docker_labels_release(&event->attributes);
        *event = (struct docker_event_owned){0};
}

/* ---- progress and refusals ---- */

/* "progress" is a bar and the figures behind it: "[==>   ]  32.77kB/1.031MB". */
static const char *progress_figures(const struct cJSON *c)
{
        const char *bar = cjson_text(c, "progress", ""), *end = strrchr(bar, ']');
        if (!end)
                return bar;
        for (end++; *end == ' ';)
                end++;
        return end;
}

int docker_decode_progress(const char *json, size_t len, struct buf *out, struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = NULL;
        int r = parse_object(json, len, "progress", &c, err);
        if (r < 0)
                return r;
        const struct cJSON *detail = cjson_get(c, "errorDetail", NULL);
        const char *error = cjson_text(c, "error", cjson_text(detail, "message", NULL));
        if (error) {
                int64_t status = cjson_int(detail, "code", 0);
                r = err_set(err, ERR_REMOTE, "%s", error);
                if (err)
                        err->status = status >= 400 && status < 600 ? (int)status : 0;
                return r;
        }
        const char *id = cjson_text(c, "id", ""), *figures = progress_figures(c);
        const char *status = cjson_text(c, "status", cjson_text(c, "stream", ""));
        size_t status_len = strlen(status);
        while (status_len && strchr(" \r\n", status[status_len - 1]))
                status_len--;
        if (!status_len)
                return 0;
        if (*id)
                buf_addf(out, "%s: ", id);
        buf_add(out, status, status_len);
        if (*figures)
                buf_addf(out, " %s", figures);
        return 0;
}

void docker_decode_message(const char *body, size_t len, struct buf *out)
{
        struct cJSON *c CLEANUP_CJSON = cJSON_ParseWithLength(body, len);
        const char *message = cjson_text(c, "message", NULL);
        if (message) {
                body = message;
                len = strlen(message);
        }
        while (len && strchr(" \t\r\n", body[len - 1]))
                len--;
        if (len > out->max - out->len)
                len = out->max - out->len;
        buf_add(out, body, utf8_valid_prefix(body, len));
}
