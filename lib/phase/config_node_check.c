/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/meta.h"
#include "phase/address.h"
#include "phase/config_node_check.h"
#include "phase/config_validate.h"
#include "phase/field_error.h"
#include "phase/names.h"

struct check {
        const struct phase *phase;
        struct config_problems *problems;
};

/* A string of the tree as the reports want it. */
static struct config_text text_at(const struct value *owner, const char *key)
{
        const struct value *v = value_map_get(owner, key);

        return (struct config_text){value_string(v, ""),
                                    v ? v->place : (owner ? owner->place : (struct value_place){0})};
}

static void check_token(const struct check *c, const struct config_text *token, const char *path)
{
        if (!name_is_bootstrap_token(token->text))
                field_invalid_text(c->problems, token, path, "the bootstrap token is invalid");
}

/* net.SplitHostPort's complaints */
static const char *host_port_problem(const char *s)
{
        const char *colon = strrchr(s, ':'), *bracket = strchr(s, ']');

        if (!colon || (bracket && !bracket[1]))
                return "missing port in address";
        if (*s != '[' && memchr(s, ':', (size_t)(colon - s)))
                return "too many colons in address";
        if (*s == '[' && (!bracket || bracket + 1 != colon))
                return bracket ? "missing port in address" : "missing ']' in address";
        return NULL;
}

static void check_bootstrap_token(const struct check *c, const struct value *v)
{
        static const char path[] = "discovery.bootstrapToken";
        const struct config_text endpoint = text_at(v, "apiServerEndpoint"), token = text_at(v, "token");
        const struct value *hashes = value_map_get(v, "caCertHashes");
        const struct value *unsafe = value_map_get(v, "unsafeSkipCAVerification");

        if (!*endpoint.text)
                config_problem_error(c->problems, &endpoint.place, "%s: Required value: APIServerEndpoint is not set",
                                     path);
        if ((!hashes || hashes->kind != VALUE_LIST || hashes->list.count == 0) &&
            !(value_is(unsafe, VALUE_BOOL) && unsafe->boolean)) {
                const struct config_text none = {"", endpoint.place};
                bool unnamed = era_flag(c->phase->era, "validation", "caCertHashesUnnamed");
                field_invalid_text(c->problems, &none, unnamed ? path : "discovery.bootstrapToken.caCertHashes",
                                   "using token-based discovery without caCertHashes can be unsafe. Set "
                                   "unsafeSkipCAVerification as true in your kubeadm config file or pass "
                                   "--discovery-token-unsafe-skip-ca-verification flag to continue");
        }
        check_token(c, &token, "discovery.bootstrapToken.token");
        const char *why = host_port_problem(endpoint.text);
        if (why)
                field_invalid_text(c->problems, &endpoint, "discovery.bootstrapToken.apiServerEndpoint",
                                   *endpoint.text ? "address %s: %s" : "%s%s", endpoint.text, why);
}

static void check_file(const struct check *c, const struct value *v)
{
        static const char path[] = "discovery.file.kubeConfigPath";
        const struct config_text file = text_at(v, "kubeConfigPath");
        struct url url CLEANUP_URL = {0};
        bool bad = url_parse(file.text, &url, NULL) < 0;

        if (bad || (str_empty(url.scheme) && !phase_exists(c->phase, file.text)))
                field_invalid_text(c->problems, &file, path, "not a valid HTTPS URL or a file on disk");
        else if (!str_empty(url.scheme) && !str_eq(url.scheme, "https"))
                field_invalid_text(c->problems, &file, path, "if a URL is used, the scheme must be https");
}

static void check_discovery(const struct check *c, const struct value *v)
{
        const struct value *token = value_map_get(v, "bootstrapToken"), *file = value_map_get(v, "file");
        const struct config_text none = {"", v->place}, tls = text_at(v, "tlsBootstrapToken");
        bool has_token = value_is(token, VALUE_MAP), has_file = value_is(file, VALUE_MAP);

        if (!has_token && !has_file)
                field_invalid_text(c->problems, &none, "discovery", "bootstrapToken or file must be set");
        if (has_token && has_file)
                field_invalid_text(c->problems, &none, "discovery", "bootstrapToken and file cannot both be set");
        if (has_token) {
                check_bootstrap_token(c, token);
                check_token(c, &tls, "discovery.tlsBootstrapToken");
        }
        if (has_file) {
                check_file(c, file);
                if (*tls.text)
                        check_token(c, &tls, "discovery.tlsBootstrapToken");
        }
}

static void check_pull_policy(const struct check *c, const struct value *owner, const char *path)
{
        const struct config_text policy = text_at(owner, "imagePullPolicy");

        if (*policy.text && era_flag(c->phase->era, "validation", "imagePullPolicy") &&
            !str_eq(policy.text, "Always") && !str_eq(policy.text, "IfNotPresent") && !str_eq(policy.text, "Never"))
                field_invalid_text(c->problems, &policy, path, "invalid pull policy");
}

