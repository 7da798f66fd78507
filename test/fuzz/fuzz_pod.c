/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a manifest holds: it is a pod or a fatal finding says why not; a pod can be stored and read back as the same
 * pod; the same manifest is the same pod again, strictly read or not.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "fuzz.h"
#include "kube/pod.h"

static const struct pod_source source = {.node_name = "node", .file = "input", .seen = 1700000000000000};

static bool any_fatal(const struct pod_findings *findings)
{
        for (size_t i = 0; i < findings->count; i++) {
                MUST(findings->items[i].text[0] != '\0');
                if (findings->items[i].fatal)
                        return true;
        }
        return false;
}

static void check_pod(const struct pod *pod)
{
        struct pod *again CLEANUP_POD = NULL;
        struct err err = ERR_INIT;
        char hash[9];

        MUST(strlen(pod->json) == pod->json_len);
        MUST(pod->name[0] && pod->namespace[0] && pod->uid[0]);
        MUST(!strpbrk(pod->name, "/_") && !strpbrk(pod->uid, "/_") && !strchr(pod->namespace, '/'));
        MUST(pod->container_count > pod->init_count && pod->container_count <= 2 * LIMIT_CONTAINERS_PER_POD);
        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_container *c = &pod->containers[i];

                MUST(c->name[0] && c->image[0]);
                MUST(pod_find_container(pod, c->name) == c);
                pod_container_hash(c, hash);
                for (int k = 0; k < POD_PROBE_KIND_MAX; k++) {
                        enum pod_handler_type type = c->probes[k].handler.type;

                        MUST(type == POD_HANDLER_NONE || type == POD_HANDLER_EXEC ||
                             pod_handler_port(c, &c->probes[k].handler) > 0);
                }
        }
        if (pod_from_json(pod->json, pod->json_len, &again, &err) < 0)
                (void)fprintf(stderr, "%s\n%s\n", err.msg, pod->json);
        MUST(again);
        MUST(strcmp(again->json, pod->json) == 0 && strcmp(again->spec_hash, pod->spec_hash) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0}, strict CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL, *same CLEANUP_POD = NULL;
        struct err err = ERR_INIT;
        int r = pod_from_manifest((const char *)data, size, &source, false, &pod, &findings, &err);
        int strict_r = pod_from_manifest((const char *)data, size, &source, true, &same, &strict, NULL);

        MUST((r == 0) == (pod != NULL) && (r < 0) == (err.code != 0));
        MUST(findings.count <= LIMIT_FINDINGS);
        MUST(any_fatal(&findings) == (r < 0) || r == -ERR_LIMIT);
        MUST(r == 0 || strict_r < 0);
        if (pod)
                check_pod(pod);
        if (same)
                MUST(strcmp(pod->uid, same->uid) == 0 && strcmp(pod->json, same->json) == 0);
        return 0;
}
