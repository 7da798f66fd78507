/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/colour.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_default.h"
#include "phase/config_documents.h"
#include "phase/config_flags.h"
#include "phase/config_text.h"
#include "phase/config_validate.h"
#include "phase/kube_proxy_config.h"
#include "phase/kubelet_configuration.h"
#include "phase/kubernetes_version.h"
#include "phase/patch.h"
#include "phase/phase.h"
#include "phase/printer.h"
#include "phase/phase_files.h"
#include "phase/users.h"

const char *phase_errno_text(int errno_value, char *buffer, size_t size)
{
        (void)snprintf(buffer, size, "%s", strerrordesc_np(errno_value) ?: "unknown error");
        /* "No such file" but not "RPC ..." */
        if (size > 1 && islower((unsigned char)buffer[1]))
                buffer[0] = (char)tolower((unsigned char)buffer[0]);
        return buffer;
}

static int read_config(const struct phase *phase, struct buf *b, struct err *err)
{
        const char *file = phase->options.config_file;
        char text[128];
        struct err why = ERR_INIT;

        phase_detail(phase, 1, "loading configuration from \"%s\"", file);
        if (phase->options.config_text) {
                buf_addstr(b, phase->options.config_text);
                return buf_check(b, file, err);
        }
        int r = file_read(file, b, &why);
        if (r == 0)
                return 0;
        if (phase->options.decode & CONFIG_DECODE_NODE_KINDS)
                return err_set(err, why.code, "%s %s: %s", why.code == EISDIR ? "read" : "open", file,
                               phase_errno_text(why.code, text, sizeof(text)));
        if (why.code >= ERR_INVALID || why.code == EINVAL)
                return err_set(err, why.code, "unable to read config from \"%s\" : %s", file, why.msg);
        return err_set(err, why.code, "unable to read config from \"%s\" : %s %s: %s", file,
                       why.code == EISDIR ? "read" : "open", file, phase_errno_text(why.code, text, sizeof(text)));
}

/* The documents of --config. A key that is there twice is told when its document is decoded. */
static int read_documents(const struct phase *phase, struct yaml_documents *ret, struct config_problems *problems,
                          struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        const char *file = phase->options.config_file;
        struct err why = ERR_INIT;

        int r = read_config(phase, &b, err);
        if (r < 0)
                return r;
        if (!phase->as_kubeadm)
                return yaml_load(file, buf_str(&b), b.len, YAML_DUPLICATE_LAST_WINS, ret, err);
        r = config_text_load(file, &b, phase->era, YAML_DUPLICATE_LAST_WINS, ret, &why);
        if (r < 0 && config_documents_check_kinds(ret, problems, err) == 0 && err)
                *err = why;
        return r;
}

/* The command takes only what it knows, whichever kubeadm it is. */
static bool is_strict_command(const struct phase *phase)
{
        char *path CLEANUP_FREE = xasprintf("strict.%s", phase->options.command ? phase->options.command : "");

        return era_flag(phase->era, "config", path);
}

bool phase_is_lenient(const struct phase *phase)
{
        return phase->options.lenient || (phase->as_kubeadm && !phase->options.strict && !is_strict_command(phase));
}

/* enum config_decode_flags */
static unsigned decode_flags(const struct phase *phase)
{
        unsigned flags = phase->options.decode;

        if (phase_is_lenient(phase))
                flags |= CONFIG_DECODE_LENIENT;
        if (is_strict_command(phase))
                flags |= CONFIG_DECODE_KNOWN_ONLY;
        return flags;
}

/* Chooses the kubeadm to behave as: --kubeadm-version, else the newest of the Kubernetes minor that is asked for. */
static int choose_era(struct phase *phase, const char *kubernetes_version, struct err *err)
{
        struct kube_version version;
        int r;

        if (phase->options.kubeadm_version) {
                r = kube_version_parse(phase->options.kubeadm_version, false, &version, err);
                if (r < 0)
                        return err_wrap(err, "--kubeadm-version");
        } else {
                r = era_newest(phase->era, kubernetes_version_minor(kubernetes_version), &version, err);
                if (r < 0)
                        return r;
        }
        r = era_set_version(phase->era, &version, err);
        if (r == 0) {
                char text[KUBE_VERSION_MAX];
                kube_version_text(&version, text);
                phase_detail(phase, 1, "behaving as kubeadm %s", text);
        }
        return r;
}

