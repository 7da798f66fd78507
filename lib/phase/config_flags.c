/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/config_encode.h"
#include "phase/config_flags.h"
#include "phase/config_schema.h"
#include "phase/template.h"

enum flag_kind {
        FLAG_TEXT,
        FLAG_PORT,
        FLAG_GATES, /* k=true,k=false */
        FLAG_ARGS,  /* struct strv of k=v,k=v */
        FLAG_TEXTS, /* struct strv */
};

struct flag {
        const char *name;
        size_t offset;
        enum flag_kind kind;
        bool init;        /* in InitConfiguration, else in ClusterConfiguration */
        const char *path; /* of the setting */
};

#define AT(member) offsetof(struct phase_flags, member)

static const struct flag flags_table[] = {
        {"apiserver-advertise-address", AT(apiserver_advertise_address), FLAG_TEXT, true,
         "localAPIEndpoint.advertiseAddress"},
        {"apiserver-bind-port", AT(apiserver_bind_port), FLAG_PORT, true, "localAPIEndpoint.bindPort"},
        {"apiserver-cert-extra-sans", AT(apiserver_cert_extra_sans), FLAG_TEXTS, false, "apiServer.certSANs"},
        {"apiserver-extra-args", AT(apiserver_extra_args), FLAG_ARGS, false, "apiServer.extraArgs"},
        {"cert-dir", AT(cert_dir), FLAG_TEXT, false, "certificatesDir"},
        {"control-plane-endpoint", AT(control_plane_endpoint), FLAG_TEXT, false, "controlPlaneEndpoint"},
        {"controller-manager-extra-args", AT(controller_manager_extra_args), FLAG_ARGS, false,
         "controllerManager.extraArgs"},
        {"cri-socket", AT(cri_socket), FLAG_TEXT, true, "nodeRegistration.criSocket"},
        {"feature-gates", AT(feature_gates), FLAG_GATES, false, "featureGates"},
        {"image-repository", AT(image_repository), FLAG_TEXT, false, "imageRepository"},
        {"kubernetes-version", AT(kubernetes_version), FLAG_TEXT, false, "kubernetesVersion"},
        {"node-name", AT(node_name), FLAG_TEXT, true, "nodeRegistration.name"},
        {"pod-network-cidr", AT(pod_network_cidr), FLAG_TEXT, false, "networking.podSubnet"},
        {"scheduler-extra-args", AT(scheduler_extra_args), FLAG_ARGS, false, "scheduler.extraArgs"},
        {"service-cidr", AT(service_cidr), FLAG_TEXT, false, "networking.serviceSubnet"},
        {"service-dns-domain", AT(service_dns_domain), FLAG_TEXT, false, "networking.dnsDomain"},
};

static const char *text_of(const struct phase_flags *flags, const struct flag *flag)
{
        const char *const *text = (const void *)((const char *)flags + flag->offset);

        return *text;
}

static const struct strv *list_of(const struct phase_flags *flags, const struct flag *flag)
{
        return (const void *)((const char *)flags + flag->offset);
}

static bool was_given(const struct phase_flags *flags, const struct flag *flag)
{
        return flag->kind == FLAG_ARGS || flag->kind == FLAG_TEXTS ? list_of(flags, flag)->len > 0
                                                                   : text_of(flags, flag) != NULL;
}

static struct value *with_origin(struct value *v, const struct flag *flag)
{
        v->place.origin = flag->name;
        return v;
}

static void trim(char *s)
{
        size_t len = strlen(s);
        const char *text = str_trim(s, &len);

        memmove(s, text, len);
        s[len] = '\0';
}

static int parse_bool(const char *s, bool *ret)
{
        static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
        static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                if (str_eq(s, yes[i]) || str_eq(s, no[i])) {
                        *ret = str_eq(s, yes[i]);
                        return 0;
                }
        }
        return -EINVAL;
}

static int gates_value(const char *text, const struct era *era, struct value *map, struct err *err)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;
        char *part;

        strv_split(&parts, text, ',');
        STRV_FOREACH (part, &parts) {
                char *equal = strchr(part, '=');
                bool enabled;

                if (!*part)
                        continue;
                if (!equal)
                        return err_set(err, ERR_USAGE, "missing bool value for feature-gate key:%s", part);
                *equal = '\0';
                trim(part);
                trim(equal + 1);
                if (!era_lists(era, "config", "featureGates", part))
                        return err_set(err, ERR_USAGE, "unrecognized feature-gate key: %s", part);
                if (parse_bool(equal + 1, &enabled) < 0)
                        return err_set(err, ERR_USAGE,
                                       "invalid value %s for feature-gate key: %s, use true|false instead", equal + 1,
                                       part);
                value_map_set(map, part, value_new_bool(enabled));
        }
        return 0;
}

static char *quote(const char *text)
{
        struct buf out = BUF_INIT(LIMIT_YAML_OUTPUT);

        go_quote(text, &out);
        return buf_steal(&out, NULL);
}

