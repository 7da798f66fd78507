/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "phase/component_choice.h"
#include "phase/control_plane.h"

static const struct choice {
        const char *word;
        const struct component *component;
} choices[COMPONENT_CHOICE_MAX] = {
        {"etcd", &component_etcd},
        {"apiserver", &component_apiserver},
        {"controller-manager", &component_controller_manager},
        {"scheduler", &component_scheduler},
        {"proxy", &component_proxy},
};

bool component_is_there(const struct phase *phase, const struct component *component)
{
        if (component == &component_etcd)
                return !phase->config->cluster.etcd.external.set;
        return component != &component_proxy || !phase->config->cluster.proxy_disabled.value;
}

static int check_name(const char *name, struct err *err)
{
        const char *words[COMPONENT_CHOICE_MAX + 1];

        for (size_t i = 0; i < COMPONENT_CHOICE_MAX; i++) {
                words[i] = choices[i].word;
                if (str_eq(name, choices[i].word) || str_eq(name, choices[i].component->name))
                        return 0;
        }
        words[COMPONENT_CHOICE_MAX] = "all";
        if (str_eq(name, "all"))
                return 0;
        const char *near = str_did_you_mean(name, words, ARRAY_SIZE(words));
        return err_set(err, ERR_USAGE,
                       "unknown component \"%s\"%s%s%s: expected etcd, apiserver, controller-manager, scheduler, proxy "
                       "or all",
                       name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

int component_choose(const struct strv *names, struct component_choice *ret, struct err *err)
{
        struct component_choice choice = {.all = names->len == 0};
        char *name;

        STRV_FOREACH (name, names) {
                int r = check_name(name, err);
                if (r < 0)
                        return r;
                choice.all |= str_eq(name, "all");
        }
        for (size_t i = 0; i < COMPONENT_CHOICE_MAX; i++) {
                choice.components[i] = choices[i].component;
                STRV_FOREACH (name, names)
                        choice.named[i] |= str_eq(name, choices[i].word) || str_eq(name, choices[i].component->name);
        }
        *ret = choice;
        return 0;
}

int component_refuse(const struct component *component, struct err *err)
{
        return err_set(err, ERR_USAGE, "%s: the configuration has %s", component->name,
                       component == &component_etcd ? "an external etcd" : "proxy.disabled");
}

int component_manifest(struct phase *phase, const struct component *component, struct value **ret, struct err *err)
{
        const char *output = phase->options.output;

        /* The format in which phases print nothing but manifests. */
        phase->options.output = "yaml";
        int r = phase_manifest(phase, component, ret, err);
        phase->options.output = output;
        return r < 0 ? err_wrap(err, "%s", component->name) : 0;
}
