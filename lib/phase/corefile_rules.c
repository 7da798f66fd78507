/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/corefile_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "phase/corefile.h"
#include "phase/era.h"

#define TEMPLATE "coredns.yaml"

/* ---- actions ---- */

static size_t argument_count(const struct corefile *line)
{
        return line->words.len > 0 ? line->words.len - 1 : 0;
}

static const char *argument(const struct corefile *line, size_t at)
{
        return at < argument_count(line) ? line->words.items[at + 1] : "";
}

static void become(struct corefile *line, const char *name)
{
        strv_release(&line->words);
        strv_add(&line->words, name);
}

static bool remove_option(struct corefile *option)
{
        (void)option;
        return false;
}

static bool first_argument(struct corefile *option)
{
        while (argument_count(option) > 1)
                strv_remove(&option->words, option->words.len - 1);
        return true;
}

static bool remove_https_google(struct corefile *option)
{
        return !str_eq(argument(option, 0), "https_google");
}

static bool proxy_policy(struct corefile *option)
{
        if (argument_count(option) == 1 && str_eq(argument(option, 0), "least_conn"))
                become(option, "force_tcp");
        return true;
}

static bool proxy_protocol(struct corefile *option)
{
        if (argument_count(option) < 2 || !str_eq(argument(option, 0), "force_tcp"))
                return false;
        become(option, "force_tcp");
        return true;
}

static void rename_to_forward(struct corefile *plugin)
{
        free(plugin->words.items[0]);
        plugin->words.items[0] = xstrdup("forward");
}

/* An option transfer of kubernetes as a plugin of the same server block. */
static int copy_transfer(struct corefile *corefile, struct err *err)
{
        for (size_t s = 0; s < corefile->count; s++) {
                struct corefile *server = corefile->items[s];
                const struct corefile *kubernetes = NULL, *transfer = NULL;

                for (size_t i = 0; i < server->count; i++) {
                        if (!str_eq(corefile_name(server->items[i]), "kubernetes"))
                                continue;
                        kubernetes = server->items[i];
                        if (argument_count(kubernetes) == 0)
                                return err_set(err, ERR_INVALID, "found kubernetes plugin without a zone");
                        for (size_t k = 0; k < kubernetes->count; k++)
                                if (str_eq(corefile_name(kubernetes->items[k]), "transfer"))
                                        transfer = kubernetes->items[k];
                }
                if (!transfer || argument_count(transfer) < 2)
                        continue;
                struct corefile *plugin = corefile_add(server, "transfer");
                strv_add(&plugin->words, argument(kubernetes, 0));
                corefile_copy_words(corefile_add(plugin, "to"), transfer, 2);
        }
        return 0;
}

/* A server block for the zone of a forward, which it takes. */
static void add_stub_domain(struct corefile *corefile, struct corefile *forward)
{
        struct corefile *server = corefile_add(corefile, argument(forward, 0));

        free(forward->words.items[1]);
        forward->words.items[1] = xstrdup(".");
        corefile_put(server, forward);
        (void)corefile_add(server, "loop");
        (void)corefile_add(server, "errors");
        strv_add(&corefile_add(server, "cache")->words, "30");
}

static bool is_forward(const struct corefile *plugin)
{
        return str_eq(corefile_name(plugin), "forward");
}

/* 1: it is to be moved. */
static int check_forward(const struct corefile *server, const struct corefile *forward, struct err *err)
{
        if (argument_count(forward) == 0)
                return err_set(err, ERR_INVALID, "found invalid forward plugin declaration");
        if (str_eq(argument(forward, 0), "."))
                return 0;
        if (server->words.len != 1)
                return err_set(err, ERR_INVALID, "unhandled migration of multi-domain/port server block");
        if (!str_eq(server->words.items[0], ".") && !str_eq(server->words.items[0], ".:53"))
                return err_set(err, ERR_INVALID, "unhandled migration of non-default domain/port server block");
        return 1;
}