/* -ERR_USAGE: a value that is not of a flag's type. */
static __attribute__((format(printf, 4, 5))) int invalid(const char *flag, const char *value, struct err *err,
                                                         const char *fmt, ...)
{
        char *quoted CLEANUP_FREE = quote(value);
        struct err why = ERR_INIT;
        va_list ap;

        va_start(ap, fmt);
        (void)err_setv(&why, ERR_USAGE, fmt, ap);
        va_end(ap);
        return flag[1] ? err_set(err, ERR_USAGE, "invalid argument %s for \"--%s\" flag: %s", quoted, flag, why.msg)
                       : err_set(err, ERR_USAGE, "invalid argument %s for \"-%s, --%s\" flag: %s", quoted, flag, flag,
                                 why.msg);
}

/* One pair of an extra-args flag into a list of {name, value} or a map, whichever the API version has. */
static int add_pair(const struct flag *flag, const char *whole, char *pair, bool strict, struct value *args,
                    struct err *err)
{
        char *equal = strchr(pair, '=');

        if (!equal || (strict && strchr(equal + 1, '=')))
                return strict ? invalid(flag->name, whole, err, "malformed key=value pair in flag value: %s", whole)
                              : invalid(flag->name, whole, err, "malformed pair, expect string=string");
        *equal = '\0';
        if (!strict) {
                trim(pair);
                trim(equal + 1);
        }
        if (args->kind == VALUE_MAP) {
                value_map_set(args, pair, with_origin(value_new_string(equal + 1), flag));
                return 0;
        }
        struct value *item = with_origin(value_new_map(), flag);
        value_map_set(item, "name", with_origin(value_new_string(pair), flag));
        value_map_set(item, "value", with_origin(value_new_string(equal + 1), flag));
        value_list_add(args, item);
        return 0;
}

static int args_value(const struct flag *flag, const struct strv *texts, const struct era *era, struct value *args,
                      struct err *err)
{
        bool strict = era_flag(era, "flags", "extraArgsStrict");
        char *text;

