/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/coredns.h"

#include <stdlib.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "codec/value.h"
#include "phase/corefile_migration.h"
#include "phase/phase.h"

#define DEPLOYMENTS "/apis/apps/v1/namespaces/kube-system/deployments"
#define DNS_DEPLOYMENTS DEPLOYMENTS "?labelSelector=k8s-app%3Dkube-dns"
#define DEPLOYMENT DEPLOYMENTS "/coredns"
#define BACKUP "Corefile-backup"

int coredns_deployment(struct cluster *cluster, struct value **ret, struct err *err)
{
        struct value *list CLEANUP_VALUE = NULL;
        int r = api_wait_request(cluster->api, "GET", 0, DNS_DEPLOYMENTS, NULL, &list, err);

        *ret = NULL;
        if (r < 0)
                return err_wrap(err, "couldn't retrieve DNS addon deployments");
        const struct value *items = value_map_get(list, "items");
        if (!value_is(items, VALUE_LIST) || items->list.count == 0)
                return 0;
        if (items->list.count > 1)
                return err_set(err, ERR_CONFLICT,
                               "multiple DNS addon deployments found: %zu with the label k8s-app=kube-dns",
                               items->list.count);
        *ret = value_copy(items->list.items[0]);
        return 0;
}

/* GetCoreDNSInfo. 1: there is no ConfigMap. */
static int read_deployed(struct cluster *cluster, const struct value *object, struct value **ret_map,
                         char **ret_version, struct err *err)
{
        struct value *deployment CLEANUP_VALUE = NULL;
        int r = object_get(cluster, object, ret_map, err);

        if (r != 0)
                return r;
        if (!value_get(*ret_map, "data", "Corefile", NULL))
                return err_set(err, ERR_INVALID, "unable to find the CoreDNS Corefile data");
        r = coredns_deployment(cluster, &deployment, err);
        if (r < 0)
                return r;
        const struct value *containers = value_get(deployment, "spec", "template", "spec", "containers", NULL);
        const struct value *first =
                value_is(containers, VALUE_LIST) && containers->list.count > 0 ? containers->list.items[0] : NULL;
        const char *image = value_string(value_map_get(first, "image"), "");
        *ret_version = deployment ? corefile_deployed_version(cluster->phase->era, image) : xstrdup("");
        return 0;
}

/* The ConfigMap as it is after a migration, which forgets what else it had. */
static struct value *migrated_map(const struct value *object, const char *before, const char *after)
{
        struct value *map = value_copy(object);
        struct value *data = value_map_set(map, "data", value_new_map());

        value_map_set(data, "Corefile", value_new_string(after));
        value_map_set(data, BACKUP, value_new_string(before));
        return map;
}

/* CoreDNS reads the old Corefile until its Deployment is written. */
static int point_to_backup(struct cluster *cluster, struct err *err)
{
        struct value *deployment CLEANUP_VALUE = NULL, *patch CLEANUP_VALUE = value_new_map();
        int r = api_wait_request(cluster->api, "GET", 0, DEPLOYMENT, NULL, &deployment, err);

        if (r < 0)
                return r;
        struct value *item = value_new_map(), *items = value_new_list(), *config = value_new_map();
        struct value *volume = value_new_map(), *volumes = value_new_list(), *at = patch;
        value_map_set(item, "key", value_new_string(BACKUP));
        value_map_set(item, "path", value_new_string("Corefile"));
        value_list_add(items, item);
        value_map_set(config, "name", value_new_string("coredns"));
        value_map_set(config, "items", items);
        value_map_set(volume, "name", value_new_string("config-volume"));
        value_map_set(volume, "configMap", config);
        value_list_add(volumes, volume);
        static const char *const above[] = {"spec", "template", "spec"};
        for (size_t i = 0; i < ARRAY_SIZE(above); i++)
                at = value_map_set(at, above[i], value_new_map());
        value_map_set(at, "volumes", volumes);
        r = api_wait_request(cluster->api, "PATCH", API_PATCH_STRATEGIC, DEPLOYMENT, patch, NULL, err);
        if (r < 0)
                return err_wrap(err, "unable to patch the CoreDNS deployment");
        object_tell(cluster, "update", deployment, patch);
        return 0;
}

static int tell_changes(const struct phase *phase, const char *from, const char *before, const char *after,
                        struct err *err)
{
        struct strv changes CLEANUP_STRV = STRV_INIT;
        bool needed;
        int r = corefile_changes(phase->era, from, before, &changes, &needed, err);

        if (r < 0)
                return err_wrap(err, "unable to get list of changes to the configuration.");
        phase_detail(phase, 2, "the CoreDNS configuration has been migrated and applied: %s.", after);
        phase_detail(phase, 2, "the old migration has been saved in the CoreDNS ConfigMap under the name [" BACKUP "]");
        phase_detail(phase, 2, "The changes in the new CoreDNS Configuration are as follows:");
        for (size_t i = 0; i < changes.len; i++)
                phase_detail(phase, 2, "%s", changes.items[i]);
        return 0;
}

/* migrateCoreDNSCorefile */
static int migrate(struct cluster *cluster, const struct value *object, const char *version, const char *before,
                   struct err *err)
{
        char *after CLEANUP_FREE = NULL;
        int r = corefile_migrate(cluster->phase->era, version, before, &after, err);

        if (r < 0)
                return err_wrap(err, "unable to migrate CoreDNS ConfigMap");
        struct value *map CLEANUP_VALUE = migrated_map(object, before, after);
        r = object_update(cluster, map, err);
        if (r < 0)
                return err_wrap(err, "unable to update the CoreDNS ConfigMap");
        r = point_to_backup(cluster, err);
        if (r < 0)
                return r;
        phase_say(cluster->phase, "[addons] Migrating CoreDNS Corefile");
        return tell_changes(cluster->phase, version, before, after, err);
}

static int write_corefile(struct cluster *cluster, const struct value *object, struct coredns *coredns, struct err *err)
{
        struct value *map CLEANUP_VALUE = NULL;
        char *version CLEANUP_FREE = NULL;
        enum corefile_plan plan = COREFILE_REPLACE;
        int r = cluster->dry_run ? 1 : read_deployed(cluster, object, &map, &version, err);

        if (r < 0)
                return err_wrap(err, "unable to fetch CoreDNS current installed version and ConfigMap.");
        const char *there = value_string(value_get(map, "data", "Corefile", NULL), "");
        if (r == 0)
                r = corefile_plan(cluster->phase->era, version, there, &plan, err);
        if (r < 0)
                return r;
        if (plan == COREFILE_REPLACE)
                return object_create_or_update(cluster, object, err);
        if (plan == COREFILE_MIGRATE) {
                struct err why = ERR_INIT;

                if (migrate(cluster, object, version, there, &why) == 0)
                        return 0;
                coredns->retain_deployment = true;
                phase_warn(cluster->phase,
                           "the CoreDNS Configuration was not migrated: %s. The existing CoreDNS Corefile "
                           "configuration has been retained.",
                           why.msg);
        }
        return object_create_or_retain(cluster, object, err);
}

int coredns_write(struct cluster *cluster, const struct value *object, struct coredns *coredns, struct err *err)
{
        const char *kind = value_string(value_map_get(object, "kind"), "");

        if (str_eq(kind, "ConfigMap"))
                return write_corefile(cluster, object, coredns, err);
        if (str_eq(kind, "Deployment") && coredns->retain_deployment)
                return object_create_or_retain(cluster, object, err);
        return object_create_or_update(cluster, object, err);
}
