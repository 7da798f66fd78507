/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "api/mirror.h"
#include "base/alloc.h"
#include "codec/cjson_get.h"

static const char pod_text[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"etcd-a\",\"namespace\":\"kube-system\","
        "\"uid\":\"h1\",\"annotations\":{\"kubernetes.io/config.hash\":\"h1\",\"kubernetes.io/"
        "config.source\":\"file\"}},"
        "\"spec\":{\"nodeName\":\"a\"}}";

static char *observed_text(const char *hash, const char *owner, const char *extra, const char *status)
{
        return xasprintf(
                "{\"metadata\":{\"name\":\"etcd-a\",\"uid\":\"m1\",\"annotations\":{\"kubernetes.io/config.mirror\":"
                "\"%s\"},\"ownerReferences\":[{\"kind\":\"Node\",\"uid\":\"%s\"}]%s},\"status\":%s}",
                hash, owner, extra, status);
}

static enum mirror_step decide(const char *pod, const char *status, bool create, const char *observed, const char *uid)
{
        struct cJSON *p CLEANUP_CJSON = pod ? cJSON_Parse(pod) : NULL;
        struct cJSON *s CLEANUP_CJSON = status ? cJSON_Parse(status) : NULL;
        struct cJSON *o CLEANUP_CJSON = observed ? cJSON_Parse(observed) : NULL;

        return mirror_decide(p, s, create, o, uid);
}

static void creates_once_the_node_is_known(void **state)
{
        (void)state;
        assert_int_equal(decide(pod_text, "{}", true, NULL, "n1"), MIRROR_CREATE);
        assert_int_equal(decide(pod_text, "{}", true, NULL, NULL), MIRROR_NOTHING);
        assert_int_equal(decide(pod_text, "{}", false, NULL, "n1"), MIRROR_NOTHING);
}

static void keeps_what_is_right(void **state)
{
        (void)state;
        char *same CLEANUP_FREE = observed_text("h1", "n1", "", "{\"phase\":\"Running\",\"qosClass\":\"Burstable\"}");

        assert_int_equal(decide(pod_text, "{\"phase\":\"Running\"}", true, same, "n1"), MIRROR_NOTHING);
        assert_int_equal(decide(pod_text, "{\"phase\":\"Failed\"}", true, same, "n1"), MIRROR_PATCH);
}

static void replaces_what_is_wrong(void **state)
{
        (void)state;
        char *other_hash CLEANUP_FREE = observed_text("h0", "n1", "", "{}");
        char *other_owner CLEANUP_FREE = observed_text("h1", "n0", "", "{}");
        char *deleted CLEANUP_FREE = observed_text("h1", "n1", ",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\"", "{}");

        assert_int_equal(decide(pod_text, "{}", true, other_hash, "n1"), MIRROR_DELETE);
        assert_int_equal(decide(pod_text, "{}", true, other_owner, "n1"), MIRROR_DELETE);
        assert_int_equal(decide(pod_text, "{}", true, other_owner, NULL), MIRROR_NOTHING);
        assert_int_equal(decide(pod_text, "{}", true, deleted, "n1"), MIRROR_DELETE);
}

static void removes_orphans_only(void **state)
{
        (void)state;
        char *mirror CLEANUP_FREE = observed_text("h1", "n1", "", "{}");

        assert_int_equal(decide(NULL, NULL, false, mirror, "n1"), MIRROR_DELETE);
        assert_int_equal(decide(NULL, NULL, false, "{\"metadata\":{\"name\":\"x\",\"uid\":\"u\"}}", "n1"),
                         MIRROR_NOTHING);
        assert_int_equal(decide(NULL, NULL, false, NULL, "n1"), MIRROR_NOTHING);
        /* A pod of the same name that is no mirror is somebody else's. */
        assert_int_equal(decide(pod_text, "{}", true, "{\"metadata\":{\"name\":\"x\",\"uid\":\"u\"}}", "n1"),
                         MIRROR_NOTHING);
        struct cJSON *wanted CLEANUP_CJSON = cJSON_Parse(pod_text), *ours CLEANUP_CJSON = cJSON_Parse(mirror);
        struct cJSON *other CLEANUP_CJSON = cJSON_Parse("{\"metadata\":{\"name\":\"x\",\"uid\":\"u\"}}");
        assert_true(mirror_is_foreign(wanted, other));
        assert_false(mirror_is_foreign(wanted, ours) || mirror_is_foreign(wanted, NULL) ||
                     mirror_is_foreign(NULL, other));
}

static void body_is_what_noderestriction_admits(void **state)
{
        (void)state;
        struct cJSON *pod CLEANUP_CJSON = cJSON_Parse(pod_text);
        struct cJSON *body CLEANUP_CJSON = mirror_body(pod, "a", "n1");
        const struct cJSON *metadata = cjson_get(body, "metadata", NULL);
        const struct cJSON *owners = cjson_get(metadata, "ownerReferences", NULL);

        assert_null(cjson_get(metadata, "uid", NULL));
        assert_string_equal(cjson_text(cjson_get(metadata, "annotations", NULL), "kubernetes.io/config.mirror", ""),
                            "h1");
        assert_int_equal(cJSON_GetArraySize(owners), 1);
        assert_string_equal(cjson_text(owners->child, "kind", ""), "Node");
        assert_string_equal(cjson_text(owners->child, "name", ""), "a");
        assert_string_equal(cjson_text(owners->child, "uid", ""), "n1");
        assert_true(cjson_bool(owners->child, "controller"));
        assert_null(cjson_get(owners->child, "blockOwnerDeletion", NULL));
        assert_string_equal(cjson_text(cjson_get(body, "spec", NULL), "nodeName", ""), "a");
}

static void patch_holds_what_differs(void **state)
{
        (void)state;
        struct cJSON *desired CLEANUP_CJSON = cJSON_Parse(
                "{\"phase\":\"Running\",\"podIP\":\"10.0.0.2\",\"podIPs\":[{\"ip\":\"10.0.0.2\"}],\"conditions\":["
                "{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"t1\"},"
                "{\"type\":\"Initialized\",\"status\":\"True\",\"lastTransitionTime\":\"t0\"}]}");
        struct cJSON *observed CLEANUP_CJSON =
                cJSON_Parse("{\"metadata\":{\"uid\":\"m1\"},\"status\":{\"phase\":\"Running\",\"message\":\"old\","
                            "\"podIPs\":[{\"ip\":\"10.0.0.1\"}],"
                            "\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"NodeNotReady\","
                            "\"lastTransitionTime\":\"t2\"},"
                            "{\"type\":\"Initialized\",\"status\":\"True\",\"lastTransitionTime\":\"t0\"},"
                            "{\"type\":\"Other\",\"status\":\"True\"}]}}");
        struct cJSON *patch CLEANUP_CJSON = mirror_status_patch(desired, observed);
        char *text = cJSON_PrintUnformatted(patch);

        assert_string_equal(text,
                            "{\"metadata\":{\"uid\":\"m1\"},\"status\":{\"podIP\":\"10.0.0.2\",\"podIPs\":[{\"$patch\":"
                            "\"replace\"},{\"ip\":\"10.0.0.2\"}],\"message\":null,\"conditions\":[{\"type\":\"Ready\","
                            "\"status\":\"True\",\"lastTransitionTime\":\"t1\",\"reason\":null}]}}");
        cJSON_free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(creates_once_the_node_is_known),
                cmocka_unit_test(keeps_what_is_right),
                cmocka_unit_test(replaces_what_is_wrong),
                cmocka_unit_test(removes_orphans_only),
                cmocka_unit_test(body_is_what_noderestriction_admits),
                cmocka_unit_test(patch_holds_what_differs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
