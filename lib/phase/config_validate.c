/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/meta.h"
#include "phase/address.h"
#include "phase/config_validate.h"
#include "phase/config_validate_subnets.h"
#include "phase/field_error.h"
#include "phase/names.h"

struct validator {
        const struct phase_config *config;
        const struct era *era;
        struct config_problems *problems;
};

static void check_dns1123(const struct validator *v, const struct config_text *text, const char *path)
{
        struct strv messages CLEANUP_STRV = STRV_INIT;

        (void)meta_dns1123_subdomain(text->text, &messages);
        for (size_t i = 0; i < messages.len; i++)
                field_invalid_text(v->problems, text, path, "%s", messages.items[i]);
}

static void check_absolute(const struct validator *v, const struct config_text *text, const char *path)
{
        if (text->text[0] != '/')
                field_invalid_text(v->problems, text, path, "path is not absolute");
}

void config_check_argument(const struct config_arg *arg, size_t i, const char *path, struct config_problems *problems)
{
        const char *method = arg->merge_method ? arg->merge_method : "";
        char index[40];

        (void)snprintf(index, sizeof(index), "\"index %zu\"", i);
        if (!*arg->name)
                field_invalid_raw(problems, &arg->place, path, index, "argument has no name");
        if (*method && !str_eq(method, "append") && !str_eq(method, "prepend"))
                field_invalid_raw(problems, &arg->place, path, index, "argument has an invalid merge method");
}

static void check_arguments(const struct validator *v, const struct config_args *args, const char *path)
{
        for (size_t i = 0; i < args->count && era_flag(v->era, "validation", "argumentNames"); i++)
                config_check_argument(&args->items[i], i, path, v->problems);
}

void config_check_socket(const struct era *era, const struct config_text *socket, const char *path,
                         struct config_problems *problems)
{
        struct url url CLEANUP_URL = {0};
        struct err why = ERR_INIT;
        bool by_path = str_eq(era_text(era, "validation", "criSocket", ""), "path");

        if (!*socket->text)
                field_invalid_text(problems, socket, path, "empty CRI socket");
        else if (url_parse(socket->text, &url, &why) < 0)
                field_invalid_text(problems, socket, path, "URL parsing error: %s", why.msg);
        else if (by_path && !*url.scheme && socket->text[0] != '/')
                field_invalid_text(problems, socket, path, "path is not absolute: %s", socket->text);
        else if (by_path && *url.scheme && strcmp(url.scheme, "unix") != 0)
                field_invalid_text(problems, socket, path, "URL scheme %s is not supported", url.scheme);
        else if (!by_path && strcmp(url.scheme, "unix") != 0)
                field_invalid_text(problems, socket, path, "only URL scheme \"unix\" is supported, got \"%s\"",
                                   url.scheme);
}

static void report_policy(const struct validator *v, const struct config_text *policy)
{
        static const char *const known[] = {"Always", "IfNotPresent", "Never"};

        field_invalid_text(v->problems, policy, "nodeRegistration.imagePullPolicy", "invalid pull policy");
        config_problem_suggest(v->problems, policy->text, known, ARRAY_SIZE(known));
}

static void check_node_registration(const struct validator *v)
{
        const struct config_node_registration *node = &v->config->init.node_registration;
        const char *policy = node->image_pull_policy.text;

        if (!*node->name.text)
                config_problem_error(
                        v->problems, &node->name.place,
                        "nodeRegistration: Required value: --node-name or .nodeRegistration.name in the "
                        "config file is a required value. It seems like this value couldn't be automatically "
                        "detected in your environment, please specify the desired value using the CLI or "
                        "config file.");
        else
                check_dns1123(v, &node->name, "nodeRegistration.name");
        config_check_socket(v->era, &node->cri_socket, "nodeRegistration.criSocket", v->problems);
        check_arguments(v, &node->kubelet_extra_args, "nodeRegistration.kubeletExtraArgs");
        if (*policy && era_flag(v->era, "validation", "imagePullPolicy") && !str_eq(policy, "Always") &&
            !str_eq(policy, "IfNotPresent") && !str_eq(policy, "Never"))
                report_policy(v, &node->image_pull_policy);
}

/* ["a","b"] or []string{"a", "b"} */
static char *show_texts(const struct validator *v, const struct config_texts *texts)
{
        bool go = str_eq(era_text(v->era, "validation", "badMaps", ""), "go");
        struct buf out = BUF_INIT(64 * 1024);

        buf_addstr(&out, go ? "[]string{" : "[");
        for (size_t i = 0; i < texts->count; i++) {
                if (i > 0)
                        buf_addstr(&out, go ? ", " : ",");
                go_quote(texts->items[i].text, &out);
        }
        buf_addstr(&out, go ? "}" : "]");
        return buf_steal(&out, NULL);
}

