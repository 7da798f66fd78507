/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/token_verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/join_command.h"
#include "cluster/object.h"
#include "cluster/token.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/action.h"
#include "phase/names.h"
#include "phase/phase.h"
#include "phase/text_table.h"

#define LIST_PATH "/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken"

/* ---- create ---- */

/* What the command is for: alone on a line, or as an action. */
static int print(const struct phase *phase, const char *key, const char *text, struct err *err)
{
        if (phase_tells_actions(phase))
                return action_show(phase, key, text, err);
        (void)fprintf(phase->options.out, "%s\n", text);
        return 0;
}

int token_create(struct cluster *cluster, const struct token_create *options, struct err *err)
{
        struct phase *phase = cluster->phase;
        const struct config_tokens *tokens = &phase->config->init.bootstrap_tokens;
        char *line CLEANUP_FREE = NULL;

        int r = token_fill_in(phase, err);
        if (r == 0)
                r = token_write(cluster, tokens->items, tokens->count, true, err);
        if (r < 0)
                return r;
        const char *first = tokens->items[0].token.text;
        if (!options->print_join_command) {
                if (!str_empty(options->certificate_key))
                        return err_set(err, ERR_USAGE, "cannot use --certificate-key without --print-join-command");
                return print(phase, "token", first, err);
        }
        struct join_options join = {
                .token = first,
                .certificate_key = options->certificate_key,
                .control_plane = !str_empty(options->certificate_key),
        };
        r = join_command_line(phase, &cluster->kubeconfig, options->kubeconfig_path, &join, &line, err);
        return r < 0 ? r : print(phase, "joinCommand", line, err);
}

/* ---- list ---- */

/* duration.ShortHumanDuration */
static void short_duration(int64_t seconds, char *ret, size_t size)
{
        static const struct {
                int64_t below, per;
                char unit;
        } units[] = {{60, 1, 's'},
                     {3600, 60, 'm'},
                     {86400, 3600, 'h'},
                     {86400LL * 365, 86400, 'd'},
                     {INT64_MAX, 86400LL * 365, 'y'}};

        if (seconds < -1) {
                (void)snprintf(ret, size, "<invalid>");
                return;
        }
        if (seconds < 0)
                seconds = 0;
        size_t i = 0;
        while (seconds >= units[i].below)
                i++;
        (void)snprintf(ret, size, "%lld%c", (long long)(seconds / units[i].per), units[i].unit);
}

static char *join_or_none(const struct strv *v)
{
        return v->len > 0 ? strv_join(v, ",") : xstrdup("<none>");
}

static void add_row(const struct token_facts *facts, struct strv *row)
{
        char ttl[24] = "<forever>";
        char *usages CLEANUP_FREE = join_or_none(&facts->usages), *groups CLEANUP_FREE = join_or_none(&facts->groups);
        int64_t now = (int64_t)clock_realtime();

        if (facts->expires_text)
                short_duration(((int64_t)facts->expires - now) / (int64_t)USEC_PER_SEC, ttl, sizeof(ttl));
        strv_addf(row, "%s.%s", facts->id, facts->secret);
        strv_addf(row, "%-9s", ttl);
        strv_add(row, facts->expires_text ? facts->expires_text : "<never>");
        strv_addf(row, "%-22s", usages);
        strv_addf(row, "%-56s", *facts->description ? facts->description : "<none>");
        strv_add(row, groups);
}

/* A table of its own, as kubeadm flushes its writer after each token. */
static int print_text(const struct phase *phase, const struct token_facts *facts, bool first, struct err *err)
{
        static const char *const titles[] = {"TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"};
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct strv rows[2] = {STRV_INIT, STRV_INIT};

        for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
                strv_add(&rows[0], titles[i]);
        add_row(facts, &rows[1]);
        text_table_write(first ? rows : rows + 1, first ? 2 : 1, &out);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                strv_release(&rows[i]);
        int r = buf_check(&out, "the table of tokens", err);
        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}

static struct value *text_list(const struct strv *v)
{
        struct value *list = value_new_list();
        const char *s;

        STRV_FOREACH (s, v)
                value_list_add(list, value_new_string(s));
        return list;
}

/* The object in the order of its Go fields. */
static struct value *output_object(const struct phase *phase, const struct token_facts *facts)
{
        struct value *v = value_new_map();

