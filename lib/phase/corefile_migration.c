/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/corefile_migration.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "phase/corefile.h"
#include "phase/corefile_rules.h"
#include "phase/era.h"

#define ADDON "addon-coredns"
#define DIGEST "@sha256:"
#define DIGEST_LEN 64

static const char *without_v(const char *version)
{
        return version + strspn(version, "v");
}

static const char *target_version(const struct era *era)
{
        return without_v(era_text(era, "images", "coredns", ""));
}

/* ---- the version ---- */

static bool is_word_char(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

/* The length of an image's name without a digest, which has exactly its number of digits. */
static size_t without_digest(const char *image)
{
        size_t len = strlen(image), digest = strlen(DIGEST) + DIGEST_LEN;

        if (len < digest || !str_starts(image + len - digest, DIGEST))
                return len;
        for (size_t i = len - DIGEST_LEN; i < len; i++)
                if (!isxdigit((unsigned char)image[i]))
                        return len;
        return len - digest;
}

char *corefile_deployed_version(const struct era *era, const char *image)
{
        const char *colon = strrchr(image, ':');
        size_t end = without_digest(image);

        if (era_flag(era, ADDON, "deployedBehindColon"))
                return xstrdup(colon ? colon + 1 : image);
        size_t start = end;
        while (start > 0 && (is_word_char(image[start - 1]) || strchr(".-", image[start - 1])))
                start--;
        bool tag = start > 0 && start < end && image[start - 1] == ':' && is_word_char(image[start]);
        return tag ? xstrndup(image + start, end - start) : xstrdup("");
}

/* ---- default? ---- */

/* 1: yes. */
static int is_default(const struct corefile_rules *rules, const struct corefile *corefile, struct err *err)
{
        /* A release that no Kubernetes release brought has an empty one. */
        if (corefile->count == 0)
                return 1;
        for (size_t i = 0; i < rules->defaults->list.count; i++) {
                const struct value *item = rules->defaults->list.items[i];
                struct corefile *pattern CLEANUP_COREFILE = NULL;
                const char *text = value_string(item, "");
                int r = corefile_parse(text, strlen(text), &pattern, err);

                if (r < 0)
                        return r;
                if (corefile_matches(corefile, pattern))
                        return 1;
        }
        return 0;
}

/* ---- what changed ---- */

struct changes {
        const struct corefile_rules *rules;
        size_t version;
        struct strv *texts; /* NULL: nobody asks */
        bool needed;
};

static void tell(struct changes *changes, const char *plugin, const struct corefile_rule *rule)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        const char *version = corefile_rules_version(changes->rules, changes->version);
        bool added = str_eq(rule->status, COREFILE_NEW_DEFAULT);

        changes->needed |= added || str_eq(rule->status, COREFILE_REMOVED);
        if (!changes->texts)
                return;
        if (rule->option)
                buf_addf(&out, "Option \"%s\" in plugin \"%s\" ", rule->option, plugin);
        else
                buf_addf(&out, "Plugin \"%s\" ", plugin);
        buf_addf(&out, "is %s in %s.", added ? "added as a default" : rule->status, version);
        if (rule->replaced_by && !rule->option)
                buf_addf(&out, " It is replaced by \"%s\".", rule->replaced_by);
        strv_add(changes->texts, buf_str(&out));
}

static bool is_new(const struct corefile_rule *rule)
{
        return rule && str_eq(rule->status, COREFILE_NEW_DEFAULT);
}

static void look_at_plugin(struct changes *changes, const struct corefile *plugin)
{
        const char *name = corefile_name(plugin);
        const struct corefile_rule *rule = corefile_rule_find(changes->rules, changes->version, name, NULL);

        if (rule && rule->status && !is_new(rule)) {
                tell(changes, name, rule);
                return;
        }
        for (size_t i = 0; i < plugin->count; i++) {
                rule = corefile_rule_find(changes->rules, changes->version, name, corefile_name(plugin->items[i]));
                if (rule && rule->status && !is_new(rule))
                        tell(changes, name, rule);
        }
        for (size_t i = 0; (rule = corefile_rule_new(changes->rules, changes->version, name, &i));)
                if (!corefile_has(plugin, rule->option))
                        tell(changes, name, rule);
}

static void look_at(struct changes *changes, const struct corefile *corefile)
{
        const struct corefile_rule *rule;

        for (size_t s = 0; s < corefile->count; s++) {
                const struct corefile *server = corefile->items[s];

                for (size_t i = 0; i < server->count; i++)
                        look_at_plugin(changes, server->items[i]);
                for (size_t i = 0; (rule = corefile_rule_new(changes->rules, changes->version, NULL, &i));)
                        if (!corefile_has(server, rule->plugin))
                                tell(changes, rule->plugin, rule);
        }
}

/* From the release after `from`, or where that is the target itself of it alone. */
static int list_changes(const struct corefile_rules *rules, const char *from, const char *to,
                        const struct corefile *corefile, struct changes *changes, struct err *err)
{
        size_t first, last;
        int r = corefile_rules_span(rules, from, to, &first, &last, err);

        if (r < 0)
                return r;
        for (changes->version = first < last ? first + 1 : first; changes->version <= last; changes->version++)
                look_at(changes, corefile);
        return 0;
}

static int parse_text(const char *text, struct corefile **ret, struct err *err)
{
        return corefile_parse(text, strlen(text), ret, err);
}