/* The library takes lines out of the list that it walks over, so that the one behind each is passed over and stays. It
 * dies where that is the last one and to be moved. */
static int split_server(struct corefile *corefile, struct corefile *server, struct err *err)
{
        const struct corefile *last = server->count > 0 ? server->items[server->count - 1] : NULL;
        bool moved = false;

        for (size_t i = 0; i < server->count; i++) {
                if (!is_forward(server->items[i]))
                        continue;
                int r = check_forward(server, server->items[i], err);
                if (r < 0)
                        return r;
                moved |= r > 0;
                if (r > 0)
                        add_stub_domain(corefile, corefile_take(server, i));
        }
        if (!moved || server->count == 0 || server->items[server->count - 1] != last || !is_forward(last))
                return 0;
        int r = check_forward(server, last, err);
        return r <= 0 ? r
                      : err_set(err, ERR_UNSUPPORTED,
                                "unhandled migration of two forward plugins at the end of a server block");
}

static int split_stub_domains(struct corefile *corefile, struct err *err)
{
        size_t count = corefile->count;
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++)
                r = split_server(corefile, corefile->items[i], err);
        return r;
}

static const struct {
        const char *name;
        bool (*option)(struct corefile *option);
        void (*plugin)(struct corefile *plugin);
        int (*whole)(struct corefile *corefile, struct err *err);
} actions[] = {
        {.name = "remove", .option = remove_option},
        {.name = "firstArgument", .option = first_argument},
        {.name = "removeHttpsGoogle", .option = remove_https_google},
        {.name = "proxyPolicy", .option = proxy_policy},
        {.name = "proxyProtocol", .option = proxy_protocol},
        {.name = "renameToForward", .plugin = rename_to_forward},
        {.name = "copyTransfer", .whole = copy_transfer},
        {.name = "splitStubDomains", .whole = split_stub_domains},
};

/* ---- reading ---- */

static bool find_version(const struct value *versions, const char *text, size_t *ret)
{
        for (size_t i = 0; i < versions->list.count; i++)
                if (str_eq(value_string(versions->list.items[i], ""), text)) {
                        *ret = i;
                        return true;
                }
        return false;
}

static int read_action(const struct value *row, struct corefile_rule *rule, struct err *err)
{
        const struct value *action = value_map_get(row, "action");

        if (!action)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                bool fits = rule->option   ? !!actions[i].option
                            : rule->plugin ? !!actions[i].plugin
                                           : !!actions[i].whole;

                if (!fits || !str_eq(actions[i].name, value_string(action, "")))
                        continue;
                rule->option_action = actions[i].option;
                rule->plugin_action = actions[i].plugin;
                rule->whole_action = actions[i].whole;
                return 0;
        }
        return value_error(&action->place, err, ERR_INVALID, "\"%s\": no such action here", value_string(action, ""));
}

/* Row since <= release < until. */
static int read_rule(const struct value *versions, const struct value *row, struct corefile_rule *ret, struct err *err)
{
        const struct value *since = value_map_get(row, "since"), *until = value_map_get(row, "until");

        *ret = (struct corefile_rule){
                .end = versions->list.count,
                .plugin = value_string(value_map_get(row, "plugin"), NULL),
                .option = value_string(value_map_get(row, "option"), NULL),
                .status = value_string(value_map_get(row, "status"), NULL),
                .replaced_by = value_string(value_map_get(row, "replacedBy"), NULL),
                .add = value_string(value_map_get(row, "add"), NULL),
                .to = value_map_get(row, "to"),
                .whole = value_string(value_map_get(row, "whole"), NULL),
        };
        if (!find_version(versions, value_string(since, ""), &ret->first) ||
            (until && !find_version(versions, value_string(until, ""), &ret->end)))
                return value_error(&row->place, err, ERR_INVALID, "since and until name a CoreDNS release");
        bool added = str_eq(ret->status, COREFILE_NEW_DEFAULT);
        if ((ret->option && !ret->plugin) || !ret->plugin != !!ret->whole || added != !!ret->add ||
            (added && !ret->option) != value_is(ret->to, VALUE_LIST))
                return value_error(&row->place, err, ERR_INVALID,
                                   "not a change of a plugin, an option or the Corefile");
        return read_action(row, ret, err);
}

