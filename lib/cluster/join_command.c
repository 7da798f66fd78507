/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/join_command.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/step.h"
#include "codec/value.h"
#include "kube/kubeconfig.h"
#include "phase/action.h"
#include "phase/phase.h"
#include "pki/cert.h"
#include "pki/seal.h"

#define COMMAND_MAX (64 * 1024)
#define WITHHELD "<value withheld>"

static int add_pins(const char *ca_pem, struct buf *out, struct err *err)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        char pin[PKI_PIN_MAX];
        int r = pki_certs_load(ca_pem, strlen(ca_pem), &certs, err);

        if (r < 0)
                return err_wrap(err, "failed to parse CA certificate from kubeconfig");
        for (size_t i = 0; i < certs.count; i++) {
                r = pki_cert_pin(certs.items[i], pin, err);
                if (r < 0)
                        return r;
                buf_addf(out, "--discovery-token-ca-cert-hash %s ", pin);
        }
        return 0;
}

static int render(const struct kubeconfig *config, const char *path, const struct join_options *options,
                  const char *newline, struct buf *out, struct err *err)
{
        const char *server = config->server ? config->server : "", *key = options->certificate_key;
        const char *host = str_after(server, "https://");

        if (!config->ca_pem)
                return err_set(err, ERR_INVALID, "no CA certificates found in kubeconfig");
        buf_addf(out, "kubeadm join %s --token %s %s", host ? host : server,
                 options->skip_token_print ? WITHHELD : options->token, newline);
        int r = add_pins(config->ca_pem, out, err);
        if (r < 0)
                return r;
        if (options->skip_key_print)
                key = WITHHELD;
        if (options->control_plane)
                buf_addf(out, "%s--control-plane ", newline);
        if (options->control_plane && !str_empty(key))
                buf_addf(out, "--certificate-key %s", key);
        return buf_check(out, path, err);
}

int join_command(const struct phase *phase, const struct kubeconfig *config, const char *path,
                 const struct join_options *options, char **ret, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(COMMAND_MAX);
        char *newline CLEANUP_FREE = xasprintf("\\\n%s", era_text(phase->era, "cluster", "joinIndent", ""));
        int r = render(config, path, options, newline, &out, err);

        if (r == 0)
                *ret = buf_steal(&out, NULL);
        return r;
}

int join_command_line(const struct phase *phase, const struct kubeconfig *config, const char *path,
                      const struct join_options *options, char **ret, struct err *err)
{
        const char *indent = era_text(phase->era, "cluster", "joinIndent", "");
        struct buf out CLEANUP_BUF = BUF_INIT(COMMAND_MAX);
        /* kubeadm takes tabs away with the line breaks, and nothing else. */
        int r = render(config, path, options, str_eq(indent, "\t") ? "" : indent, &out, err);

        if (r < 0)
                return err_wrap(err, "failed to get join command");
        *ret = buf_steal(&out, NULL);
        return 0;
}

static int show_one(const struct phase *phase, const char *path, const char *control_plane, const char *worker,
                    bool uploaded, struct err *err)
{
        bool endpoint = *phase->config->cluster.control_plane_endpoint.text != '\0';
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *items CLEANUP_VALUE = NULL;

        template_set_text(&variables, "kubeConfigPath", path, NULL);
        template_set_text(&variables, "joinControlPlane", control_plane, NULL);
        template_set_text(&variables, "joinWorker", worker, NULL);
        template_set_text(&variables, "joinUploaded", endpoint && uploaded ? "" : NULL, NULL);
        template_set_text(&variables, "joinCopied", endpoint && !uploaded ? "" : NULL, NULL);
        int r = step_load(phase, "init-done", &variables, &items, err);
        for (size_t i = 0; r == 0 && i < items->list.count; i++) {
                const char *text = value_string(value_map_get(items->list.items[i], "say"), NULL);
                if (text)
                        phase_say(phase, "%s", text);
        }
        return r;
}

/* A line each for programs: the worker's, and a control plane's where it has an endpoint to join by. */
static int tell_one(const struct phase *phase, const struct kubeconfig *config, const char *path,
                    struct join_options *options, struct err *err)
{
        bool endpoint = *phase->config->cluster.control_plane_endpoint.text != '\0';
        char *control_plane CLEANUP_FREE = NULL, *worker CLEANUP_FREE = NULL;
        int r = join_command_line(phase, config, path, options, &control_plane, err);

        options->control_plane = false;
        if (r == 0)
                r = join_command_line(phase, config, path, options, &worker, err);
        if (r == 0 && endpoint)
                r = action_show(phase, "controlPlaneJoinCommand", control_plane, err);
        return r < 0 ? r : action_show(phase, "joinCommand", worker, err);
}

int join_show(const struct phase *phase, const struct kubeconfig *config, const char *path, bool uploaded,
              bool skip_token_print, bool skip_key_print, struct err *err)
{
        const struct config_tokens *tokens = &phase->config->init.bootstrap_tokens;
        int r = 0;

        for (size_t i = 0; i < tokens->count && r == 0; i++) {
                struct join_options options = {
                        .token = tokens->items[i].token.text,
                        .certificate_key = phase->config->init.certificate_key.text,
                        .control_plane = true,
                        .skip_token_print = skip_token_print,
                        .skip_key_print = skip_key_print,
                };
                char *control_plane CLEANUP_FREE = NULL, *worker CLEANUP_FREE = NULL;

                if (phase_tells_actions(phase)) {
                        r = tell_one(phase, config, path, &options, err);
                        continue;
                }
                r = join_command(phase, config, path, &options, &control_plane, err);
                options.control_plane = false;
                if (r == 0)
                        r = join_command(phase, config, path, &options, &worker, err);
                if (r == 0)
                        r = show_one(phase, path, control_plane, worker, uploaded, err);
        }
        return r < 0 ? err_wrap(err, "failed to print join command") : 0;
}
