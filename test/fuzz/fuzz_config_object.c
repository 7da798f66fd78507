/* SPDX-License-Identifier: Apache-2.0
 *
 * ConfigMaps and Secrets as a file of the manifest directory has them. What strict reading takes, lenient reading takes
 * as the same objects; each is found by its name, its items are sorted, and all of it stays within the ceiling.
 */
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "kube/config_object.h"
#include "kube/pod.h"

static int read_it(const char *data, size_t size, bool strict, struct config_objects *ret)
{
        struct pod_findings findings = {0};
        struct err err = ERR_INIT;
        int r = config_objects_read("f.yaml", data, size, strict, ret, &findings, &err);

        MUST((r < 0) == (err.msg[0] != '\0'));
        MUST(r == 0 ? ret->count > 0 : ret->count == 0);
        pod_findings_release(&findings);
        return r;
}

static void check_object(const struct config_objects *all, const struct config_object *object)
{
        size_t bytes = 0;

        MUST(object->kind < CONFIG_KIND_MAX && object->name[0] && object->namespace[0]);
        const struct config_object *found = config_objects_find(all, object->kind, object->namespace, object->name);
        MUST(found && config_object_equal(found, found) && strcmp(found->name, object->name) == 0);
        for (size_t i = 0; i < object->count; i++) {
                const struct config_item *item = &object->items[i];

                MUST(item->key[0] && item->data[item->len] == '\0');
                MUST(i == 0 || strcmp(object->items[i - 1].key, item->key) < 0);
                MUST(config_object_item(object, item->key) == item);
                bytes += item->len;
        }
        MUST(bytes <= CONFIG_BYTES_MAX && !config_object_item(object, "no such key"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct config_objects strict = {0}, lenient = {0};
        int r = read_it((const char *)data, size, true, &strict),
            s = read_it((const char *)data, size, false, &lenient);

        MUST(r < 0 || r == s);
        /* A file that holds them is never taken for one of a pod alone. */
        MUST(s != 0 || config_object_likely((const char *)data, size));
        MUST(strict.count == 0 || strict.count == lenient.count);
        for (size_t i = 0; i < lenient.count; i++) {
                check_object(&lenient, lenient.items[i]);
                MUST(strict.count == 0 || config_object_equal(strict.items[i], lenient.items[i]));
        }
        config_objects_release(&strict);
        config_objects_release(&lenient);
        return 0;
}