/* kubeadm does not judge what it has fetched from the cluster (FetchInitConfigurationFromCluster). */
static void validate(const struct phase *phase, struct config_problems *problems)
{
        if (!phase->options.config_text)
                config_validate(phase->config, phase->era, problems);
}

/* kubeadm ends at the first mistake of a kind; what else is wrong is told as well. */
static void validate_further(const struct phase *phase, struct config_problems *problems)
{
        size_t known = problems->count;

        if (problems->errors == 0)
                return;
        validate(phase, problems);
        config_problems_drop_repeated(problems, known);
}

bool phase_lists_command(const struct phase *phase, const char *group, const char *path)
{
        char *command CLEANUP_FREE = xstrdup(phase->options.command ? phase->options.command : "");

        for (;;) {
                char *last = strrchr(command, ' ');

                if (era_lists(phase->era, group, path, command))
                        return true;
                if (!last)
                        return false;
                *last = '\0';
        }
}

int phase_validation_exit_code(const struct phase *phase)
{
        return (int)era_number(phase->era, "validation", "exitCode", 1);
}

static bool option_came(const struct phase *phase, const char *name)
{
        return phase->options.seen && strv_contains(&phase->options.seen->names, name);
}

/* What newInitData looks at behind validation is not for commands that are no phase of init. */
static int default_and_validate(struct phase *phase, struct config_problems *problems, struct err *err)
{
        config_default_static(phase->config, phase->era);
        int r = config_default_dynamic(phase, problems, err);
        if (r < 0) {
                validate_further(phase, problems);
                return r;
        }
        validate(phase, problems);
        r = config_problems_aggregate(problems, err);
        if (r < 0) {
                phase->exit_code = phase_validation_exit_code(phase);
                return r;
        }
        /* --node-name, beside --config and without it, is taken as it is after all else was looked at. */
        if (phase->options.flags && !str_empty(phase->options.flags->node_name))
                phase->config->init.node_registration.name = (struct config_text){
                        config_keepf(phase->config, "%s", phase->options.flags->node_name),
                        {.origin = "node-name"},
                };
        if (phase_lists_command(phase, "config", "anyAddress"))
                return 0;
        if (!option_came(phase, "dry-run") && !phase_lists_command(phase, "config", "dryRunUnused"))
                phase->options.dry_run = phase->options.dry_run || phase->config->init.dry_run.value;
        config_check_ignored(phase->era, &phase->config->init.node_registration.ignore_preflight_errors,
                             phase->options.ignored_checks, problems);
        r = config_problems_aggregate(problems, err);
        if (r < 0) {
                phase->exit_code = phase_validation_exit_code(phase);
                return r;
        }
        return phase->options.config_text ? 0 : config_check_bind_address(phase->config, err);
}

/* The kubeadm that was asked for may not have an option, or not its letter. */
static int check_absent(const struct phase *phase, const char *name, const char *word, struct err *err)
{
        bool is_long = str_starts(word, "--");
        char *letter CLEANUP_FREE = is_long ? NULL : xasprintf("-%c", word[1]);

        if (!phase->as_kubeadm || !phase_lists_command(phase, "absent-flags", is_long ? name : letter))
                return 0;
        return is_long ? err_set(err, ERR_USAGE, "unknown flag: --%s", name)
                       : err_set(err, ERR_USAGE, "unknown shorthand flag: '%c' in %s", word[1], word);
}

/* What pflag refuses while it reads the command line, from left to right. */
static int check_options(const struct phase *phase, struct err *err)
{
        const struct cli_seen *seen = phase->options.seen;
        int r = 0;

        for (size_t i = 0; seen && i < seen->names.len && r == 0; i++) {
                r = check_absent(phase, seen->names.items[i], seen->words.items[i], err);
                if (r == 0)
                        r = config_flags_check_type(seen->names.items[i], seen->values.items[i], phase->era, err);
        }
        return r;
}

/* The kubeadm that was asked for may not have the command. */
static int check_command(const struct phase *phase, struct err *err)
{
        const char *command = phase->as_kubeadm ? phase->options.command : NULL;
        char *with_config CLEANUP_FREE = xasprintf("%s --config", command ? command : "");
        const char *refusal = command ? era_text(phase->era, "commands", command, NULL) : NULL;

        if (!refusal && command && phase->options.config_file)
                refusal = era_text(phase->era, "commands", with_config, NULL);
        return refusal ? err_set(err, ERR_USAGE, "%s", refusal) : 0;
}

