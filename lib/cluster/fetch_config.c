/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/fetch_config.h"

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/err.h"
#include "cluster/cluster.h"
#include "codec/value.h"
#include "phase/phase.h"

#define PATH "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
/* apiclient.GetConfigMapWithShortRetry */
#define RETRY_INTERVAL (50 * USEC_PER_MSEC)
#define RETRY_TIMEOUT (350 * USEC_PER_MSEC)

static int get_with_retry(struct api_wait *api, struct value **ret, struct err *err)
{
        usec_t end = usec_add(clock_boottime(), RETRY_TIMEOUT);

        for (;;) {
                err_clear(err);
                int r = api_wait_request(api, "GET", 0, PATH, NULL, ret, err);
                if (r == 0 || clock_boottime() >= end)
                        return r;
                r = api_wait_pause(api, RETRY_INTERVAL, err);
                if (r < 0)
                        return r;
        }
}

int fetch_config(const struct phase *phase, const struct kubeconfig *config, const char *prefix, char **ret,
                 struct err *err)
{
        struct api_wait *api CLEANUP_API_WAIT = NULL;
        struct value *map CLEANUP_VALUE = NULL;
        int r = cluster_connect(config, NULL, &api, err);

        if (r < 0)
                return r;
        if (prefix) {
                phase_say(phase, "[%s] %s", prefix, era_text(phase->era, "cluster", "fetchReading", ""));
                phase_say(phase, "[%s] %s", prefix, era_text(phase->era, "cluster", "fetchHint", ""));
        }
        r = get_with_retry(api, &map, err);
        if (r < 0)
                return err_wrap(err, "failed to get config map");
        const char *text = value_string(value_get(map, "data", "ClusterConfiguration", NULL), NULL);
        if (!text)
                return err_set(err, ERR_PROTOCOL,
                               "unexpected error when reading kubeadm-config ConfigMap: ClusterConfiguration key value "
                               "pair missing");
        *ret = xstrdup(text);
        return 0;
}
