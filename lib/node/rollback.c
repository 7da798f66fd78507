/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "kube/pod.h"
#include "node/revision_history.h"
#include "node/rollback.h"

/* Of a manifest that is not there any more: kubeadm's mode. */
#define MANIFEST_MODE 0600

static bool same_bytes(const struct buf *a, const struct buf *b)
{
        return a->len == b->len && memcmp(buf_str(a), buf_str(b), a->len) == 0;
}

static int choose(struct revisions *revisions, const struct revision_pod *pod, unsigned *ret, struct err *err)
{
        struct buf file CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES), raw CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct err ignored = ERR_INIT;
        int r = revision_history_raw(revisions, pod, pod->current, &raw, NULL, err);

        if (r < 0)
                return r;
        *ret = pod->current;
        if (file_read(pod->file, &file, &ignored) < 0 || !same_bytes(&file, &raw))
                return 0;
        *ret = revision_history_before(pod, pod->current);
        if (*ret > 0)
                return 0;
        return err_set(err, ENOENT, "no revision before %u of %s/%s is kept", pod->current, pod->namespace, pod->name);
}

static int check(const struct revision_pod *pod, const struct buf *raw, struct err *err)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        const struct pod_source source = {.node_name = pod->node_name, .file = pod->file, .any_config = true};
        struct pod *parsed CLEANUP_POD = NULL;
        int r = pod_from_manifest(buf_str(raw), raw->len, &source, false, &parsed, &findings, err);

        return r < 0 ? err_wrap(err, "podwatch would not take it") : 0;
}

int rollback(struct revisions *revisions, const struct revision_pod *pod, unsigned number, unsigned *ret_number,
             struct err *err)
{
        struct buf raw CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        int r = 0;

        if (!pod->file)
                return err_set(err, ENOENT, "no manifest is in force for %s/%s: `podwatch history` shows its versions",
                               pod->namespace, pod->name);
        if (number == 0)
                r = choose(revisions, pod, &number, err);
        if (r >= 0)
                r = revision_history_raw(revisions, pod, number, &raw, NULL, err);
        if (r >= 0)
                r = check(pod, &raw, err);
        if (r < 0)
                return r;
        *ret_number = number;
        return file_write_atomic(pod->file, buf_str(&raw), raw.len, MANIFEST_MODE,
                                 FILE_WRITE_KEEP_MODE | FILE_WRITE_FOLLOW | FILE_WRITE_SKIP_UNCHANGED, err);
}