/* What kubeadm says of the command line when the command runs, before it reads a file. */
static int check_command_line(struct phase *phase, struct err *err)
{
        int r = check_command(phase, err);

        if (r == 0)
                r = config_flags_check_values(phase->options.flags, phase->era, err);
        if (r == 0 && phase->options.prints)
                r = printer_format(phase->options.output, &phase->options.output, err);
        return r < 0 ? r : config_flags_check_mixed(&phase->options, phase->era, err);
}

/* The checks behind decoding. */
static int check_further(struct phase *phase, struct config_problems *problems, struct err *err)
{
        int r = kube_proxy_config_check(phase, phase_is_lenient(phase), problems, err);

        if (r == 0)
                r = kubelet_configuration_check(phase, phase_is_lenient(phase), problems, err);
        return r < 0 ? r : default_and_validate(phase, problems, err);
}

/* Behind mistakes of decoding, for their problems alone: the error and the exit code stay. */
static void check_behind_mistakes(struct phase *phase, struct config_problems *problems)
{
        const struct phase_config *config = phase->config;
        size_t known = problems->count;
        int exit_code = phase->exit_code;

        if (problems->errors == 0 || (!*config->init.api_version.text && !*config->cluster.api_version.text))
                return;
        (void)check_further(phase, problems, NULL);
        config_problems_drop_repeated(problems, known);
        phase->exit_code = exit_code;
}

static const char *version_flag(const struct phase_options *options)
{
        return options->flags ? options->flags->kubernetes_version : NULL;
}

/* Reads the configuration file; it may be what says which kubeadm is meant. Where it cannot be read, mistakes on the
 * command line come first all the same. */
static int read_file(struct phase *phase, struct yaml_documents *ret, struct config_problems *problems, struct err *err)
{
        const char *version = phase->options.kubernetes_version;
        struct err mistake = ERR_INIT;
        int r = read_documents(phase, ret, problems, err);

        if (r == 0 && version)
                config_documents_set_version(ret, version);
        if (phase->as_kubeadm)
                return r;
        if (r == 0)
                return choose_era(phase, config_documents_version(ret), err);
        if (choose_era(phase, version ? version : version_flag(&phase->options), &mistake) == 0 &&
            check_command_line(phase, &mistake) < 0) {
                config_problems_release(problems);
                return err_set(err, mistake.code, "%s", mistake.msg);
        }
        return r;
}

static int load(struct phase *phase, struct config_problems *problems, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        const struct phase_options *options = &phase->options;
        const char *file = options->no_config ? NULL : options->config_file;
        int r = 0;

        if (phase->as_kubeadm || !file)
                r = choose_era(phase, options->no_config ? NULL : version_flag(options), err);
        if (r == 0 && options->no_config)
                return check_command(phase, err);
        if (r == 0 && phase->as_kubeadm)
                r = check_command_line(phase, err);
        if (r == 0 && file)
                r = read_file(phase, &documents, problems, err);
        if (r == 0 && !phase->as_kubeadm)
                r = check_command_line(phase, err);
        if (r == 0 && !file)
                r = config_flags_documents(options->flags, phase->era, &documents, err);
        if (r == 0)
                r = config_decode(phase->config, &documents, phase->era, decode_flags(phase), problems, err);
        if (r < 0 && problems->aggregate)
                phase->exit_code = phase_validation_exit_code(phase);
        if (r == 0 && (options->decode & CONFIG_DECODE_NODE_KINDS) && !*phase->config->init.api_version.text &&
            !*phase->config->cluster.api_version.text)
                return 0;
        if (r < 0)
                check_behind_mistakes(phase, problems);
        return r < 0 ? r : check_further(phase, problems, err);
}

/* Warnings always; mistakes unless the only one is the error text itself. */
static void print_problems(const struct phase *phase, const struct config_problems *problems, const struct err *err)
{
        if (problems->count == 1 && problems->errors == 1 && !problems->items[0].near && err &&
            strstr(err->msg, problems->items[0].text) && problems->items[0].place.file &&
            strncmp(err->msg, problems->items[0].place.file, strlen(problems->items[0].place.file)) == 0)
                return;
        for (size_t i = 0; i < problems->count; i++)
                if (problems->items[i].said)
                        phase_say(phase, "%s", problems->items[i].text);
        config_problems_print(problems, !phase->options.quiet, phase->options.log);
}

