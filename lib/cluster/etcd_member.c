/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/etcd_member.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "codec/value.h"
#include "phase/action.h"
#include "phase/phase.h"
#include "phase/reset_etcd.h"

#define LIST "/v3/cluster/member/list"
#define REMOVE "/v3/cluster/member/remove"
#define NSEC_PER_USEC 1000

struct etcd {
        struct phase *phase;
        struct api_wait *api;
        char *ca, *cert, *key; /* PEM */
};

static void etcd_release(struct etcd *etcd)
{
        etcd->api = api_wait_free(etcd->api);
        free(etcd->ca);
        free(etcd->cert);
        if (etcd->key)
                explicit_bzero(etcd->key, strlen(etcd->key));
        free(etcd->key);
}

static int read_pem(struct phase *phase, const char *certificates_dir, const char *name, char **ret, struct err *err)
{
        char *path CLEANUP_FREE = xasprintf("%s/etcd/%s", certificates_dir, name);
        size_t len;

        return phase_require_file(phase, path, LIMIT_PKI_FILE, ret, &len, err);
}

/* The answer's members, {ID, name, peerURLs, clientURLs} each; NULL where there are none. */
static const struct value *members_of(const struct value *answer)
{
        const struct value *members = value_is(answer, VALUE_MAP) ? value_map_get(answer, "members") : NULL;

        return value_is(members, VALUE_LIST) && members->list.count > 0 ? members : NULL;
}

/* An answer that has members. */
static int list_members(struct etcd *etcd, struct value **ret, struct err *err)
{
        struct value *nothing CLEANUP_VALUE = value_new_map(), *answer CLEANUP_VALUE = NULL;
        int r = api_wait_request(etcd->api, "POST", 0, LIST, nothing, &answer, err);

        if (r == 0 && !members_of(answer))
                r = err_set(err, ERR_REMOTE, "%s answered without members", api_wait_server(etcd->api));
        if (r == 0)
                *ret = TAKE_PTR(answer);
        return r;
}

/* Leaves etcd->api at the first endpoint that answers. */
static int connect_to_any(struct etcd *etcd, const struct strv *endpoints, struct value **ret, struct err *err)
{
        const char *endpoint;
        int r = err_set(err, ERR_INVALID, "the manifest %s names no endpoint", RESET_ETCD_MANIFEST);

        STRV_FOREACH (endpoint, endpoints) {
                const struct api_credentials credentials = {
                        .server = endpoint, .ca_pem = etcd->ca, .cert_pem = etcd->cert, .key_pem = etcd->key};
                etcd->api = api_wait_free(etcd->api);
                err_clear(err);
                r = api_wait_new(&credentials, "genphase/" GENPHASE_PROJECT_VERSION, &etcd->api, err);
                if (r == 0)
                        r = list_members(etcd, ret, err);
                if (r == 0)
                        return 0;
                phase_detail(etcd->phase, 1, "[etcd] %s does not tell its members: %s", endpoint, err->msg);
        }
        return r;
}

/* The id of the member with this peer URL, or NULL. */
static const char *member_id(const struct value *answer, const char *peer_url)
{
        const struct value *members = members_of(answer);

        for (size_t i = 0; i < members->list.count; i++) {
                const struct value *urls = value_map_get(members->list.items[i], "peerURLs");
                for (size_t j = 0; value_is(urls, VALUE_LIST) && j < urls->list.count; j++)
                        if (str_eq(value_string(urls->list.items[j], ""), peer_url))
                                return value_string(value_map_get(members->list.items[i], "ID"), NULL);
        }
        return NULL;
}

/* 1: it is out. 0: etcd would not, err is why. */
static int try_remove(struct etcd *etcd, const char *peer_url, struct err *err)
{
        struct value *answer CLEANUP_VALUE = NULL, *request CLEANUP_VALUE = value_new_map();

        if (list_members(etcd, &answer, err) < 0)
                return 0;
        const char *id = member_id(answer, peer_url);
        if (!id)
                return 1;
        value_map_set(request, "ID", value_new_string(id));
        return api_wait_request(etcd->api, "POST", 0, REMOVE, request, NULL, err) == 0;
}

static int remove_member(struct etcd *etcd, const char *peer_url, struct err *err)
{
        const usec_t timeout = (usec_t)etcd->phase->config->init.timeouts.etcd_api_call.nsec / NSEC_PER_USEC;
        const usec_t end = usec_add(clock_boottime(), timeout);

        for (;;) {
                err_clear(err);
                if (try_remove(etcd, peer_url, err) > 0)
                        return 0;
                if (clock_boottime() >= end)
                        return -err->code;
                phase_detail(etcd->phase, 5, "[etcd] Failed to remove etcd member: %s", err->msg);
                int r = api_wait_pause(etcd->api, CLUSTER_RETRY_INTERVAL, err);
                if (r < 0)
                        return r;
        }
}

int etcd_member_leave(struct phase *phase, const struct reset_etcd *etcd, const char *certificates_dir, struct err *err)
{
        struct etcd client CLEANUP(etcd_release) = {.phase = phase};
        struct value *answer CLEANUP_VALUE = NULL;
        int r = read_pem(phase, certificates_dir, "ca.crt", &client.ca, err);

        if (r == 0)
                r = read_pem(phase, certificates_dir, "healthcheck-client.crt", &client.cert, err);
        if (r == 0)
                r = read_pem(phase, certificates_dir, "healthcheck-client.key", &client.key, err);
        if (r == 0)
                r = connect_to_any(&client, &etcd->endpoints, &answer, err);
        if (r < 0)
                return r;
        const char *id = member_id(answer, etcd->peer_url);
        if (!id) {
                phase_detail(phase, 5, "[etcd] member was already removed, because no member id exists for peer %s",
                             etcd->peer_url);
                return 0;
        }
        if (members_of(answer)->list.count == 1) {
                phase_detail(phase, 1,
                             "[etcd] This is the only remaining etcd member in the etcd cluster, skip removing it");
                return 0;
        }
        phase_detail(phase, 1, "[etcd] removing etcd member: %s, id: %s", etcd->peer_url, id);
        r = remove_member(&client, etcd->peer_url, err);
        if (r < 0)
                return r;
        struct value *line = action_new(phase, "remove");
        action_set(line, "etcdMember", id);
        action_set(line, "peerURL", etcd->peer_url);
        return action_tell(phase, line, err);
}
