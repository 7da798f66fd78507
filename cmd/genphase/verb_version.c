/* SPDX-License-Identifier: Apache-2.0
 *
 * genphase's own version, and in the forms that scripts read of kubeadm the kubeadm that it behaves as.
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/go_arch.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "genphase.h"
#include "kube/version.h"

/* What is true of this program among the fields of k8s.io/apimachinery/pkg/version.Info; it has no Go and no commit of
 * Kubernetes. */
static struct value *version_object(const struct kube_version *as)
{
        struct value *object = value_new_map(), *info = value_map_set(object, "clientVersion", value_new_map());
        char text[KUBE_VERSION_MAX];
        struct utsname host;

        kube_version_text(as, text);
        value_map_set(info, "major", value_new_stringf("%d", as->major));
        value_map_set(info, "minor", value_new_stringf("%d", as->minor));
        value_map_set(info, "gitVersion", value_new_string(text));
        if (uname(&host) == 0)
                value_map_set(info, "platform", value_new_stringf("linux/%s", go_architecture(host.machine)));
        value_map_set(object, "genphaseVersion", value_new_string(GENPHASE_PROJECT_VERSION));
        return object;
}

static int print_version(const struct genphase *g, const struct kube_version *as, const struct kube_version *oldest,
                         struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *object CLEANUP_VALUE = version_object(as);
        const char *format = g->version_output;

        if (str_empty(format)) {
                buf_addf(&out, "genphase %s (as kubeadm %d.%d to %d.%d)\n", GENPHASE_PROJECT_VERSION, oldest->major,
                         oldest->minor, as->major, as->minor);
        } else if (str_eq(format, "short")) {
                char text[KUBE_VERSION_MAX];

                kube_version_text(as, text);
                buf_addf(&out, "%s\n", text);
        } else if (str_eq(format, "yaml")) {
                value_sort_keys(object);
                yaml_write(object, 0, &out);
                buf_addch(&out, '\n'); /* kubeadm's own */
        } else if (str_eq(format, "json")) {
                json_write(object, JSON_INDENT, &out);
                buf_addch(&out, '\n');
        } else {
                return err_set(err, ERR_USAGE, "invalid output format: %s", format);
        }
        int r = buf_check(&out, "the version", err);
        if (r == 0)
                (void)fputs(buf_str(&out), stdout);
        return r;
}

int verb_version(void *userdata, const struct strv *args)
{
        const struct genphase *g = userdata;
        struct era *era CLEANUP_ERA = NULL;
        struct kube_version as;
        struct err err = ERR_INIT;
        int r = era_new(g->options.templates_dir, &era, &err);

        (void)args;
        if (r == 0)
                r = era_newest(era, -1, &as, &err);
        if (r == 0 && g->options.kubeadm_version && !str_empty(g->version_output))
                r = kube_version_parse(g->options.kubeadm_version, false, &as, &err);
        if (r == 0)
                r = print_version(g, &as, era_oldest(era), &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}