static void show_setting(const struct phase *phase, const char *name, const struct config_text *setting)
{
        const struct value_place *p = &setting->place;

        if (p->file)
                phase_detail(phase, 2, "%s is \"%s\" (%s:%u:%u)", name, setting->text, p->file, p->line, p->column);
        else
                phase_detail(phase, 2, "%s is \"%s\" (%s)", name, setting->text, p->origin ? p->origin : "computed");
}

/* The settings that decide most of what is rendered, and where each came from. */
static void show_decisions(const struct phase *phase)
{
        const struct config_init *init = &phase->config->init;
        const struct config_cluster *cluster = &phase->config->cluster;

        show_setting(phase, "node name", &init->node_registration.name);
        show_setting(phase, "advertise address", &init->local_api_endpoint.advertise_address);
        show_setting(phase, "Kubernetes version", &cluster->kubernetes_version);
        show_setting(phase, "certificates directory", &cluster->certificates_dir);
        show_setting(phase, "image repository", &cluster->image_repository);
        show_setting(phase, "service subnet", &cluster->networking.service_subnet);
        phase_detail(phase, 2, "etcd is %s", cluster->etcd.external.set ? "external" : "local");
}

int phase_check_options(const struct phase_options *options, struct err *err)
{
        struct phase phase = {.options = *options, .as_kubeadm = options->kubeadm_version != NULL};

        phase.options.verbosity = 0; /* phase_open tells which kubeadm it is */

        int r = era_new(options->templates_dir, &phase.era, err);
        if (r == 0)
                r = choose_era(&phase, version_flag(options), err);
        if (r == 0)
                r = check_options(&phase, err);
        era_free(phase.era);
        return r;
}

int phase_open(const struct phase_options *options, struct phase **ret, struct err *err)
{
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct phase *phase = xcalloc(1, sizeof(*phase));
        struct err why = ERR_INIT;

        phase->options = *options;
        if (options->config_file && !*options->config_file && !(options->decode & CONFIG_DECODE_NODE_KINDS))
                phase->options.config_file = NULL;
        phase->as_kubeadm = options->kubeadm_version != NULL;
        phase->exit_code = 1;
        phase->config = phase_config_new();
        phase->files = phase_files_new();
        *ret = phase;
        int r = era_new(options->templates_dir, &phase->era, &why);
        if (r == 0)
                r = load(phase, &problems, &why);
        if (r == 0 && *phase->config->init.node_registration.name.text)
                show_decisions(phase);
        print_problems(phase, &problems, r < 0 ? &why : NULL);
        if (r < 0 && err)
                *err = why;
        return r;
}

struct phase *phase_free(struct phase *phase)
{
        if (!phase)
                return NULL;
        patches_free(phase->patches);
        (void)users_free(phase->users);
        phase_files_free(phase->files);
        phase_config_free(phase->config);
        era_free(phase->era);
        free(phase);
        return NULL;
}

void phase_say(const struct phase *phase, const char *fmt, ...)
{
        va_list ap;

        if (phase->options.quiet || phase_tells_actions(phase) || str_eq(phase->options.output, "yaml"))
                return;
        va_start(ap, fmt);
        (void)vfprintf(phase->options.out, fmt, ap);
        va_end(ap);
        (void)fputc('\n', phase->options.out);
}

void phase_detail(const struct phase *phase, int level, const char *fmt, ...)
{
        va_list ap;

        if (phase->options.verbosity < level)
                return;
        va_start(ap, fmt);
        (void)vfprintf(phase->options.log, fmt, ap);
        va_end(ap);
        (void)fputc('\n', phase->options.log);
}

void phase_warn(const struct phase *phase, const char *fmt, ...)
{
        va_list ap;

        if (phase->options.quiet)
                return;
        (void)fprintf(phase->options.log, "%swarning: %s", colour_begin(phase->options.log, COLOUR_WARNING),
                      colour_end(phase->options.log));
        va_start(ap, fmt);
        (void)vfprintf(phase->options.log, fmt, ap);
        va_end(ap);
        (void)fputc('\n', phase->options.log);
}
