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

static bool is_there(const struct phase *phase, const struct component *component, bool with_proxy)
{
        if (component == &component_etcd)
                return !phase->config->cluster.etcd.external.set;
        return component != &component_proxy || (with_proxy && !phase->config->cluster.proxy_disabled.value);
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

int component_choose(const struct phase *phase, const struct strv *names, bool with_proxy,
                     const struct component *ret[COMPONENT_CHOICE_MAX], size_t *ret_count, struct err *err)
{
        size_t count = 0;
        char *name;

        STRV_FOREACH (name, names) {
                int r = check_name(name, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < COMPONENT_CHOICE_MAX; i++) {
                bool named = false, all = names->len == 0;

                STRV_FOREACH (name, names) {
                        all |= str_eq(name, "all");
                        named |= str_eq(name, choices[i].word) || str_eq(name, choices[i].component->name);
                }
                if (named && !is_there(phase, choices[i].component, true))
                        return err_set(err, ERR_USAGE, "%s: the configuration has %s", choices[i].word,
                                       choices[i].component == &component_etcd ? "an external etcd" : "proxy.disabled");
                if (named || (all && is_there(phase, choices[i].component, with_proxy)))
                        ret[count++] = choices[i].component;
        }
        *ret_count = count;
        return 0;
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