static bool has_text(const struct config_texts *texts, const char *text)
{
        for (size_t i = 0; i < texts->count; i++)
                if (strcmp(texts->items[i].text, text) == 0)
                        return true;
        return false;
}

/* \Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z */
static bool bootstrap_group_valid(const char *group)
{
        const char *name = str_after(group, "system:bootstrappers:");
        size_t len = name ? strlen(name) : 0;

        return len > 0 && len <= 256 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789:-") == len &&
               !strchr(":-", name[len - 1]);
}

static void check_token(const struct validator *v, const struct config_token *token, size_t index)
{
        char *usages_shown CLEANUP_FREE = show_texts(v, &token->usages);
        char *groups_shown CLEANUP_FREE = show_texts(v, &token->groups);
        char path[64];
        struct strv unknown CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < token->usages.count; i++)
                if (!str_eq(token->usages.items[i].text, "signing") &&
                    !str_eq(token->usages.items[i].text, "authentication"))
                        strv_add(&unknown, token->usages.items[i].text);
        strv_sort(&unknown);
        (void)snprintf(path, sizeof(path), "bootstrapTokens.%zu.usages", index);
        if (unknown.len > 0) {
                char *names CLEANUP_FREE = strv_join(&unknown, ",");
                field_invalid_raw(
                        v->problems, &token->usages.place, path, usages_shown,
                        "invalid bootstrap token usage string: %s, valid usage options: signing,authentication", names);
        }
        (void)snprintf(path, sizeof(path), "bootstrapTokens.%zu.groups", index);
        if (token->groups.count > 0 && !has_text(&token->usages, "authentication"))
                field_invalid_raw(v->problems, &token->groups.place, path, groups_shown,
                                  "token groups cannot be specified unless --usages includes \"authentication\"");
        for (size_t i = 0; i < token->groups.count; i++)
                if (!bootstrap_group_valid(token->groups.items[i].text))
                        field_invalid_raw(v->problems, &token->groups.items[i].place, path, groups_shown,
                                          "bootstrap group \"%s\" is invalid (must match "
                                          "\\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\\z)",
                                          token->groups.items[i].text);
        (void)snprintf(path, sizeof(path), "bootstrapTokens.%zu", index);
        if (*token->expires.text && token->ttl.set)
                field_invalid_raw(v->problems, &token->expires.place, path, "\"\"",
                                  "the BootstrapToken .TTL and .Expires fields are mutually exclusive");
}

static void check_image_repository(const struct validator *v, const struct config_text *text, const char *path)
{
        if (era_flag(v->era, "validation", "imageRepository") &&
            (!name_is_image_repository(text->text) ||
             (text->text[0] == '[' && !era_flag(v->era, "validation", "imageRepositoryIPv6"))))
                field_invalid_text(v->problems, text, path, "invalid image repository format");
}

static void check_sans(const struct validator *v, const struct config_texts *sans, const char *path)
{
        for (size_t i = 0; i < sans->count; i++) {
                struct strv plain CLEANUP_STRV = STRV_INIT, wildcard CLEANUP_STRV = STRV_INIT;
                const char *name = sans->items[i].text;
                struct ip_address ip;

                if (meta_dns1123_subdomain(name, &plain) == 0 ||
                    name_wildcard_dns1123_subdomain(name, &wildcard) == 0 || ip_parse(name, &ip) == 0)
                        continue;
                char *why_plain CLEANUP_FREE = strv_join(&plain, "; ");
                char *why_wildcard CLEANUP_FREE = strv_join(&wildcard, "; ");
                field_invalid_text(
                        v->problems, &sans->items[i], path,
                        "altname is not a valid IP address, DNS label or a DNS label with subdomain wildcards: "
                        "%s; %s",
                        why_plain, why_wildcard);
        }
}

/* {"A":true,"B":false} or map[string]bool{"A":true, "B":false} */
static char *show_gates(const struct validator *v, const struct config_gates *gates)
{
        bool go = str_eq(era_text(v->era, "validation", "badMaps", ""), "go");
        struct buf out = BUF_INIT(64 * 1024);

        buf_addstr(&out, go ? "map[string]bool{" : "{");
        for (size_t i = 0; i < gates->count; i++) {
                if (i > 0)
                        buf_addstr(&out, go ? ", " : ",");
                go_quote(gates->items[i].name, &out);
                buf_addstr(&out, gates->items[i].enabled ? ":true" : ":false");
        }
        buf_addstr(&out, "}");
        return buf_steal(&out, NULL);
}