int corefile_rules_read(const struct era *era, struct corefile_rules *ret, struct err *err)
{
        struct corefile_rules rules CLEANUP_COREFILE_RULES = {0};
        const struct value *file = NULL;
        int r = era_template(era, TEMPLATE, &file, err);

        if (r < 0)
                return r;
        const struct value *changes = value_map_get(file, "changes");
        rules.versions = value_map_get(file, "versions");
        rules.defaults = value_map_get(file, "defaults");
        if (!value_is(rules.versions, VALUE_LIST) || !value_is(rules.defaults, VALUE_LIST) ||
            !value_is(changes, VALUE_LIST))
                return value_error(&file->place, err, ERR_INVALID, "expected the lists versions, defaults and changes");
        rules.items = xcalloc(changes->list.count + 1, sizeof(*rules.items));
        for (; rules.count < changes->list.count && r == 0; rules.count++)
                r = read_rule(rules.versions, changes->list.items[rules.count], &rules.items[rules.count], err);
        if (r < 0)
                return r;
        *ret = rules;
        rules = (struct corefile_rules){0};
        return 0;
}

void corefile_rules_release(struct corefile_rules *rules)
{
        free(rules->items);
        *rules = (struct corefile_rules){0};
}

/* ---- asking ---- */

int corefile_rules_span(const struct corefile_rules *rules, const char *from, const char *to, size_t *ret_first,
                        size_t *ret_last, struct err *err)
{
        bool known = find_version(rules->versions, to, ret_last);

        if (!find_version(rules->versions, from, ret_first) || (known && *ret_first > *ret_last))
                return err_set(err, ERR_INVALID, "start version '%s' not supported", from);
        return known ? 0 : err_set(err, ERR_INVALID, "cannot migrate up to '%s' from '%s'", to, from);
}

const char *corefile_rules_version(const struct corefile_rules *rules, size_t version)
{
        return value_string(rules->versions->list.items[version], "");
}

static bool counts(const struct corefile_rule *rule, size_t version)
{
        return rule->first <= version && version < rule->end;
}

const struct corefile_rule *corefile_rule_find(const struct corefile_rules *rules, size_t version, const char *plugin,
                                               const char *option)
{
        for (size_t i = 0; i < rules->count; i++) {
                const struct corefile_rule *rule = &rules->items[i];

                if (counts(rule, version) && str_eq(rule->plugin, plugin) && str_eq(rule->option, option))
                        return rule;
        }
        return NULL;
}

const struct corefile_rule *corefile_rule_new(const struct corefile_rules *rules, size_t version, const char *plugin,
                                              size_t *at)
{
        while (*at < rules->count) {
                const struct corefile_rule *rule = &rules->items[(*at)++];
                bool fits = plugin ? rule->option && str_eq(rule->plugin, plugin) : rule->plugin && !rule->option;

                if (fits && counts(rule, version) && str_eq(rule->status, COREFILE_NEW_DEFAULT))
                        return rule;
        }
        return NULL;
}

int corefile_rules_whole(const struct corefile_rules *rules, size_t version, const char *when,
                         struct corefile *corefile, struct err *err)
{
        int r = 0;

        for (size_t i = 0; i < rules->count && r == 0; i++) {
                const struct corefile_rule *rule = &rules->items[i];

                if (counts(rule, version) && str_eq(rule->whole, when) && rule->whole_action)
                        r = rule->whole_action(corefile, err);
        }
        return r;
}
