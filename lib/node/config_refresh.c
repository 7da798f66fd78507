/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "node/config_refresh.h"
#include "node/pod_facts.h"
#include "node/pod_store.h"
#include "node/volume.h"

void config_refresh(const struct pod_store *store, const struct host *host,
                    void (*failed)(void *userdata, const char *key, const char *message), void *userdata)
{
        for (struct pod_entry *e = pod_store_next(store, NULL); e; e = pod_store_next(store, e)) {
                const struct pod_incarnation *next = fact_next_shares(e->view) ? NULL : e->view->next;
                const struct pod_incarnation *const all[] = {e->view->current, next};

                for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                        struct err err = ERR_INIT;

                        if (all[i] && all[i]->volumes_ready && volume_refresh(host, all[i]->pod, &err) < 0)
                                failed(userdata, e->view->key, err.msg);
                }
        }
}
