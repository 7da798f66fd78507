/* SPDX-License-Identifier: Apache-2.0
 *
 * No test: what podwatch makes of manifests, for test/peer/podcheck/differential. Each line of standard input is a
 * manifest as a JSON string; each line of standard output {"findings":[[fatal,"text"],...],"pod":{...},"qos":"..."},
 * without a pod where it was refused.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/value.h"
#include "kube/pod.h"

static const struct pod_source source = {.node_name = "node", .file = "m.yaml", .seen = 1700000000000000};

static int print_pod(const struct value *manifest, struct err *err)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct buf out CLEANUP_BUF = BUF_INIT(2 * LIMIT_YAML_OUTPUT);
        struct pod *pod CLEANUP_POD = NULL;

        (void)pod_from_manifest(manifest->text, manifest->len, &source, false, &pod, &findings, NULL);
        buf_addstr(&out, "{\"findings\":[");
        for (size_t i = 0; i < findings.count; i++) {
                const struct pod_finding *finding = &findings.items[i];

                buf_addf(&out, "%s[%s,", i > 0 ? "," : "", finding->fatal ? "true" : "false");
                buf_add_json_string(&out, finding->text, strlen(finding->text));
                buf_addch(&out, ']');
        }
        buf_addch(&out, ']');
        if (pod)
                buf_addf(&out, ",\"qos\":\"%s\",\"pod\":%s", pod_qos_name(pod->qos), pod->json);
        buf_addstr(&out, "}\n");
        if (buf_check(&out, "result", err) < 0)
                return -1;
        return fputs(buf_str(&out), stdout) < 0 ? -1 : 0;
}

int main(void)
{
        char *line CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        size_t cap = 0;
        ssize_t len;

        while ((len = getline(&line, &cap, stdin)) > 0) {
                struct value *manifest CLEANUP_VALUE = NULL;

                if (json_load("stdin", line, (size_t)len, &manifest, &err) < 0 || !value_is(manifest, VALUE_STRING) ||
                    print_pod(manifest, &err) < 0) {
                        (void)fprintf(stderr, "pods_json: %s\n", err.code ? err.msg : "a line is no JSON string");
                        return 1;
                }
        }
        return 0;
}
