/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/meta.h"
#include "phase/address.h"
#include "phase/config_validate_subnets.h"
#include "phase/field_error.h"

/* kubeadm's constants */
#define MIN_SERVICE_ADDRESSES 10
#define MIN_POD_ADDRESSES 14
#define MAX_SERVICE_BITS 20
#define MAX_MASK_DIFFERENCE 16

/* More than two are an error of their own; these are looked at one by one all the same. */
#define SUBNETS_MAX 64

struct subnets {
        struct ip_subnet items[SUBNETS_MAX];
        int count;
};

struct checker {
        const struct phase_config *config;
        const struct era *era;
        struct config_problems *problems;
        bool dual_stack; /* two subnets are allowed, and masks are given by family */
        bool brief;      /* messages without sizes */
        char path[64];
};

/* As the row says, or as the gate does where that still is one. */
static bool dual_stack(const struct phase_config *config, const struct era *era)
{
        const char *rule = era_text(era, "validation", "dualStack", "");
        const struct config_gates *gates = &config->cluster.feature_gates;

        if (strcmp(rule, "always") == 0)
                return true;
        for (size_t i = 0; i < gates->count; i++)
                if (strcmp(gates->items[i].name, "IPv6DualStack") == 0)
                        return gates->items[i].enabled;
        return strcmp(rule, "on") == 0;
}

static void set_path(struct checker *c, const char *name)
{
        (void)snprintf(c->path, sizeof(c->path), "%s%s", era_text(c->era, "validation", "networkingPrefix", ""), name);
}

/* The problem is the subnet's, the place that of the whole setting. */
static struct config_text subnet_value(const struct config_text *setting, const struct ip_subnet *subnet,
                                       char text[IP_SUBNET_TEXT_MAX])
{
        ip_subnet_text(subnet, text);
        return (struct config_text){text, setting->place};
}

/* False where the text is no list of subnets. */
static bool check_subnets(const struct checker *c, const struct config_text *setting, int64_t min_addresses,
                          struct subnets *subnets)
{
        char text[IP_SUBNET_TEXT_MAX];

        subnets->count = ip_subnets_parse(setting->text, subnets->items, SUBNETS_MAX);
        if (subnets->count < 0) {
                field_invalid_text(c->problems, setting, c->path, "couldn't parse subnet");
                return false;
        }
        if (!c->dual_stack && subnets->count > 1)
                field_invalid_text(c->problems, setting, c->path, "only one CIDR allowed for single-stack networking");
        else if (subnets->count > 2 ||
                 (subnets->count == 2 && subnets->items[0].address.v4 == subnets->items[1].address.v4))
                field_invalid_text(c->problems, setting, c->path,
                                   "expected one (IPv4 or IPv6) CIDR or two CIDRs from each family for dual-stack "
                                   "networking");
        if (subnets->count > SUBNETS_MAX)
                subnets->count = SUBNETS_MAX;
        for (int i = 0; i < subnets->count; i++) {
                struct config_text shown = subnet_value(setting, &subnets->items[i], text);
                int64_t size = ip_subnet_size(&subnets->items[i]);

                if (size < min_addresses && c->brief)
                        field_invalid_text(c->problems, &shown, c->path, "subnet is too small");
                else if (size < min_addresses)
                        field_invalid_text(c->problems, &shown, c->path,
                                           "subnet with %" PRId64 " address(es) is too small, the minimum is %" PRId64,
                                           size, min_addresses);
        }
        return true;
}

static void check_service_size(const struct checker *c, const struct config_text *setting,
                               const struct subnets *subnets)
{
        char text[IP_SUBNET_TEXT_MAX];

        for (int i = 0; i < subnets->count; i++) {
                const struct ip_subnet *s = &subnets->items[i];
                struct config_text shown = subnet_value(setting, s, text);

                if (s->bits - s->ones > MAX_SERVICE_BITS)
                        field_invalid_text(c->problems, &shown, c->path,
                                           "specified service subnet is too large; for %u-bit addresses, the mask must "
                                           "be >= %u",
                                           s->bits, s->bits - MAX_SERVICE_BITS);
        }
}

/* Why strconv.Atoi refuses s; NULL where it takes it. */
static const char *atoi_error(const char *s, int64_t *ret)
{
        int r = str_to_i64(*s == '+' && s[1] != '-' ? s + 1 : s, ret);

        return r == 0 ? NULL : r == -ERANGE ? "value out of range" : "invalid syntax";
}

