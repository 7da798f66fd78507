/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/yaml.h"
#include "phase/control_plane.h"
#include "phase/patch.h"
#include "phase/rootless.h"

static const struct component *const control_plane[] = {
        &component_apiserver,
        &component_controller_manager,
        &component_scheduler,
};

static void show_volumes(const struct phase *phase, const struct component *component, const struct value *pod)
{
        const struct value *volumes = value_get(pod, "spec", "volumes", NULL);
        int len = (int)strcspn(component->phase, "/");

        for (size_t i = 0; value_is(volumes, VALUE_LIST) && i < volumes->list.count; i++)
                phase_detail(phase, 2, "[%.*s] adding volume \"%s\" for component \"%s\"", len, component->phase,
                             value_string(value_map_get(volumes->list.items[i], "name"), ""), component->name);
}

static int make_manifest(struct phase *phase, const struct component *component, bool is_written, struct value **ret,
                         struct err *err)
{
        struct value *pod CLEANUP_VALUE = NULL;

        int r = component_render(phase, component, &pod, err);
        if (r < 0)
                return r;
        show_volumes(phase, component, pod);
        r = rootless_pod(phase, component, pod, err);
        if (r == 0 && is_written)
                r = rootless_check(phase, component, err);
        if (r < 0)
                return r;
        r = patch_object(phase, component->name, "Pod", &pod, err);
        if (r < 0)
                return err_wrap(err, "failed to patch static Pod manifest file for \"%s\"", component->name);
        *ret = TAKE_PTR(pod);
        return 0;
}

int phase_manifest(struct phase *phase, const struct component *component, struct value **ret, struct err *err)
{
        return make_manifest(phase, component, false, ret, err);
}

int phase_add_manifest(struct phase *phase, const struct component *component, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        char *path CLEANUP_FREE = xasprintf(MANIFEST_DIRECTORY "/%s.yaml", component->name);
        struct value *pod CLEANUP_VALUE = NULL;

        int r = make_manifest(phase, component, true, &pod, err);
        if (r < 0)
                return r;
        yaml_write(pod, 0, &out);
        r = buf_check(&out, path, err);
        /* podwatch starts the pod as soon as the manifest is there: by then its user has to be. */
        if (r == 0)
                r = rootless_files(phase, component, err);
        if (r < 0)
                return r;
        phase_add_file(phase, path, buf_str(&out), out.len, 0600, 0700, PHASE_FILE_DRY_RUN_SHOW);
        phase_file_context(phase,
                           "error execution phase %s: %sfailed to write static pod manifest file for \"%s\" (\"%s\")",
                           component->phase,
                           component == &component_etcd ? "error creating local etcd static pod manifest file: " : "",
                           component->name, path);
        return 0;
}

/* What was taken before a component failed: written where kubeadm's own way was asked for. */
static int give_up(struct phase *phase, struct err *err)
{
        int r = err && err->code ? -err->code : -EIO;

        if (phase->as_kubeadm)
                (void)phase_commit(phase, NULL);
        else
                phase_discard(phase);
        return r;
}

int phase_control_plane(struct phase *phase, const struct component *component, struct err *err)
{
        int r;

        if (!component)
                phase_say(phase, "[control-plane] Using manifest folder \"" MANIFEST_DIRECTORY "\"");
        for (size_t i = 0; i < ARRAY_SIZE(control_plane); i++) {
                if (component && component != control_plane[i])
                        continue;
                phase_say(phase, "[control-plane] Creating static Pod manifest for \"%s\"", control_plane[i]->name);
                r = phase_add_manifest(phase, control_plane[i], err);
                if (r < 0) {
                        (void)err_wrap(err, "error execution phase %s", control_plane[i]->phase);
                        return give_up(phase, err);
                }
        }
        return phase_commit(phase, err);
}

int phase_etcd_local(struct phase *phase, struct err *err)
{
        const struct config_etcd *etcd = &phase->config->cluster.etcd;

        if (etcd->external.set) {
                phase_detail(phase, 1, "[etcd] External etcd mode. Skipping the creation of a manifest for local etcd");
                return 0;
        }
        if (phase->options.dry_run)
                phase_say(phase, "[etcd] Would ensure that \"%s\" directory is present", etcd->local.data_dir.text);
        phase_say(phase, "[etcd] Creating static Pod manifest for local etcd in \"" MANIFEST_DIRECTORY "\"");
        phase_add_directory(phase, etcd->local.data_dir.text, 0700);
        phase_file_context(phase, "error execution phase etcd/local: failed to create the etcd data directory: \"%s\"",
                           etcd->local.data_dir.text);
        int r = phase_add_manifest(phase, &component_etcd, err);
        if (r < 0) {
                (void)err_wrap(err,
                               "error execution phase etcd/local: error creating local etcd static pod manifest file");
                return give_up(phase, err);
        }
        return phase_commit(phase, err);
}