static void check_gates(const struct validator *v)
{
        const struct config_gates *gates = &v->config->cluster.feature_gates;
        char *shown CLEANUP_FREE = show_gates(v, gates);

        for (size_t i = 0; i < gates->count; i++) {
                if (era_lists(v->era, "config", "featureGates", gates->items[i].name))
                        continue;
                field_invalid_raw(v->problems, &gates->items[i].place, "featureGates", shown,
                                  "%s is not a valid feature name.", gates->items[i].name);
                config_problem_suggest_of(v->problems, gates->items[i].name,
                                          era_value(v->era, "config", "featureGates"));
        }
}

static void check_urls(const struct validator *v, const struct config_texts *urls, bool https, const char *path)
{
        for (size_t i = 0; i < urls->count; i++) {
                struct url url CLEANUP_URL = {0};
                struct err why = ERR_INIT;

                if (url_parse(urls->items[i].text, &url, &why) < 0) {
                        field_invalid_text(v->problems, &urls->items[i], path, "URL parse error: %s", why.msg);
                        continue;
                }
                if (https && strcmp(url.scheme, "https") != 0)
                        field_invalid_text(v->problems, &urls->items[i], path,
                                           "the URL must be using the HTTPS scheme");
                if (!*url.scheme)
                        field_invalid_text(v->problems, &urls->items[i], path, "the URL without scheme is not allowed");
        }
}

static void check_etcd_local(const struct validator *v)
{
        const struct config_etcd_local *local = &v->config->cluster.etcd.local;

        check_absolute(v, &local->data_dir, "etcd.local.dataDir");
        check_sans(v, &local->server_cert_sans, "etcd.local.serverCertSANs");
        check_sans(v, &local->peer_cert_sans, "etcd.local.peerCertSANs");
        if (*local->image_repository.text)
                check_image_repository(v, &local->image_repository, "etcd.local.imageRepository");
        check_arguments(v, &local->extra_args, "etcd.local.extraArgs");
}

static void check_etcd_external(const struct validator *v)
{
        const struct config_etcd_external *e = &v->config->cluster.etcd.external;
        bool ca = *e->ca_file.text, cert = *e->cert_file.text, key = *e->key_file.text;

        if (cert != key)
                field_invalid_raw(
                        v->problems, &e->place, "etcd.external", "\"\"",
                        "either both or none of .Etcd.External.CertFile and .Etcd.External.KeyFile must be set");
        if (cert && key && !ca)
                field_invalid_raw(v->problems, &e->place, "etcd.external", "\"\"",
                                  "setting .Etcd.External.CertFile and .Etcd.External.KeyFile requires "
                                  ".Etcd.External.CAFile");
        if (e->endpoints.count == 0 && era_flag(v->era, "validation", "etcdEndpoints"))
                field_invalid_raw(v->problems, &e->place, "etcd.external.endpoints", "\"\"",
                                  "at least one endpoint must be specified");
        else
                check_urls(v, &e->endpoints, ca || cert || key, "etcd.external.endpoints");
        if (era_flag(v->era, "validation", "httpEndpoints"))
                check_urls(v, &e->http_endpoints, false, "etcd.external.httpEndpoints");
        if (ca)
                check_absolute(v, &e->ca_file, "etcd.external.caFile");
        if (cert)
                check_absolute(v, &e->cert_file, "etcd.external.certFile");
        if (key)
                check_absolute(v, &e->key_file, "etcd.external.keyFile");
}

static void check_etcd(const struct validator *v)
{
        const struct config_etcd *etcd = &v->config->cluster.etcd;

        if (etcd->local.set && etcd->external.set) {
                field_invalid_raw(v->problems, &etcd->external.place, "etcd", "\"\"",
                                  ".Etcd.Local and .Etcd.External are mutually exclusive");
                return;
        }
        if (etcd->local.set)
                check_etcd_local(v);
        if (etcd->external.set)
                check_etcd_external(v);
}

static void check_algorithm(const struct validator *v)
{
        const struct config_text *algorithm = &v->config->cluster.encryption_algorithm;
        const struct value *known = era_value(v->era, "config", "encryptionAlgorithms");
        struct strv names CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; value_is(known, VALUE_LIST) && i < known->list.count; i++)
                strv_add(&names, value_string(known->list.items[i], ""));
        if (strv_contains(&names, algorithm->text))
                return;
        char *all CLEANUP_FREE = strv_join(&names, " ");
        const char *brief = era_text(v->era, "validation", "algorithmText", NULL);
        if (brief)
                field_invalid_text(v->problems, algorithm, "encryptionAlgorithm", "%s", brief);
        else
                field_invalid_text(v->problems, algorithm, "encryptionAlgorithm",
                                   "Invalid encryption algorithm \"%s\". Must be one of [%s]", algorithm->text, all);
        config_problem_suggest_of(v->problems, algorithm->text, known);
}

