/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_encode.h"
#include "phase/config_migrate.h"
#include "phase/config_node.h"
#include "phase/config_schema.h"
#include "phase/secret_text.h"

static const char *migrated_version(const struct phase *phase)
{
        return config_migrated_version(phase->era, phase->options.decode & CONFIG_DECODE_ALLOW_EXPERIMENTAL);
}

static int generate_token(struct phase_config *config, struct config_text *token, struct err *err)
{
        char text[SECRET_TOKEN_MAX];
        int r = secret_token(text, err);

        if (r < 0)
                return err_wrap(err, "couldn't generate random token");
        token->text = config_keepf(config, "%s", text);
        return 0;
}

static int complete_tokens(struct phase_config *config, struct err *err)
{
        struct config_tokens *tokens = &config->init.bootstrap_tokens;
        int r = 0;

        for (size_t i = 0; i < tokens->count && r == 0; i++)
                if (!*tokens->items[i].token.text)
                        r = generate_token(config, &tokens->items[i].token, err);
        return r;
}

static int add_init(const struct phase *phase, struct buf *out, struct err *err)
{
        static const char *const kinds[] = {"InitConfiguration", "ClusterConfiguration"};
        const char *version = migrated_version(phase);
        struct config_duration moved;
        int r = complete_tokens(phase->config, err);

        if (config_complete_cluster(phase->config, phase->era, &moved))
                phase->config->init.timeouts.control_plane_component_health_check = moved;
        for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++) {
                struct value *v CLEANUP_VALUE = NULL;

                r = config_encode(phase->config, phase->era, version, kinds[i], &v, err);
                if (r == 0)
                        r = config_add_document(v, out, err);
        }
        return r;
}

/* Convert_kubeadm_JoinConfiguration_To_v1beta4_JoinConfiguration: timeoutForControlPlane of a ClusterConfiguration
 * beside it counts, where it is of an API version that has it. */
static void carry_timeout(const struct phase *phase, struct value *join)
{
        const struct config_duration *moved = &phase->config->init.timeouts.control_plane_component_health_check;
        const char *slash = strrchr(phase->config->cluster.api_version.text, '/');
        struct value *timeouts = value_map_get(join, "timeouts");
        char text[TIMEFMT_MAX];

        if (!slash || moved->nsec == 0 || !value_is(timeouts, VALUE_MAP) ||
            !era_flag(phase->era, "config", "carriedTimeout") ||
            config_field_shape(phase->era, "APIServer", slash + 1, "timeoutForControlPlane") == API_SHAPE_MAX)
                return;
        duration_text(moved->nsec, text);
        value_map_set(timeouts, "controlPlaneComponentHealthCheck", value_new_string(text))->place = moved->place;
}

/* In kubeadm's order. */
static int add_nodes(struct phase *phase, unsigned flags, struct buf *out, struct err *err)
{
        static const char *const kinds[] = {"JoinConfiguration", "ResetConfiguration", "UpgradeConfiguration"};
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        const struct phase_config *config = phase->config;
        int r = 0;

        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
                for (size_t i = 0; i < config->node_count && r == 0; i++) {
                        struct value *v CLEANUP_VALUE = NULL;

                        if (!str_eq(config->nodes[i].kind, kinds[k]) ||
                            !era_lists(phase->era, "config", "nodeKinds", kinds[k]))
                                continue;
                        r = config_node_render(phase, &config->nodes[i], migrated_version(phase),
                                               flags | (phase_is_lenient(phase) ? 0 : CONFIG_NODE_STRICT), &problems,
                                               &v, &phase->exit_code, err);
                        if (r == 0 && (flags & CONFIG_NODE_MIGRATE) && phase->as_kubeadm &&
                            era_lists(phase->era, "config", "migrateFails", kinds[k]))
                                r = err_set(err, ERR_UNSUPPORTED,
                                            "could not find a mutator for input: []interface {}{(*kubeadm.%s)}",
                                            kinds[k]);
                        if (r == 0 && str_eq(kinds[k], "JoinConfiguration"))
                                carry_timeout(phase, v);
                        if (r == 0)
                                r = config_add_document(v, out, err);
                }
        config_problems_print(&problems, !phase->options.quiet, phase->options.log);
        return r;
}

static int write_new(struct phase *phase, const char *path, const struct buf *out, struct err *err)
{
        phase_add_file(phase, path, buf_str(out), out->len, 0644, 0, PHASE_FILE_AS_GIVEN);
        phase_file_context(phase, "failed to write the new configuration to the file \"%s\"", path);
        return phase_commit(phase, err);
}

/* It has no other version: it stays as it was written, the order of its keys too. */
static int add_arguments(const struct phase *phase, struct buf *out, struct err *err)
{
        if (!phase->config->arguments)
                return 0;
        buf_addstr(out, out->len > 0 ? "---\n" : "");
        yaml_write(phase->config->arguments, YAML_WRITE_KEEP_ORDER, out);
        return buf_check(out, "the configuration", err);
}

int phase_config_migrate(struct phase *phase, const char *new_config, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        const struct phase_config *config = phase->config;
        int r = 0;

        if (!new_config && phase_tells_actions(phase))
                return err_set(err, ERR_USAGE, "-o json tells of what is written: the --new-config flag is mandatory");
        if (*config->init.api_version.text || *config->cluster.api_version.text)
                r = add_init(phase, &out, err);
        if (r == 0)
                r = add_nodes(phase, CONFIG_NODE_MIGRATE, &out, err);
        if (r == 0)
                r = add_arguments(phase, &out, err);
        if (r < 0)
                return r;
        if (new_config)
                return write_new(phase, new_config, &out, err);
        (void)fputs(buf_str(&out), phase->options.out);
        return 0;
}

int phase_config_check_nodes(struct phase *phase, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        return add_nodes(phase, 0, &out, err);
}
