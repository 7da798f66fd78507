/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/yaml.h"
#include "phase/host_facts.h"
#include "phase/rootless.h"

#define API_VERSION "genphase/v1"
#define KIND "HostFacts"

/* Services whose state a rendered file depends on. */
static const char *const services[] = {"systemd-resolved"};

struct host_facts {
        struct host host;
        struct value *file;
        struct strv environment; /* "NAME=value" */
        char *no_environment[1];
};

static int facts_name(void *userdata, char **ret, struct err *err)
{
        const struct host_facts *facts = userdata;

        (void)err;
        *ret = xstrdup(value_string(value_map_get(facts->file, "nodeName"), ""));
        return 0;
}

/* 1: null. The file was checked when it was loaded. */
static int address(const struct host_facts *facts, const char *key, struct ip_address *ret)
{
        const char *text = value_string(value_map_get(facts->file, key), NULL);

        return text && ip_parse(text, ret) == 0 ? 0 : 1;
}

static int facts_default_address(void *userdata, bool prefer_v6, struct ip_address *ret, struct err *err)
{
        (void)err;
        return address(userdata, prefer_v6 ? "defaultAddressIPv6" : "defaultAddress", ret);
}

static int facts_loopback_address(void *userdata, struct ip_address *ret, struct err *err)
{
        (void)err;
        return address(userdata, "loopbackAddress", ret);
}

static bool lists(const struct host_facts *facts, const char *key, const char *text)
{
        const struct value *list = value_map_get(facts->file, key);

        for (size_t i = 0; i < list->list.count; i++)
                if (str_eq(value_string(list->list.items[i], NULL), text))
                        return true;
        return false;
}

static bool facts_has_path(void *userdata, const char *path)
{
        return lists(userdata, "caDirectories", path);
}

static bool facts_has_socket(void *userdata, const char *path, bool open)
{
        return lists(userdata, open ? "openCRISockets" : "criSockets", path);
}

static bool facts_service_active(void *userdata, const char *name)
{
        return lists(userdata, "activeServices", name);
}

static char **facts_environment(void *userdata)
{
        struct host_facts *facts = userdata;

        return facts->environment.items ? facts->environment.items : facts->no_environment;
}

static int64_t facts_system_id(void *userdata, const char *name, bool group)
{
        const struct host_facts *facts = userdata;
        int64_t n;

        return value_int(value_get(facts->file, "controlPlaneIDs", group ? "groups" : "users", name, NULL), &n) == 0
                       ? n
                       : -1;
}

enum fact_type { FACT_TEXT, FACT_ADDRESS, FACT_TEXTS, FACT_VARIABLES, FACT_IDS };

static const struct fact {
        const char *name;
        enum fact_type type;
} table[] = {
        {"apiVersion", FACT_TEXT},
        {"kind", FACT_TEXT},
        {"nodeName", FACT_TEXT},
        {"defaultAddress", FACT_ADDRESS},
        {"defaultAddressIPv6", FACT_ADDRESS},
        {"loopbackAddress", FACT_ADDRESS},
        {"caDirectories", FACT_TEXTS},
        {"criSockets", FACT_TEXTS},
        {"openCRISockets", FACT_TEXTS},
        {"proxyVariables", FACT_VARIABLES},
        {"activeServices", FACT_TEXTS},
        {"controlPlaneIDs", FACT_IDS}, /* may be missing: only a feature gate asks for them */
};

static int check_variable(const struct value *v, struct err *err)
{
        const char *name = value_string(value_map_get(v, "name"), "");

        if (v->kind != VALUE_MAP || v->map.count != 2 || !*name || strchr(name, '=') ||
            !value_string(value_map_get(v, "value"), NULL))
                return value_error(&v->place, err, ERR_INVALID, "proxyVariables: expected {name, value}, both strings");
        return 0;
}

/* {users: {NAME: number}, groups: {NAME: number}} or null */
static int check_ids(const struct value *v, struct err *err)
{
        static const char wanted[] =
                "controlPlaneIDs: expected {users: {NAME: NUMBER}, groups: {NAME: NUMBER}} or null";
        int64_t n;

        if (v->kind == VALUE_NULL)
                return 0;
        if (v->kind != VALUE_MAP)
                return value_error(&v->place, err, ERR_INVALID, "%s", wanted);
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value *ids = v->map.entries[i].value;

                if ((!str_eq(v->map.entries[i].key, "users") && !str_eq(v->map.entries[i].key, "groups")) ||
                    ids->kind != VALUE_MAP)
                        return value_error(&ids->place, err, ERR_INVALID, "%s", wanted);
                for (size_t k = 0; k < ids->map.count; k++)
                        if (value_int(ids->map.entries[k].value, &n) < 0 || n < 0 || n > UINT32_MAX)
                                return value_error(&ids->map.entries[k].place, err, ERR_INVALID, "%s", wanted);
        }
        return 0;
}