/* The node mask that the controller manager will use for a family. False (and a problem) where it is no number. */
static bool node_mask(const struct checker *c, const struct config_text *shown, bool v6, int64_t *ret)
{
        const char *name = !c->dual_stack ? "node-cidr-mask-size"
                           : v6           ? "node-cidr-mask-size-ipv6"
                                          : "node-cidr-mask-size-ipv4";
        const struct config_arg *arg = config_args_last(&c->config->cluster.controller_manager.extra_args, name);

        *ret = v6 ? 64 : 24;
        const char *why = arg && *arg->value ? atoi_error(arg->value, ret) : NULL;
        if (!why)
                return true;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        if (era_flag(c->era, "validation", "nodeMaskFlag"))
                buf_addf(&text,
                         "could not parse the value of the kube-controller-manager flag %s as an integer: ", name);
        buf_addstr(&text, "strconv.Atoi: parsing ");
        go_quote(arg->value, &text);
        field_invalid_text(c->problems, shown, c->path, "%s: %s", buf_str(&text), why);
        return false;
}

static void check_node_mask(const struct checker *c, const struct config_text *setting, const struct subnets *subnets)
{
        char text[IP_SUBNET_TEXT_MAX];

        for (int i = 0; i < subnets->count; i++) {
                const struct ip_subnet *s = &subnets->items[i];
                struct config_text shown = subnet_value(setting, s, text);
                int64_t mask = s->ones, node;

                if (!node_mask(c, &shown, !s->address.v4, &node))
                        continue;
                /* Any number may be given: the difference of one below the mask need not fit. */
                bool differ = node > mask && node - mask > MAX_MASK_DIFFERENCE;
                if (mask > node && c->brief)
                        field_invalid_text(c->problems, &shown, c->path,
                                           "pod subnet size is smaller than the node subnet size");
                else if (differ && c->brief)
                        field_invalid_text(c->problems, &shown, c->path,
                                           "pod subnet mask and node-mask difference can not be greater than %d",
                                           MAX_MASK_DIFFERENCE);
                else if (mask > node)
                        field_invalid_text(c->problems, &shown, c->path,
                                           "the size of pod subnet with mask %" PRId64
                                           " is smaller than the size of node subnet "
                                           "with mask %" PRId64,
                                           mask, node);
                else if (differ)
                        field_invalid_text(c->problems, &shown, c->path,
                                           "pod subnet mask (%" PRId64 ") and node-mask (%" PRId64
                                           ") difference is greater than %d",
                                           mask, node, MAX_MASK_DIFFERENCE);
        }
}

static void check_service_subnet(struct checker *c)
{
        const struct config_text *setting = &c->config->cluster.networking.service_subnet;
        struct subnets *subnets CLEANUP_FREE = xcalloc(1, sizeof(*subnets));

        set_path(c, "serviceSubnet");
        if (*setting->text && check_subnets(c, setting, MIN_SERVICE_ADDRESSES, subnets))
                check_service_size(c, setting, subnets);
}

static void check_pod_subnet(struct checker *c)
{
        const struct config_text *setting = &c->config->cluster.networking.pod_subnet;
        const struct config_arg *allocate =
                config_args_last(&c->config->cluster.controller_manager.extra_args, "allocate-node-cidrs");
        struct subnets *subnets CLEANUP_FREE = xcalloc(1, sizeof(*subnets));

        set_path(c, "podSubnet");
        if (*setting->text && check_subnets(c, setting, MIN_POD_ADDRESSES, subnets) &&
            !(era_flag(c->era, "validation", "allocateNodeCIDRs") && allocate && strcmp(allocate->value, "false") == 0))
                check_node_mask(c, setting, subnets);
}

void config_validate_networking(const struct phase_config *config, const struct era *era,
                                struct config_problems *problems)
{
        const struct config_text *domain = &config->cluster.networking.dns_domain;
        struct strv messages CLEANUP_STRV = STRV_INIT;
        struct checker c = {
                config, era, problems, dual_stack(config, era), era_flag(era, "validation", "briefSubnetTexts"), ""};

        set_path(&c, "dnsDomain");
        (void)meta_dns1123_subdomain(domain->text, &messages);
        for (size_t i = 0; i < messages.len; i++)
                field_invalid_text(problems, domain, c.path, "%s", messages.items[i]);
        check_service_subnet(&c);
        check_pod_subnet(&c);
}