/* A map is a list in order of names to kubeadm, as soon as an API version has lists. */
static void check_arguments(const struct check *c, const struct value *args, const char *path)
{
        bool map = value_is(args, VALUE_MAP) && era_flag(c->phase->era, "validation", "argumentNames");

        if (map && value_map_get(args, "")) {
                const struct config_arg arg = {.name = "", .place = args->place};

                config_check_argument(&arg, 0, path, c->problems);
        }
        for (size_t i = 0; value_is(args, VALUE_LIST) && i < args->list.count; i++) {
                const struct value *item = args->list.items[i];
                const struct config_arg arg = {
                        .name = value_string(value_map_get(item, "name"), ""),
                        .place = item->place,
                        .merge_method = value_string(value_map_get(item, "mergeMethod"), NULL),
                };

                config_check_argument(&arg, i, path, c->problems);
        }
}

static void check_registration(const struct check *c, const struct value *v)
{
        const struct config_text name = text_at(v, "name"), socket = text_at(v, "criSocket");
        struct strv messages CLEANUP_STRV = STRV_INIT;

        (void)meta_dns1123_subdomain(name.text, &messages);
        for (size_t i = 0; i < messages.len; i++)
                field_invalid_text(c->problems, &name, "nodeRegistration.name", "%s", messages.items[i]);
        config_check_socket(c->phase->era, &socket, "nodeRegistration.criSocket", c->problems);
        check_arguments(c, value_map_get(v, "kubeletExtraArgs"), "nodeRegistration.kubeletExtraArgs");
        check_pull_policy(c, v, "nodeRegistration.imagePullPolicy");
}

static void check_control_plane(const struct check *c, const struct value *v)
{
        const struct config_text key = text_at(v, "certificateKey");
        const struct value *endpoint = value_map_get(v, "localAPIEndpoint");
        const struct value *port = value_map_get(endpoint, "bindPort");
        int64_t number = 0;

        if (port && (value_int(port, &number) < 0 || number < 1 || number > 65535))
                field_invalid_raw(c->problems, &port->place, "controlPlane.localAPIEndpoint.bindPort",
                                  port->kind == VALUE_NUMBER ? port->text : "0", "port number is not valid");
        config_check_certificate_key(c->phase->era, &key, "controlPlane.certificateKey", c->problems);
}

static void check_absolute(const struct check *c, const struct value *owner, const char *key, const char *path)
{
        const struct config_text text = text_at(owner, key);

        if (text.text[0] != '/')
                field_invalid_text(c->problems, &text, path, "path is not absolute");
}

static void check_join(const struct check *c, const struct value *v)
{
        const struct config_text ca = text_at(v, "caCertPath");

        check_discovery(c, value_map_get(v, "discovery"));
        check_registration(c, value_map_get(v, "nodeRegistration"));
        if (value_is(value_map_get(v, "controlPlane"), VALUE_MAP))
                check_control_plane(c, value_map_get(v, "controlPlane"));
        if (ca.text[0] != '/' || !str_ends(ca.text, ".crt"))
                field_invalid_text(c->problems, &ca, "caCertPath", "the ca certificate path must be an absolute path");
}

static void check_reset(const struct check *c, const struct value *v)
{
        static const char *const known[] = {"MNT_FORCE", "MNT_DETACH", "MNT_EXPIRE", "UMOUNT_NOFOLLOW"};
        const struct config_text socket = text_at(v, "criSocket");
        const struct value *flags = value_map_get(v, "unmountFlags");

        config_check_socket(c->phase->era, &socket, "criSocket", c->problems);
        check_absolute(c, v, "certificatesDir", "certificatesDir");
        for (size_t i = 0; value_is(flags, VALUE_LIST) && i < flags->list.count; i++) {
                const char *flag = value_string(flags->list.items[i], "");
                bool found = false;
                char index[40];

                for (size_t k = 0; k < ARRAY_SIZE(known); k++)
                        found |= str_eq(known[k], flag);
                (void)snprintf(index, sizeof(index), "\"index %zu\"", i);
                if (!found)
                        field_invalid_raw(c->problems, &flags->list.items[i]->place, "unmountFlags", index,
                                          "unknown unmount flag %s", flag);
        }
}

static void check_upgrade(const struct check *c, const struct value *v)
{
        const struct value *apply = value_map_get(v, "apply"), *node = value_map_get(v, "node");

        if (value_is(value_map_get(apply, "patches"), VALUE_MAP))
                check_absolute(c, value_map_get(apply, "patches"), "directory", "apply.patches.directory");
        if (value_is(value_map_get(node, "patches"), VALUE_MAP))
                check_absolute(c, value_map_get(node, "patches"), "directory", "node.patches.directory");
        check_pull_policy(c, apply, "apply.imagePullPolicy");
        check_pull_policy(c, node, "node.imagePullPolicy");
}

void config_node_check(const struct phase *phase, const char *kind, const struct value *v,
                       struct config_problems *problems)
{
        static const struct {
                const char *kind;
                void (*check)(const struct check *c, const struct value *v);
        } checks[] = {
                {"JoinConfiguration", check_join},
                {"ResetConfiguration", check_reset},
                {"UpgradeConfiguration", check_upgrade},
        };
        const struct check c = {phase, problems};

        for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
                if (str_eq(checks[i].kind, kind))
                        checks[i].check(&c, v);
}
