/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/yaml.h"
#include "phase/addon.h"
#include "phase/address.h"
#include "phase/images.h"
#include "phase/kube_proxy_config.h"
#include "phase/patch.h"

/* Texts name texts; more than this is a circle in the tables. */
#define TEXT_DEPTH_MAX 4

#define PROXY_KUBECONFIG_IN_POD "/var/lib/kube-proxy/kubeconfig.conf"

struct variable {
        const char *name;
        char *text;
};

struct fill {
        const struct phase *phase;
        const char *group;
        struct variable variables[4]; /* the program's; name NULL: unused */
};

static void fill_release(struct fill *fill)
{
        for (size_t i = 0; i < ARRAY_SIZE(fill->variables); i++)
                free(fill->variables[i].text);
}

void addon_objects_release(struct addon_objects *objects)
{
        for (size_t i = 0; i < objects->count; i++)
                free(objects->items[i].text);
        free(objects->items);
        *objects = (struct addon_objects){0};
}

static const struct value *text_row(const struct fill *fill, const char *name)
{
        char *path CLEANUP_FREE = xasprintf("text.%s", name);

        return era_value(fill->phase->era, fill->group, path);
}

static const char *program_text(const struct fill *fill, const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(fill->variables); i++)
                if (str_eq(fill->variables[i].name, name))
                        return fill->variables[i].text;
        return NULL;
}

/* Appends text with each ${name} filled in. A name without a row in this era is nothing. */
static int expand(const struct fill *fill, const char *text, int depth, struct buf *out, struct err *err)
{
        const char *start;
        int r = 0;

        if (depth > TEXT_DEPTH_MAX)
                return err_set(err, ERR_INVALID, "%s: the texts name each other in a circle", fill->group);
        while (r == 0 && (start = strstr(text, "${"))) {
                const char *end = strchr(start, '}');

                if (!end)
                        return err_set(err, ERR_INVALID, "%s: \"${\" without \"}\"", fill->group);
                buf_add(out, text, (size_t)(start - text));
                char *name CLEANUP_FREE = xstrndup(start + 2, (size_t)(end - start - 2));
                const char *value = program_text(fill, name);
                if (value)
                        buf_addstr(out, value);
                else
                        r = expand(fill, value_string(text_row(fill, name), ""), depth + 1, out, err);
                text = end + 1;
        }
        buf_addstr(out, text);
        return r;
}

/* GetDNSIP: the tenth address of the first service subnet. */
static int dns_address(const struct phase *phase, char **ret, struct err *err)
{
        const char *text = phase->config->cluster.networking.service_subnet.text;
        char address[IP_TEXT_MAX];
        struct ip_subnet subnet;
        struct ip_address ip;

        if (ip_subnets_parse(text, &subnet, 1) < 1 || !ip_add(&subnet.address, 10, &ip) ||
            !ip_subnet_contains(&subnet, &ip))
                return err_set(err, ERR_INVALID,
                               "unable to get internal Kubernetes Service IP from the given service CIDR (%s)", text);
        ip_text(&ip, address);
        *ret = xstrdup(address);
        return 0;
}

static int coredns_variables(struct fill *fill, int replicas, struct err *err)
{
        char *address = NULL;
        int r = dns_address(fill->phase, &address, err);

        fill->variables[0] = (struct variable){"dnsAddress", address};
        fill->variables[1] = (struct variable){"image", image_coredns(fill->phase)};
        fill->variables[2] = (struct variable){"replicas", xasprintf("%d", replicas)};
        fill->variables[3] =
                (struct variable){"dnsDomain", xstrdup(fill->phase->config->cluster.networking.dns_domain.text)};
        return r;
}

/* Each line four columns in, as it stands in the ConfigMap. */
static int indented_config(const struct phase *phase, char **ret, struct err *err)
{
        struct buf plain CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT), out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *config CLEANUP_VALUE = NULL;
        int r = kube_proxy_config_render(phase, PROXY_KUBECONFIG_IN_POD, &config, err);

        if (r < 0)
                return r;
        yaml_write(config, 0, &plain);
        const char *line = buf_str(&plain), *end;
        while ((end = strchr(line, '\n'))) {
                buf_addstr(&out, "    ");
                buf_add(&out, line, (size_t)(end - line + 1));
                line = end + 1;
        }
        r = buf_check(&plain, "the configuration of kube-proxy", err);
        if (r == 0)
                r = buf_check(&out, "the configuration of kube-proxy", err);
        if (r == 0)
                *ret = buf_steal(&out, NULL);
        return r;
}

static int kube_proxy_variables(struct fill *fill, int replicas, struct err *err)
{
        char *config = NULL;
        int r = indented_config(fill->phase, &config, err);

        (void)replicas;
        phase_warn_endpoint_port(fill->phase);
        fill->variables[0] = (struct variable){"config", config};
        fill->variables[1] = (struct variable){"image", image_component(fill->phase, "kube-proxy")};
        fill->variables[2] =
                (struct variable){"controlPlaneEndpoint", config_control_plane_endpoint(fill->phase->config)};
        return r;
}