        STRV_FOREACH (text, texts) {
                struct strv parts CLEANUP_STRV = STRV_INIT;
                char *part;

                strv_split(&parts, text, ',');
                STRV_FOREACH (part, &parts) {
                        if (!strict && !*part)
                                continue;
                        int r = add_pair(flag, text, part, strict, args, err);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* The base that a number's prefix names, which is cut off; *ret_prefixed: an underscore may come next. */
static int number_base(const char **s, bool *ret_prefixed)
{
        int base = **s != '0' || !(*s)[1] ? 10 : strchr("xX", (*s)[1]) ? 16 : strchr("bB", (*s)[1]) ? 2 : 8;

        *ret_prefixed = base != 10;
        *s += base == 10 ? 0 : strchr("xXbBoO", (*s)[1]) ? 2 : 1;
        return base;
}

/* strconv.ParseInt(s, base, 32), where base is 10, or 0 for that of the number's prefix: NULL, or why it is refused. */
static const char *parse_int32(const char *s, int base, int64_t *ret)
{
        static const char digits[] = "0123456789abcdef";
        bool negative = *s == '-', separable = false, range = false, empty = true;
        int64_t n = 0;

        s += *s == '-' || *s == '+';
        if (base == 0)
                base = number_base(&s, &separable);
        if (base == 8)
                empty = !*s; /* the zero of the prefix is a digit */
        for (; *s; s++) {
                const char *digit = strchr(digits, *s >= 'A' && *s <= 'F' ? *s - 'A' + 'a' : *s);

                if (*s == '_' && separable && s[1] && s[1] != '_') {
                        separable = false;
                        continue;
                }
                if (!digit || digit - digits >= base)
                        return "invalid syntax";
                n = n * base + (digit - digits);
                range |= n > INT32_MAX + (int64_t)negative;
                n = range ? 0 : n;
                empty = false;
                separable = true;
        }
        if (empty)
                return "invalid syntax";
        *ret = negative ? -n : n;
        return range ? "value out of range" : NULL;
}

static int int32_value(const char *name, const char *text, int base, int64_t *ret, struct err *err)
{
        const char *why = parse_int32(text, base, ret);
        char *quoted CLEANUP_FREE = why ? quote(text) : NULL;

        return why ? invalid(name, text, err, "strconv.ParseInt: parsing %s: %s", quoted, why) : 0;
}

int config_flag_duration(const char *name, const char *value, int64_t *ret_nsec, struct err *err)
{
        struct err why = ERR_INIT;

        return duration_parse(value, ret_nsec, &why) < 0 ? invalid(name, value, err, "%s", why.msg) : 0;
}

static int flag_value(const struct phase_flags *flags, const struct flag *flag, const struct era *era, bool arg_list,
                      struct value **ret, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        const char *text = flag->kind == FLAG_ARGS || flag->kind == FLAG_TEXTS ? NULL : text_of(flags, flag);
        int64_t port = 0;
        int r = 0;

        switch (flag->kind) {
        case FLAG_TEXT:
                v = value_new_string(text);
                break;
        case FLAG_PORT:
                r = int32_value(flag->name, text, 0, &port, err);
                v = value_new_int(port);
                break;
        case FLAG_GATES:
                v = value_new_map();
                r = gates_value(text, era, v, err);
                break;
        case FLAG_ARGS:
                v = arg_list ? value_new_list() : value_new_map();
                r = args_value(flag, list_of(flags, flag), era, v, err);
                break;
        case FLAG_TEXTS:
                v = value_new_list();
                for (size_t i = 0; i < list_of(flags, flag)->len; i++)
                        value_list_add(v, with_origin(value_new_string(list_of(flags, flag)->items[i]), flag));
                break;
        }
        if (r == 0)
                *ret = with_origin(TAKE_PTR(v), flag);
        return r;
}

static struct value *new_document(const char *version, const char *kind)
{
        struct value *doc = value_new_map();

        value_map_set(doc, "apiVersion", value_new_stringf("kubeadm.k8s.io/%s", version));
        value_map_set(doc, "kind", value_new_string(kind));
        return doc;
}

static const struct flag *find_flag(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(flags_table); i++)
                if (str_eq(flags_table[i].name, name))
                        return &flags_table[i];
        return NULL;
}

int config_flags_check_type(const char *name, const char *value, const struct era *era, struct err *err)
{
        const struct flag *flag = find_flag(name);
        struct value *args CLEANUP_VALUE = value_new_list();
        struct strv values CLEANUP_STRV = STRV_INIT;
        int64_t n;

        strv_add(&values, value);
        if (flag && flag->kind == FLAG_PORT)
                return int32_value(name, value, 0, &n, err);
        if (flag && flag->kind == FLAG_ARGS)
                return args_value(flag, &values, era, args, err);
        if (str_eq(name, "v"))
                return int32_value(name, value, 10, &n, err);
        if (str_eq(name, "ttl") || str_eq(name, "validity-period"))
                return config_flag_duration(name, value, &n, err);
        return 0;
}

int config_flags_documents(const struct phase_flags *flags, const struct era *era, struct yaml_documents *ret,
                           struct err *err)
{
        const char *version = config_written_version(era);
        bool arg_list = config_field_shape(era, "ControlPlaneComponent", version, "extraArgs") == API_LIST;
        struct value *init CLEANUP_VALUE = new_document(version, "InitConfiguration");
        struct value *cluster CLEANUP_VALUE = new_document(version, "ClusterConfiguration");

        for (size_t i = 0; flags && i < ARRAY_SIZE(flags_table); i++) {
                const struct flag *flag = &flags_table[i];
                struct value *v CLEANUP_VALUE = NULL;

                if (!was_given(flags, flag))
                        continue;
                int r = flag_value(flags, flag, era, arg_list, &v, err);
                if (r == 0)
                        r = template_path_set(flag->init ? init : cluster, flag->path, v, err);
                if (r < 0)
                        return r;
        }
        ret->items = xcalloc(2, sizeof(*ret->items));
        ret->items[0] = TAKE_PTR(init);
        ret->items[1] = TAKE_PTR(cluster);
        ret->count = 2;
        return 0;
}

int config_flags_check_values(const struct phase_flags *flags, const struct era *era, struct err *err)
{
        struct yaml_documents unused CLEANUP_YAML_DOCUMENTS = {0};

        return config_flags_documents(flags, era, &unused, err);
}

static void add_mixed(struct strv *names, const struct era *era, const char *name)
{
        if (!era_lists(era, "flags", "withFile", name))
                strv_add(names, name);
}

/* Flags of phases that talk to an API server, whose values are settings of the configuration too. */
static void add_mixed_online(struct strv *names, const struct era *era, const struct cli_seen *seen)
{
        static const char *const settings[] = {"certificate-key", "description", "groups", "token",
                                               "token-ttl",       "ttl",         "usages"};

        for (size_t i = 0; seen && i < ARRAY_SIZE(settings); i++)
                if (strv_contains(&seen->names, settings[i]))
                        add_mixed(names, era, settings[i]);
}

int config_flags_check_mixed(const struct phase_options *options, const struct era *era, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;

        if (!options->config_file || (options->command && era_lists(era, "flags", "mixing", options->command)))
                return 0;
        for (size_t i = 0; options->flags && i < ARRAY_SIZE(flags_table); i++)
                if (was_given(options->flags, &flags_table[i]))
                        add_mixed(&names, era, flags_table[i].name);
        if (options->patches_dir && !options->patches_with_config)
                add_mixed(&names, era, "patches");
        if (options->print_manifest && options->kubeadm_version)
                add_mixed(&names, era, "print-manifest");
        add_mixed_online(&names, era, options->seen);
        if (names.len == 0)
                return 0;
        strv_sort(&names);
        char *all CLEANUP_FREE = strv_join(&names, " ");
        return err_set(err, ERR_USAGE, "can not mix '--config' with arguments [%s]", all);
}
