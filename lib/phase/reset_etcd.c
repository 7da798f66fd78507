/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/reset_etcd.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/arguments.h"
#include "phase/phase.h"

#define DATA_VOLUME "etcd-data"
#define CLIENT_PORT "2379"

/* The value of --NAME=VALUE in the command of the first container, or "". */
static const char *argument(const struct value *pod, const char *name)
{
        const struct value *containers = value_get(pod, "spec", "containers", NULL);
        const struct value *first =
                value_is(containers, VALUE_LIST) && containers->list.count > 0 ? containers->list.items[0] : NULL;
        const struct value *command = first ? value_map_get(first, "command") : NULL;

        for (size_t i = 0; value_is(command, VALUE_LIST) && i < command->list.count; i++) {
                const char *rest = argument_rest(command->list.items[i], name);
                if (rest && rest[0] == '=')
                        return rest + 1;
        }
        return "";
}

static void add_endpoint(struct reset_etcd *etcd, const char *url)
{
        if (!str_empty(url) && etcd->endpoints.len < RESET_ETCD_ENDPOINTS && !strv_contains(&etcd->endpoints, url))
                strv_add(&etcd->endpoints, url);
}

/* kubeadm's members have their clients at one port (GetClientURLByIP). */
static void add_endpoint_of_peer(struct reset_etcd *etcd, const char *peer_url)
{
        const char *port = strrchr(peer_url, ':');

        if (!port || port[1] == '\0' || port[1 + strspn(port + 1, "0123456789")] != '\0')
                return;
        char *url CLEANUP_FREE = xasprintf("%.*s:" CLIENT_PORT, (int)(port - peer_url), peer_url);
        add_endpoint(etcd, url);
}

static void read_cluster(struct reset_etcd *etcd, const struct value *pod)
{
        struct strv own CLEANUP_STRV = STRV_INIT, peers CLEANUP_STRV = STRV_INIT, all CLEANUP_STRV = STRV_INIT;
        const char *url, *member;

        strv_split(&own, argument(pod, "advertise-client-urls"), ',');
        STRV_FOREACH (url, &own)
                add_endpoint(etcd, url);
        strv_split(&peers, argument(pod, "initial-advertise-peer-urls"), ',');
        if (!str_empty(peers.items[0]))
                etcd->peer_url = xstrdup(peers.items[0]);
        strv_split(&all, argument(pod, "initial-cluster"), ',');
        STRV_FOREACH (member, &all)
                if (strchr(member, '='))
                        add_endpoint_of_peer(etcd, strchr(member, '=') + 1);
}

static const char *data_dir_of(const struct value *pod)
{
        const struct value *volumes = value_get(pod, "spec", "volumes", NULL);

        for (size_t i = 0; value_is(volumes, VALUE_LIST) && i < volumes->list.count; i++) {
                const struct value *volume = volumes->list.items[i];
                const char *path = value_string(value_get(volume, "hostPath", "path", NULL), "");
                if (str_eq(value_string(value_map_get(volume, "name"), ""), DATA_VOLUME) && path[0] == '/')
                        return path;
        }
        return NULL;
}

int reset_etcd_read(const struct phase *phase, struct reset_etcd *ret, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        struct value *pod CLEANUP_VALUE = NULL;
        size_t len;
        int r = phase_read_file(phase, RESET_ETCD_MANIFEST, LIMIT_MANIFEST_BYTES, &text, &len, err);

        if (r == 0)
                r = yaml_load_one(RESET_ETCD_MANIFEST, text, len, 0, &pod, err);
        if (r != 0)
                return r;
        const char *data_dir = data_dir_of(pod);
        if (!data_dir)
                return err_set(err, ERR_INVALID, "invalid etcd pod manifest");
        ret->data_dir = xstrdup(data_dir);
        read_cluster(ret, pod);
        return 0;
}

void reset_etcd_release(struct reset_etcd *etcd)
{
        free(etcd->data_dir);
        free(etcd->peer_url);
        strv_release(&etcd->endpoints);
        *etcd = (struct reset_etcd){0};
}