static const struct addon {
        const char *name, *group;
        int (*variables)(struct fill *fill, int replicas, struct err *err);
        /* What of it can be patched: the row that says so, and the object as the patches directory and kubeadm call it.
         */
        const char *patched_row, *patched, *target, *type, *shown;
} addons[] = {
        {"coredns", "addon-coredns", coredns_variables, "patchesCoreDNS", "deployment", "corednsdeployment",
         "Deployment", "CoreDNS Deployment"},
        {"kube-proxy", "addon-kube-proxy", kube_proxy_variables, "patchesProxy", "daemonSet", "kubeproxydaemonset",
         "DaemonSet", "kube-proxy DaemonSet"},
};

/* Makes what the patches leave of an object its text, which then is written with sorted keys. */
static int apply_patches(struct phase *phase, const struct addon *addon, struct addon_object *object, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *v CLEANUP_VALUE = NULL;

        if (!str_eq(object->name, addon->patched) || !era_flag(phase->era, "cluster", addon->patched_row) ||
            !patch_directory_given(phase))
                return 0;
        int r = addon_object_value(object, &v, err);
        if (r == 0)
                r = patch_document(phase, addon->target, addon->type, &v, err);
        if (r < 0)
                return err_wrap(err, "could not apply patches to the %s", addon->shown);
        yaml_write(v, 0, &out);
        r = buf_check(&out, addon->shown, err);
        if (r < 0)
                return r;
        free(object->text);
        object->text = buf_steal(&out, NULL);
        object->patched = true;
        return 0;
}

static int render_object(const struct fill *fill, const char *name, struct addon_object *ret, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        const struct value *text = text_row(fill, name);

        if (!value_is(text, VALUE_STRING))
                return err_set(err, ERR_INVALID, "%s: no row text.%s", fill->group, name);
        int r = expand(fill, text->text, 0, &out, err);
        if (r == 0)
                r = buf_check(&out, name, err);
        if (r == 0)
                *ret = (struct addon_object){.name = name, .text = buf_steal(&out, NULL)};
        return r;
}

static int render(struct phase *phase, const struct addon *addon, int replicas, struct addon_objects *ret,
                  struct err *err)
{
        struct fill fill __attribute__((cleanup(fill_release))) = {.phase = phase, .group = addon->group};
        struct addon_objects objects CLEANUP_ADDON_OBJECTS = {0};
        const struct value *names = era_value(phase->era, addon->group, "objects");
        int r = addon->variables(&fill, replicas, err);

        if (r == 0 && !value_is(names, VALUE_LIST))
                r = err_set(err, ERR_INVALID, "%s: no row \"objects\"", addon->group);
        if (r < 0)
                return r;
        objects.items = xcalloc(names->list.count + 1, sizeof(*objects.items));
        for (size_t i = 0; i < names->list.count && r == 0; i++) {
                r = render_object(&fill, value_string(names->list.items[i], ""), &objects.items[i], err);
                objects.count += r == 0;
                if (r == 0)
                        r = apply_patches(phase, addon, &objects.items[i], err);
        }
        if (r < 0)
                return r;
        *ret = objects;
        objects = (struct addon_objects){0};
        return 0;
}

int addon_render(struct phase *phase, const char *addon, int replicas, struct addon_objects *ret, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(addons); i++)
                if (str_eq(addons[i].name, addon))
                        return render(phase, &addons[i], replicas, ret, err);
        return err_set(err, ERR_UNSUPPORTED, "no addon \"%s\"", addon);
}

int addon_object_value(const struct addon_object *object, struct value **ret, struct err *err)
{
        return yaml_load_one(object->name, object->text, strlen(object->text), 0, ret, err);
}

static int print_addon(struct phase *phase, const struct addon *addon, struct err *err)
{
        struct addon_objects objects CLEANUP_ADDON_OBJECTS = {0};
        int r = render(phase, addon, ADDON_COREDNS_REPLICAS, &objects, err);

        if (r < 0)
                return err_wrap(err, "error execution phase addon/%s", addon->name);
        for (size_t i = 0; i < objects.count; i++) {
                /* kubeadm's own texts begin with a line break, a patched one does not, and its "---" then separates
                 * nothing. */
                bool as_kubeadm = objects.items[i].patched && phase->options.kubeadm_version;

                (void)fprintf(phase->options.out, "---%s%s", as_kubeadm ? "" : "\n", objects.items[i].text);
        }
        return 0;
}

int phase_addon_print(struct phase *phase, const char *addon, struct err *err)
{
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(addons) && r == 0; i++)
                if (!addon || str_eq(addon, addons[i].name))
                        r = print_addon(phase, &addons[i], err);
        return r;
}