static int check_fact(const struct fact *fact, const struct value *v, struct err *err)
{
        struct ip_address ip;

        switch (fact->type) {
        case FACT_TEXT:
                return v->kind == VALUE_STRING && v->len > 0
                               ? 0
                               : value_error(&v->place, err, ERR_INVALID, "%s: expected a string", fact->name);
        case FACT_ADDRESS:
                return v->kind == VALUE_NULL || ip_parse(value_string(v, ""), &ip) == 0
                               ? 0
                               : value_error(&v->place, err, ERR_INVALID, "%s: expected an IP address or null",
                                             fact->name);
        case FACT_IDS:
                return check_ids(v, err);
        case FACT_TEXTS:
        case FACT_VARIABLES:
                break;
        }
        if (v->kind != VALUE_LIST)
                return value_error(&v->place, err, ERR_INVALID, "%s: expected a list", fact->name);
        for (size_t i = 0; i < v->list.count; i++) {
                const struct value *item = v->list.items[i];

                if (fact->type == FACT_VARIABLES && check_variable(item, err) < 0)
                        return -ERR_INVALID;
                if (fact->type == FACT_TEXTS && item->kind != VALUE_STRING)
                        return value_error(&item->place, err, ERR_INVALID, "%s: expected strings", fact->name);
        }
        return 0;
}

