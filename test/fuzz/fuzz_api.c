/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the API server to the watch of mirrors, the Node, its Lease and events, which all stand on the client that
 * is played here: the input is a sequence of answers, each a line "STATUS" and a body, parted by lines "%%". A call
 * gets the next one in the order in which calls were made; a watch gets it in small pieces. Whatever the server says,
 * nothing is lost: in the end all can be taken down, and no call is left.
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "api/client.h"
#include "api/client_internal.h"
#include "api/event.h"
#include "api/mirror.h"
#include "api/node.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "fuzz.h"
#include "net/loop.h"

#define CALLS_MAX 64
#define LINKS_MAX 8
#define PIECE 61

static struct loop *loop;

/* --- the client that is played ---------------------------------------------------------------------------------- */

struct api_call {
        api_done_fn done;
        api_data_fn data; /* a watch */
        void *userdata;
        uint64_t order;
        bool used;
        char what[160];   /* method and path */
        api_head_fn head; /* a watch */
};

static struct api_call calls[CALLS_MAX];
static uint64_t order;
static struct {
        api_link_fn fn;
        void *userdata;
} links[LINKS_MAX];
static bool up;

static struct api_call *call_new(const char *method, const char *path, api_done_fn done, api_data_fn data,
                                 void *userdata)
{
        for (size_t i = 0; i < CALLS_MAX; i++) {
                if (calls[i].used)
                        continue;
                calls[i] = (struct api_call){done, data, userdata, ++order, true, "", NULL};
                (void)snprintf(calls[i].what, sizeof(calls[i].what), "%s %s", method, path);
                return &calls[i];
        }
        MUST(false); /* more calls at once than ever are */
        return NULL;
}

struct api_call *api_client_request(struct api_client *client, const char *method, enum api_patch patch,
                                    const char *path, const char *body, api_done_fn done, void *userdata)
{
        (void)client;
        MUST(*method && strncmp(path, "/api", 4) == 0 && patch < API_PATCH_MAX);
        if (body) {
                struct cJSON *c CLEANUP_CJSON = cJSON_Parse(body);
                MUST(c);
        }
        return call_new(method, path, done, NULL, userdata);
}

struct api_call *api_client_write(struct api_client *client, const char *method, enum api_patch patch, const char *path,
                                  const char *body, api_done_fn done, void *userdata)
{
        return api_client_request(client, method, patch, path, body, done, userdata);
}

struct api_call *api_client_stream(struct api_client *client, const char *path, usec_t deadline, api_head_fn head,
                                   api_data_fn data, api_done_fn done, void *userdata)
{
        struct api_call *call = call_new("WATCH", path, done, data, userdata);

        (void)client;
        MUST(strncmp(path, "/api", 4) == 0 && deadline > 0);
        call->head = head;
        return call;
}

void api_call_cancel(struct api_call *call)
{
        MUST(call->used);
        call->used = false;
}

struct loop *api_client_loop(const struct api_client *client)
{
        (void)client;
        return loop;
}

bool api_client_up(const struct api_client *client)
{
        (void)client;
        return up;
}

const char *api_client_reason(const struct api_client *client)
{
        (void)client;
        return up ? "" : "down";
}

void api_client_poke(struct api_client *client)
{
        (void)client;
}

void api_client_subscribe(struct api_client *client, api_link_fn fn, void *userdata)
{
        (void)client;
        for (size_t i = 0; i < LINKS_MAX; i++)
                if (!links[i].fn) {
                        links[i].fn = fn;
                        links[i].userdata = userdata;
                        return;
                }
        MUST(false); /* more subscribers than there are modules */
}

void api_client_unsubscribe(struct api_client *client, api_link_fn fn, void *userdata)
{
        (void)client;
        for (size_t i = 0; i < LINKS_MAX; i++)
                if (links[i].fn == fn && links[i].userdata == userdata)
                        links[i].fn = NULL;
}

/* --- what stands on it ------------------------------------------------------------------------------------------ */

static struct mirrors *mirrors;

static void refused(void *userdata, const char *key, const char *message)
{
        (void)userdata;
        MUST(*key && message);
}

static void registered(void *userdata, const char *uid)
{
        (void)userdata;
        mirrors_set_node(mirrors, uid);
}

static void facts(void *userdata, struct node_facts *ret)
{
        (void)userdata;
        *ret = (struct node_facts){.internal_ip = "192.0.2.10",
                                   .hostname = "node1",
                                   .cpu_milli = 2000,
                                   .memory_bytes = 1 << 30,
                                   .ephemeral_bytes = 1 << 30,
                                   .allocatable_cpu_milli = 1900,
                                   .allocatable_memory_bytes = 1 << 30,
                                   .allocatable_ephemeral_bytes = 1 << 30,
                                   .max_pods = 110,
                                   .machine_id = "m",
                                   .system_uuid = "s",
                                   .boot_id = "b",
                                   .kernel_version = "6.1",
                                   .os_image = "os",
                                   .runtime_version = "docker://20.10",
                                   .kubelet_version = "v1.36.3",
                                   .architecture = "amd64",
                                   .kubelet_port = 10250,
                                   .unschedulable = true,
                                   .disk_pressure = true,
                                   .not_ready = "starting"};
}

