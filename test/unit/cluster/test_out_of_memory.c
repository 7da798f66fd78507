/* SPDX-License-Identifier: Apache-2.0
 *
 * What is printed of a cluster and written into it, with memory refused (refuse.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api_rig.h"
#include "base/alloc.h"
#include "base/err.h"
#include "cluster/addon.h"
#include "cluster/cluster.h"
#include "cluster/phases.h"
#include "cluster/token_verbs.h"
#include "phase/phase.h"

#include "../phase/fixture.h"
#include "../phase/refuse.h"

#define SECRETS "/api/v1/namespaces/kube-system/secrets"

/* abcdef.0123456789abcdef, without an end */
static const char tokens[] = "{\"items\": [{\"metadata\": {\"name\": \"bootstrap-token-abcdef\"}, "
                             "\"type\": \"bootstrap.kubernetes.io/token\", \"data\": {\"token-id\": \"YWJjZGVm\", "
                             "\"token-secret\": \"MDEyMzQ1Njc4OWFiY2RlZg==\", "
                             "\"usage-bootstrap-signing\": \"dHJ1ZQ==\"}}]}";

struct run {
        struct fixture *fixture;
        int (*fn)(struct phase *phase, const char *arg, struct err *err);
        const char *arg;
};

/* What a run that went well has printed. */
static int printed(void *userdata, struct buf *out, struct err *err)
{
        const struct run *run = userdata;
        int r = fixture_run(run->fixture, run->fn, run->arg);

        *err = run->fixture->err;
        if (r == 0)
                refuse_keep(out, run->fixture->out, strlen(run->fixture->out));
        return r;
}

static int list(struct phase *phase, const char *arg, struct err *err)
{
        struct cluster cluster = {.phase = phase, .api = api_rig_wait()};

        return token_list(&cluster, arg, err);
}

static int upload(struct phase *phase, const char *arg, struct err *err)
{
        struct cluster cluster = {.phase = phase, .dry_run = true};

        (void)arg;
        return cluster_upload_kubeadm_config(&cluster, err);
}

static int addon(struct phase *phase, const char *arg, struct err *err)
{
        struct cluster cluster = {.phase = phase, .api = api_rig_wait()};

        return cluster_addon(&cluster, arg, err);
}

static void test_all(void **state)
{
        struct run runs[] = {{*state, list, "text"},
                             {*state, list, "json"},
                             {*state, list, "yaml"},
                             {*state, upload, NULL},
                             {*state, addon, "kube-proxy"}};

        api_rig_answer("GET " SECRETS, 200, tokens);
        for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
                refuse_until_success(runs[i].arg ? runs[i].arg : "upload", printed, &runs[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_all, fixture_setup, fixture_teardown)};

        return cmocka_run_group_tests_name("cluster/out of memory", tests, NULL, NULL);
}