static int check_known(const struct value *file, struct err *err)
{
        const char *names[ARRAY_SIZE(table)];

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                names[i] = table[i].name;
        for (size_t i = 0; i < file->map.count; i++) {
                const struct value_entry *e = &file->map.entries[i];
                bool known = false;

                for (size_t k = 0; k < ARRAY_SIZE(table); k++)
                        known |= str_eq(table[k].name, e->key);
                const char *near = known ? NULL : str_did_you_mean(e->key, names, ARRAY_SIZE(names));
                if (!known)
                        return value_error(&e->place, err, ERR_INVALID, "unknown field \"%s\"%s%s%s", e->key,
                                           near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
        return 0;
}

static int check_file(const struct value *file, struct err *err)
{
        if (file->kind != VALUE_MAP)
                return value_error(&file->place, err, ERR_INVALID, "expected a map with the facts of a host");
        int r = check_known(file, err);
        for (size_t i = 0; i < ARRAY_SIZE(table) && r == 0; i++) {
                const struct value *v = value_map_get(file, table[i].name);

                r = v ? check_fact(&table[i], v, err)
                    : table[i].type == FACT_IDS
                            ? 0
                            : value_error(&file->place, err, ERR_INVALID, "the field %s is missing", table[i].name);
        }
        if (r == 0 && (!str_eq(value_string(value_map_get(file, "apiVersion"), ""), API_VERSION) ||
                       !str_eq(value_string(value_map_get(file, "kind"), ""), KIND)))
                r = value_error(&file->place, err, ERR_INVALID, "expected apiVersion %s and kind %s", API_VERSION,
                                KIND);
        return r;
}

int host_facts_load(const char *file, struct host_facts **ret, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct value *v CLEANUP_VALUE = NULL;
        int r = file_read(file, &b, err);

        if (r == 0)
                r = yaml_load_one(file, buf_str(&b), b.len, 0, &v, err);
        if (r == 0)
                r = check_file(v, err);
        if (r < 0)
                return err_wrap(err, "--host-facts");
        struct host_facts *facts = xcalloc(1, sizeof(*facts));
        const struct value *variables = value_map_get(v, "proxyVariables");
        for (size_t i = 0; i < variables->list.count; i++)
                strv_addf(&facts->environment, "%s=%s",
                          value_string(value_map_get(variables->list.items[i], "name"), ""),
                          value_string(value_map_get(variables->list.items[i], "value"), ""));
        facts->file = TAKE_PTR(v);
        facts->host = (struct host){.name = facts_name,
                                    .default_address = facts_default_address,
                                    .loopback_address = facts_loopback_address,
                                    .has_path = facts_has_path,
                                    .has_socket = facts_has_socket,
                                    .environment = facts_environment,
                                    .service_active = facts_service_active,
                                    .system_id = facts_system_id,
                                    .userdata = facts};
        *ret = facts;
        return 0;
}

struct host_facts *host_facts_free(struct host_facts *facts)
{
        if (!facts)
                return NULL;
        value_free(facts->file);
        strv_release(&facts->environment);
        free(facts);
        return NULL;
}

const struct host *host_facts_host(const struct host_facts *facts)
{
        return &facts->host;
}

static struct value *address_value(int outcome, const struct ip_address *ip)
{
        char text[IP_TEXT_MAX];

        if (outcome != 0)
                return value_new_null();
        ip_text(ip, text);
        return value_new_string(text);
}

static int add_addresses(const struct phase *phase, struct value *file, struct err *err)
{
        const struct host *host = phase_host(phase);
        struct ip_address ip;
        int r = host->default_address(host->userdata, false, &ip, err);

        if (r >= 0) {
                value_map_set(file, "defaultAddress", address_value(r, &ip));
                r = host->default_address(host->userdata, true, &ip, err);
        }
        if (r >= 0) {
                value_map_set(file, "defaultAddressIPv6", address_value(r, &ip));
                r = host->loopback_address(host->userdata, &ip, err);
        }
        if (r >= 0)
                value_map_set(file, "loopbackAddress", address_value(r, &ip));
        return r < 0 ? r : 0;
}

/* Adds what a row lists in any version, each once: as texts, or maps with the text at `key`. The file is for any
 * kubeadm. */
static int collect(struct phase *phase, const char *group, const char *path, const char *key, struct strv *ret,
                   struct err *err)
{
        struct kube_version newest, version;
        int r = era_newest(phase->era, -1, &newest, err);

        for (int minor = era_oldest(phase->era)->minor; r == 0 && minor <= newest.minor; minor++) {
                if (era_newest(phase->era, minor, &version, NULL) < 0)
                        continue;
                r = era_set_version(phase->era, &version, err);
                const struct value *rows = era_value(phase->era, group, path);
                for (size_t i = 0; r == 0 && value_is(rows, VALUE_LIST) && i < rows->list.count; i++) {
                        const struct value *item = rows->list.items[i];
                        const char *text = value_string(key ? value_map_get(item, key) : item, "");

                        if (!strv_contains(ret, text))
                                strv_add(ret, text);
                }
        }
        return r;
}

static int add_directories(struct phase *phase, struct value *file, struct err *err)
{
        struct value *list = value_map_set(file, "caDirectories", value_new_list());
        struct strv known CLEANUP_STRV = STRV_INIT;
        int r = collect(phase, "certificate-authorities", "directories", NULL, &known, err);

        for (size_t i = 0; r == 0 && i < known.len; i++)
                if (phase_host_has_path(phase, known.items[i]))
                        value_list_add(list, value_new_string(known.items[i]));
        return r;
}

static int add_sockets(struct phase *phase, struct value *file, struct err *err)
{
        struct value *there = value_map_set(file, "criSockets", value_new_list());
        struct value *open = value_map_set(file, "openCRISockets", value_new_list());
        struct strv known CLEANUP_STRV = STRV_INIT;
        int r = collect(phase, "config", "criSockets", "at", &known, err);

        for (size_t i = 0; r == 0 && i < known.len; i++) {
                if (phase_host_has_socket(phase, known.items[i], false))
                        value_list_add(there, value_new_string(known.items[i]));
                if (phase_host_has_socket(phase, known.items[i], true))
                        value_list_add(open, value_new_string(known.items[i]));
        }
        return r;
}

static void add_variables(const struct phase *phase, struct value *file)
{
        struct value *list = value_map_set(file, "proxyVariables", value_new_list());

        for (char **e = phase_host_environment(phase); e && *e; e++) {
                size_t len = host_proxy_variable(*e);

                if (len == 0)
                        continue;
                char *name CLEANUP_FREE = xstrndup(*e, len);
                struct value *item = value_new_map();
                value_map_set(item, "name", value_new_string(name));
                value_map_set(item, "value", value_new_string(*e + len + 1));
                value_list_add(list, item);
        }
}

static void add_services(const struct phase *phase, struct value *file)
{
        struct value *list = value_map_set(file, "activeServices", value_new_list());

        for (size_t i = 0; i < ARRAY_SIZE(services); i++)
                if (phase_host_service_active(phase, services[i]))
                        value_list_add(list, value_new_string(services[i]));
}

int host_facts_write(struct phase *phase, struct buf *out, struct err *err)
{
        const struct host *host = phase_host(phase);
        struct value *file CLEANUP_VALUE = value_new_map();
        char *name CLEANUP_FREE = NULL;
        int r = host->name(host->userdata, &name, err);

        if (r < 0)
                return r;
        value_map_set(file, "apiVersion", value_new_string(API_VERSION));
        value_map_set(file, "kind", value_new_string(KIND));
        value_map_set(file, "nodeName", value_new_string(name));
        r = add_addresses(phase, file, err);
        if (r == 0)
                r = add_directories(phase, file, err);
        if (r == 0)
                r = add_sockets(phase, file, err);
        if (r < 0)
                return r;
        add_variables(phase, file);
        add_services(phase, file);
        value_map_set(file, "controlPlaneIDs", rootless_ids(phase));
        yaml_write(file, YAML_WRITE_KEEP_ORDER, out);
        return buf_check(out, "the facts", err);
}