static void tell(bool now_up)
{
        up = now_up;
        for (size_t i = 0; i < LINKS_MAX; i++)
                if (links[i].fn && up == now_up)
                        links[i].fn(links[i].userdata, up);
}

static void turn(void)
{
        struct err err = ERR_INIT;

        for (int i = 0; i < 20 && loop_step(loop, 1, &err) == 1; i++)
                ;
}

static struct api_call *oldest(const char *of)
{
        struct api_call *found = NULL;

        for (size_t i = 0; i < CALLS_MAX; i++)
                if (calls[i].used && strstr(calls[i].what, of) && (!found || calls[i].order < found->order))
                        found = &calls[i];
        return found;
}

static void feed(struct api_call *call, const char *body, size_t len)
{
        uint64_t of = call->order;

        for (size_t at = 0; at < len; at += PIECE) {
                char *piece CLEANUP_FREE = xstrndup(body + at, len - at < PIECE ? len - at : PIECE);
                if (!call->data(call->userdata, piece, strlen(piece)) || !call->used || call->order != of)
                        return;
        }
}

static void answer(struct api_call *call, int status, const char *body)
{
        struct cJSON *c CLEANUP_CJSON = cJSON_Parse(body);
        struct err err = ERR_INIT;
        const bool good = status >= 200 && status < 300;
        uint64_t of = call->order;

        if (!good) {
                (void)err_set(&err, ERR_REMOTE, "HTTP %d: %.1000s", status, cjson_text(c, "message", body));
                err.status = status;
        }
        if (good && call->head)
                call->head(call->userdata);
        if (good && call->data)
                feed(call, body, strlen(body));
        if (!call->used || call->order != of)
                return;
        struct api_call ended = *call;
        call->used = false;
        ended.done(ended.userdata, status, good && !ended.data ? c : NULL, good ? NULL : &err);
}

static void play(char *text)
{
        while (text && *text) {
                char *next = strstr(text, "\n%%\n"), *body = strchr(text, '\n');
                struct api_call *call;
                int status;

                if (next)
                        *next = '\0';
                if (body && (!next || body < next))
                        *body++ = '\0';
                else
                        body = text + strlen(text);
                turn();
                char *of = strchr(text, ' ');
                if (of)
                        *of++ = '\0';
                call = oldest(of ? of : "");
                if (!call) {
                        tell(false);
                        tell(true);
                        turn();
                        call = oldest(of ? of : "");
                }
                if (call && str_to_int(text, 0, 599, &status) == 0)
                        answer(call, status, body);
                text = next ? next + 4 : NULL;
        }
        turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char pod[] =
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"namespace\":"
                "\"default\",\"uid\":\"h1\",\"annotations\":{\"kubernetes.io/config.hash\":\"h1\"}},"
                "\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"b\"}]}}";
        static const char status[] =
                "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}";
        static const char *const labels[] = {"a=b", "kubernetes.io/os=x", "c", NULL};
        const struct node_options options = {.node_name = "node1", .labels = labels, .pod_cidr = "10.244.0.0/24"};
        const struct event event = {.kind = "Pod",
                                    .namespace = "default",
                                    .name = "web",
                                    .uid = "h1",
                                    .reason = "Started",
                                    .message = "Started container a"};
        struct api_client *client = (struct api_client *)calls; /* never looked into */
        char *text CLEANUP_FREE = xstrndup((const char *)data, size);
        struct mirror_state state;
        struct err err = ERR_INIT;

        if (!loop)
                MUST(loop_new(&loop, &err) == 0);
        up = false;
        mirrors = mirrors_new(loop, client, "node1", refused, NULL);
        struct node_object *node = node_new(loop, client, &options, facts, registered, NULL);
        struct events *events = events_new(loop, client, "podwatch", "node1");
        mirrors_set_node(mirrors, "node-uid");
        MUST(mirrors_set(mirrors, "default/web", pod, status, true, &err) == 0);
        mirrors_complete(mirrors);
        tell(true);
        events_post(events, &event);
        play(text);
        MUST(mirrors_state(mirrors, "default/web", &state) && state.refusal);
        MUST(node_reason(node));
        node_changed(node);
        for (int i = 0; i < 40; i++)
                events_post(events, &event);
        MUST(mirrors_set(mirrors, "default/web", pod, status, false, &err) == 0);
        MUST(mirrors_set(mirrors, "default/other", "{", status, true, &err) == -ERR_INVALID);
        MUST(!mirrors_state(mirrors, "default/nothing", &state));
        mirrors_remove(mirrors, "default/web");
        turn();
        events_free(events);
        node_free(node);
        mirrors_free(mirrors);
        turn();
        MUST(!oldest(""));
        return 0;
}