int corefile_changes(const struct era *era, const char *from, const char *text, struct strv *ret_texts,
                     bool *ret_needed, struct err *err)
{
        struct corefile_rules rules CLEANUP_COREFILE_RULES = {0};
        struct corefile *corefile CLEANUP_COREFILE = NULL;
        struct changes changes = {.rules = &rules, .texts = ret_texts};
        int r = corefile_rules_read(era, &rules, err);

        if (r == 0)
                r = parse_text(text, &corefile, err);
        if (r == 0)
                r = list_changes(&rules, from, target_version(era), corefile, &changes, err);
        *ret_needed = changes.needed;
        return r;
}

/* ---- what to do ---- */

static int is_migration_needed(const struct era *era, const struct corefile_rules *rules, const char *deployed,
                               const struct corefile *corefile, bool *ret, struct err *err)
{
        const char *from = era_flag(era, ADDON, "deployedAsItIs") ? deployed : without_v(deployed);
        const char *to = target_version(era);
        struct changes changes = {.rules = rules};
        int r = 0;

        if (!str_empty(deployed) && (!str_eq(from, to) || era_flag(era, ADDON, "changesOfSame")))
                r = list_changes(rules, from, to, corefile, &changes, err);
        *ret = changes.needed;
        return r < 0 ? err_wrap(err, "unable to get list of changes to the configuration.") : 0;
}

int corefile_plan(const struct era *era, const char *deployed, const char *text, enum corefile_plan *ret,
                  struct err *err)
{
        struct corefile_rules rules CLEANUP_COREFILE_RULES = {0};
        struct corefile *corefile CLEANUP_COREFILE = NULL;
        bool needed = false;
        int r = corefile_rules_read(era, &rules, err);

        if (r == 0)
                r = parse_text(text, &corefile, err);
        if (r == 0)
                r = is_migration_needed(era, &rules, deployed, corefile, &needed, err);
        if (r == 0)
                r = is_default(&rules, corefile, err);
        if (r < 0)
                return r;
        *ret = r > 0 ? COREFILE_REPLACE : needed ? COREFILE_MIGRATE : COREFILE_RETAIN;
        return 0;
}

/* ---- migrating ---- */

static void migrate_options(const struct corefile_rules *rules, size_t version, struct corefile *plugin)
{
        const char *name = corefile_name(plugin);

        for (size_t i = 0; i < plugin->count;) {
                struct corefile *option = plugin->items[i];
                const struct corefile_rule *rule = corefile_rule_find(rules, version, name, corefile_name(option));
                bool acts = rule && rule->option_action && !str_eq(rule->status, COREFILE_DEPRECATED);

                if (acts && !rule->option_action(option))
                        (void)corefile_free(corefile_take(plugin, i));
                else
                        i++;
        }
}

/* What is deprecated stays until it is ignored or gone. */
static void migrate_plugin(const struct corefile_rules *rules, size_t version, struct corefile *plugin)
{
        const struct corefile_rule *rule = corefile_rule_find(rules, version, corefile_name(plugin), NULL);

        if (rule && str_eq(rule->status, COREFILE_DEPRECATED))
                return;
        migrate_options(rules, version, plugin);
        if (rule && rule->plugin_action)
                rule->plugin_action(plugin);
        for (size_t i = 0; (rule = corefile_rule_new(rules, version, corefile_name(plugin), &i));)
                if (!corefile_has(plugin, rule->option))
                        (void)corefile_add(plugin, rule->add);
}

static void migrate_server(const struct corefile_rules *rules, size_t version, struct corefile *server)
{
        const struct corefile_rule *rule;

        for (size_t i = 0; i < server->count; i++)
                migrate_plugin(rules, version, server->items[i]);
        for (size_t i = 0; (rule = corefile_rule_new(rules, version, NULL, &i));) {
                bool wanted = false;

                for (size_t k = 0; k < rule->to->list.count; k++)
                        wanted |= corefile_has(server, value_string(rule->to->list.items[k], ""));
                if (wanted && !corefile_has(server, rule->plugin))
                        (void)corefile_add(server, rule->add);
        }
}

static int migrate_to(const struct corefile_rules *rules, size_t version, struct corefile *corefile, struct err *err)
{
        int r = corefile_rules_whole(rules, version, COREFILE_BEFORE, corefile, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < corefile->count; i++)
                migrate_server(rules, version, corefile->items[i]);
        return corefile_rules_whole(rules, version, COREFILE_AFTER, corefile, err);
}

static int migrate(const struct corefile_rules *rules, const char *from, const char *to, const char *text, char **ret,
                   struct err *err)
{
        struct corefile *corefile CLEANUP_COREFILE = NULL;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        size_t first, last;
        int r = corefile_rules_span(rules, from, to, &first, &last, err);

        if (r == 0)
                r = parse_text(text, &corefile, err);
        for (size_t version = first + 1; r == 0 && version <= last; version++)
                r = migrate_to(rules, version, corefile, err);
        if (r < 0)
                return r;
        corefile_write(corefile, &out);
        r = buf_check(&out, "Corefile", err);
        if (r == 0)
                *ret = buf_steal(&out, NULL);
        return r;
}

int corefile_migrate(const struct era *era, const char *from, const char *text, char **ret, struct err *err)
{
        struct corefile_rules rules CLEANUP_COREFILE_RULES = {0};
        const char *to = target_version(era);

        if (str_eq(from, to)) {
                *ret = xstrdup(text);
                return 0;
        }
        int r = corefile_rules_read(era, &rules, err);
        return r < 0 ? r : migrate(&rules, from, to, text, ret, err);
}