/* What was written has been read before; the port may have come from bindPort since. */
static void check_control_plane_endpoint(const struct validator *v)
{
        const struct config_text *endpoint = &v->config->cluster.control_plane_endpoint;
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;

        if (*endpoint->text && hostport_parse(endpoint->text, &host, &port, NULL) < 0)
                field_invalid_text(v->problems, endpoint, "controlPlaneEndpoint", "endpoint is not valid");
}

static void check_cluster(const struct validator *v)
{
        const struct config_cluster *c = &v->config->cluster;

        if (str_eq(c->dns.type.text, "kube-dns") && !era_value(v->era, "images", "kubeDNS"))
                field_invalid_text(v->problems, &c->dns.type, "dns", "DNS type \"kube-dns\" is no longer supported");
        if (*c->dns.image_repository.text)
                check_image_repository(v, &c->dns.image_repository, "dns.imageRepository");
        config_validate_networking(v->config, v->era, v->problems);
        check_sans(v, &c->api_server.cert_sans, "apiServer.certSANs");
        check_arguments(v, &c->api_server.component.extra_args, "apiServer.extraArgs");
        check_arguments(v, &c->controller_manager.extra_args, "controllerManager.extraArgs");
        check_arguments(v, &c->scheduler.extra_args, "scheduler.extraArgs");
        check_absolute(v, &c->certificates_dir, "certificatesDir");
        check_gates(v);
        check_control_plane_endpoint(v);
        check_image_repository(v, &c->image_repository, "imageRepository");
        check_etcd(v);
        check_algorithm(v);
}

static void check_endpoint(const struct validator *v)
{
        const struct config_endpoint *e = &v->config->init.local_api_endpoint;
        struct ip_address ip;
        char port[24];

        if (ip_parse(e->advertise_address.text, &ip) < 0)
                field_invalid_text(v->problems, &e->advertise_address, "localAPIEndpoint.advertiseAddress",
                                   "ip address is not valid");
        (void)snprintf(port, sizeof(port), "%" PRId64, e->bind_port.value);
        if (e->bind_port.value < 1 || e->bind_port.value > 65535)
                field_invalid_raw(v->problems, &e->bind_port.place, "localAPIEndpoint.bindPort", port,
                                  "port number is not valid");
}

void config_check_certificate_key(const struct era *era, const struct config_text *key, const char *path,
                                  struct config_problems *problems)
{
        size_t len = strlen(key->text), hex = strspn(key->text, "0123456789abcdefABCDEF");

        if (!*key->text || !era_flag(era, "validation", "certificateKey"))
                return;
        if (hex < len)
                field_invalid_text(problems, key, path,
                                   "certificate key decoding error: encoding/hex: invalid byte: U+%04X '%c'",
                                   (unsigned char)key->text[hex], key->text[hex]);
        else if (len % 2)
                field_invalid_text(problems, key, path,
                                   "certificate key decoding error: encoding/hex: odd length hex string");
        else if (len != 64)
                field_invalid_text(problems, key, path,
                                   "invalid certificate key size %zu, the key must be an AES key of size 32", len / 2);
}

void config_validate(const struct phase_config *config, const struct era *era, struct config_problems *problems)
{
        const struct validator v = {config, era, problems};

        check_node_registration(&v);
        for (size_t i = 0; i < config->init.bootstrap_tokens.count; i++)
                check_token(&v, &config->init.bootstrap_tokens.items[i], i);
        check_cluster(&v);
        check_endpoint(&v);
        config_check_certificate_key(era, &config->init.certificate_key, "certificateKey", problems);
}

/* Checks are named in any case. */
static void add_check(struct strv *names, const char *name)
{
        char *lower CLEANUP_FREE = xstrdup(name);

        str_lower(lower);
        if (!strv_contains(names, lower))
                strv_add(names, lower);
}

void config_check_ignored(const struct era *era, const struct config_texts *configured, const struct strv *flags,
                          struct config_problems *problems)
{
        struct value_place place = {.origin = "ignore-preflight-errors"};
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;

        for (size_t i = 0; configured && i < configured->count; i++) {
                add_check(&names, configured->items[i].text);
                if (strcasecmp(configured->items[i].text, "all") == 0)
                        place = configured->items[i].place;
        }
        if (strv_contains(&names, "all") && era_flag(era, "validation", "noIgnoreAll"))
                field_invalid_text(problems, &(struct config_text){"all", place}, "ignorePreflightErrors",
                                   "'all' cannot be used in configuration file");
        if (flags)
                STRV_FOREACH (name, flags)
                        add_check(&names, name);
        if (!strv_contains(&names, "all") || names.len < 2)
                return;
        strv_sort(&names);
        char *joined CLEANUP_FREE = strv_join(&names, ",");
        field_invalid_text(problems, &(struct config_text){joined, place}, "ignore-preflight-errors",
                           "don't specify individual checks if 'all' is used");
}
