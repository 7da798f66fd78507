/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that podwatch keeps of a pod, each with any content: what must survive a restart (pod_persist), which
 * version is in force (`current`), and the version itself. What is refused changes nothing; what is taken and written
 * again is taken again.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "fuzz.h"
#include "kube/pod.h"
#include "node/pod_persist.h"
#include "node/pod_view.h"
#include "node/pod_view_json.h"
#include "node/revision.h"
#include "scratch.h"

#define BOOT "0b0e9f5c-boot"
#define NOW (1000 * USEC_PER_SEC)
#define WALL (1700000000 * USEC_PER_SEC)

static const char manifest[] =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: 11111111-2222-3333-4444-555555555555}\n"
        "spec:\n  restartPolicy: Always\n  initContainers:\n  - {name: init0, image: a}\n"
        "  containers:\n  - {name: app0, image: b, livenessProbe: {exec: {command: [x]}}}\n"
        "  - {name: app1, image: c}\n";
static struct pod *pod;

static void start(void)
{
        const struct pod_source source = {.node_name = "node", .file = "input", .seen = WALL};
        struct pod_findings findings = {0};
        char directory[128];

        if (pod)
                return;
        MUST(pod_from_manifest(manifest, strlen(manifest), &source, false, &pod, &findings, NULL) == 0);
        pod_findings_release(&findings);
        (void)snprintf(directory, sizeof(directory), "%s/pods/default_web-node", scratch());
        MUST(file_mkdir_p(directory, 0700, NULL) == 0);
        MUST(str_eq(pod->name, "web-node"));
}

/* A view of the pod whose sandbox and containers run; their ids are those of the seeds. */
static struct pod_view *view_new(void)
{
        struct pod_view *view = pod_view_new("default/web-node");

        view->wanted = true;
        view->current = pod_incarnation_new(pod, 1, NOW, WALL);
        view->current->sandbox.state = INSTANCE_RUNNING;
        pod_view_text(view->current->sandbox.id, POD_VIEW_ID_MAX, "sandbox");
        for (size_t i = 0; i < pod->container_count; i++) {
                struct pod_instance *now = &view->current->containers[i].now;

                now->state = INSTANCE_RUNNING;
                pod_view_text(now->id, POD_VIEW_ID_MAX, pod->containers[i].name);
        }
        return view;
}

static void check_restore(const char *text, size_t len, bool observed, const char *boot)
{
        struct pod_view *view CLEANUP_POD_VIEW = view_new(), *again CLEANUP_POD_VIEW = view_new();
        struct buf before CLEANUP_BUF = BUF_INIT(LIMIT_NODE_RECORD), after CLEANUP_BUF = BUF_INIT(LIMIT_NODE_RECORD);
        struct buf state CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE), twice CLEANUP_BUF = BUF_INIT(LIMIT_POD_STATE);
        struct err err = ERR_INIT;

        pod_view_json_write(view, &before);
        int r = pod_persist_restore(view, text, len, boot, observed, NOW, WALL, &err);
        MUST((r < 0) == (err.code != 0));
        pod_view_json_write(view, &after);
        MUST(r >= 0 || str_eq(buf_str(&before), buf_str(&after)));
        pod_persist_write(view, BOOT, &state);
        MUST(pod_persist_restore(again, buf_str(&state), state.len, BOOT, false, NOW, WALL, NULL) >= 0);
        MUST(pod_persist_restore(again, buf_str(&state), state.len, BOOT, true, NOW, WALL, NULL) >= 0);
        pod_persist_write(again, BOOT, &twice);
        MUST(!twice.failed);
        MUST(!str_eq(buf_str(&state), buf_str(&twice)) ||
             pod_persist_digest(view, BOOT) == pod_persist_digest(again, BOOT));
}

static void each(void *userdata, const char *directory, const struct revision *revision, const struct err *err)
{
        const struct err *expected = userdata;

        MUST(str_eq(directory, "default_web-node") && !revision == (err != NULL));
        MUST(!err || str_eq(err->msg, expected->msg));
}

/* Whatever stands there, a new version is stored and in force. */
static void check_save(struct revisions *revisions)
{
        struct revision revision = {0};
        struct err err = ERR_INIT;
        unsigned number;

        MUST(revision_save(revisions, pod, "/x.yaml", manifest, strlen(manifest), 0, 0, &number, &err) == 0 &&
             number > 1);
        MUST(revision_sync(revisions, pod, number, &err) == 0);
        MUST(revision_set_current(revisions, pod, "/y.yaml", number, &err) == 0);
        MUST(revision_current(revisions, "default", "web-node", &revision, &err) == 0 && revision.number == number);
        revision_release(&revision);
}

static void check_revision(const char *file, const void *data, size_t size)
{
        struct revisions *revisions = revisions_new(scratch(), 2);
        struct revision revision = {0};
        struct buf current CLEANUP_BUF = BUF_INIT(4096);
        struct err err = ERR_INIT;

        buf_addf(&current, "{\"revision\":1,\"file\":\"/x.yaml\",\"uid\":\"%s\",\"specHash\":\"%s\"}", pod->uid,
                 pod->spec_hash);
        MUST(scratch_write("pods/default_web-node/current", buf_str(&current), current.len));
        MUST(scratch_write("pods/default_web-node/1.json", pod->json, pod->json_len));
        char *path CLEANUP_FREE = xasprintf("pods/default_web-node/%s", file);
        MUST(scratch_write(path, data, size));
        int r = revision_current(revisions, "default", "web-node", &revision, &err);
        MUST((r < 0) == (err.code != 0));
        if (r == 0)
                MUST(revision.file && str_eq(revision.pod->uid, pod->uid));
        revision_release(&revision);
        revisions_each(revisions, each, &err);
        MUST(revision_forget(revisions, "default", "web-node", NULL) == 0);
        MUST(revision_current(revisions, "default", "web-node", &revision, NULL) == 1);
        check_save(revisions);
        revisions_free(revisions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data;

        start();
        check_restore(text, size, false, BOOT);
        check_restore(text, size, true, BOOT);
        check_restore(text, size, true, "another boot");
        check_revision("current", data, size);
        check_revision("1.json", data, size);
        return 0;
}