        value_map_set(v, "kind", value_new_string("BootstrapToken"));
        value_map_set(v, "apiVersion",
                      value_new_stringf("output.kubeadm.k8s.io/%s",
                                        era_text(phase->era, "output", "apiVersion", "v1alpha3")));
        value_map_set(v, "token", value_new_stringf("%s.%s", facts->id, facts->secret));
        if (*facts->description)
                value_map_set(v, "description", value_new_string(facts->description));
        if (facts->expires_text)
                value_map_set(v, "expires", value_new_string(facts->expires_text));
        if (facts->usages.len > 0)
                value_map_set(v, "usages", text_list(&facts->usages));
        if (facts->groups.len > 0)
                value_map_set(v, "groups", text_list(&facts->groups));
        return v;
}

static int print_object(const struct phase *phase, const struct token_facts *facts, bool json, bool first,
                        struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *object CLEANUP_VALUE = output_object(phase, facts);

        if (json) {
                json_write(object, JSON_INDENT_4, &out);
                buf_addch(&out, '\n');
        } else {
                buf_addstr(&out, first ? "" : "---\n");
                yaml_write(object, 0, &out);
        }
        int r = buf_check(&out, "the object of a token", err);
        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}

int token_list(struct cluster *cluster, const char *output, struct err *err)
{
        const struct phase *phase = cluster->phase;
        struct value *list CLEANUP_VALUE = NULL;
        bool first = true;
        int r = api_wait_request(cluster->api, "GET", 0, LIST_PATH, NULL, &list, err);

        if (r < 0)
                return err_wrap(err, "failed to list bootstrap tokens");
        const struct value *items = value_map_get(list, "items");
        for (size_t i = 0; value_is(items, VALUE_LIST) && i < items->list.count; i++) {
                struct token_facts facts CLEANUP_TOKEN_FACTS = {0};
                struct err why = ERR_INIT;

                r = token_from_secret(items->list.items[i], &facts, &why);
                if (r == -ENOMEM) {
                        *err = why;
                        return r;
                }
                if (r < 0) {
                        if (!phase->options.quiet)
                                (void)fprintf(phase->options.log, "%s\n", why.msg);
                        continue;
                }
                r = str_eq(output, "text") ? print_text(phase, &facts, first, err)
                                           : print_object(phase, &facts, str_eq(output, "json"), first, err);
                if (r < 0)
                        return r;
                first = false;
        }
        return 0;
}

/* ---- delete ---- */

static struct value *secret_named(const char *token)
{
        struct value *secret = value_new_map(), *metadata = value_new_map();

        value_map_set(secret, "apiVersion", value_new_string("v1"));
        value_map_set(secret, "kind", value_new_string("Secret"));
        value_map_set(metadata, "namespace", value_new_string("kube-system"));
        value_map_set(metadata, "name", value_new_stringf("bootstrap-token-%.*s", TOKEN_ID_LEN, token));
        value_map_set(secret, "metadata", metadata);
        return secret;
}

static int delete_one(struct cluster *cluster, const char *token, struct err *err)
{
        struct value *secret CLEANUP_VALUE = secret_named(token);
        char *path CLEANUP_FREE = object_path(secret, true);

        if (cluster->dry_run)
                return object_dry_run(cluster, "DELETE", secret, NULL, err);
        if (api_wait_request(cluster->api, "DELETE", 0, path, NULL, NULL, err) < 0)
                return err_wrap(err, "failed to delete bootstrap token \"%.*s\"", TOKEN_ID_LEN, token);
        object_tell(cluster, "delete", secret, NULL);
        return 0;
}

int token_delete(struct cluster *cluster, const struct strv *tokens, struct err *err)
{
        const char *token;

        STRV_FOREACH (token, tokens) {
                if (!token_is_id(token) && !name_is_bootstrap_token(token))
                        return err_set(
                                err, ERR_INVALID,
                                "given token didn't match pattern \"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\" or "
                                "\"\\\\A([a-z0-9]{6})\\\\z\"");
                int r = delete_one(cluster, token, err);
                if (r < 0)
                        return r;
                phase_say(cluster->phase, "bootstrap token \"%.*s\" deleted", TOKEN_ID_LEN, token);
        }
        return 0;
}
