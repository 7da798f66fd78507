/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "phase/address.h"
#include "phase/config.h"

/* Everything that a configuration points to, in the order it came. */
struct config_memory {
        void **blocks;
        size_t block_count, block_cap;
        struct value **values;
        size_t value_count, value_cap;
};

/* Strings must never be NULL, so that kubeadm's "" for what is not written down needs no test at each use. */
static void init_text(struct config_text *t)
{
        t->text = "";
}

static void init_texts(struct phase_config *c)
{
        struct config_text *all[] = {
                &c->init.api_version,
                &c->init.node_registration.name,
                &c->init.node_registration.cri_socket,
                &c->init.node_registration.image_pull_policy,
                &c->init.local_api_endpoint.advertise_address,
                &c->init.certificate_key,
                &c->init.patches_directory,
                &c->cluster.api_version,
                &c->cluster.etcd.local.image_repository,
                &c->cluster.etcd.local.image_tag,
                &c->cluster.etcd.local.data_dir,
                &c->cluster.etcd.external.ca_file,
                &c->cluster.etcd.external.cert_file,
                &c->cluster.etcd.external.key_file,
                &c->cluster.networking.service_subnet,
                &c->cluster.networking.pod_subnet,
                &c->cluster.networking.dns_domain,
                &c->cluster.kubernetes_version,
                &c->cluster.control_plane_endpoint,
                &c->cluster.dns.type,
                &c->cluster.dns.image_repository,
                &c->cluster.dns.image_tag,
                &c->cluster.certificates_dir,
                &c->cluster.image_repository,
                &c->cluster.cluster_name,
                &c->cluster.ci_image_repository,
                &c->cluster.encryption_algorithm,
        };

        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                init_text(all[i]);
}

struct phase_config *phase_config_new(void)
{
        struct phase_config *config = xcalloc(1, sizeof(*config));

        config->memory = xcalloc(1, sizeof(*config->memory));
        init_texts(config);
        return config;
}

struct phase_config *phase_config_free(struct phase_config *config)
{
        if (!config)
                return NULL;
        for (size_t i = 0; i < config->memory->block_count; i++)
                free(config->memory->blocks[i]);
        for (size_t i = 0; i < config->memory->value_count; i++)
                value_free(config->memory->values[i]);
        free(config->memory->blocks);
        free(config->memory->values);
        free(config->memory);
        free(config);
        return NULL;
}

static void *keep_block(struct phase_config *config, void *block)
{
        struct config_memory *m = config->memory;

        if (m->block_count == m->block_cap) {
                m->block_cap = m->block_cap ? m->block_cap * 2 : 64;
                m->blocks = xrealloc(m->blocks, m->block_cap, sizeof(*m->blocks));
        }
        return m->blocks[m->block_count++] = block;
}

const char *config_keep(struct phase_config *config, char *s)
{
        return keep_block(config, s);
}

const char *config_keepf(struct phase_config *config, const char *fmt, ...)
{
        va_list ap;
        char *s;

        va_start(ap, fmt);
        int n = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (n < 0)
                abort();
        return config_keep(config, s);
}

void *config_alloc(struct phase_config *config, size_t count, size_t size)
{
        return keep_block(config, xcalloc(count, size));
}

struct value *config_keep_value(struct phase_config *config, struct value *v)
{
        struct config_memory *m = config->memory;

        if (m->value_count == m->value_cap) {
                m->value_cap = m->value_cap ? m->value_cap * 2 : 16;
                m->values = xrealloc(m->values, m->value_cap, sizeof(*m->values));
        }
        return m->values[m->value_count++] = v;
}

const struct config_arg *config_args_last(const struct config_args *args, const char *name)
{
        for (size_t i = args->count; i > 0; i--)
                if (strcmp(args->items[i - 1].name, name) == 0)
                        return &args->items[i - 1];
        return NULL;
}

bool config_gate_enabled(const struct phase_config *config, const char *name)
{
        const struct config_gates *gates = &config->cluster.feature_gates;

        for (size_t i = 0; i < gates->count; i++)
                if (strcmp(gates->items[i].name, name) == 0)
                        return gates->items[i].enabled;
        return false;
}

char *config_certificate_path(const struct phase_config *config, const char *name)
{
        char *joined CLEANUP_FREE = xasprintf("%s/%s", config->cluster.certificates_dir.text, name);

        return file_clean(joined);
}

static char *endpoint_url(const char *host, const char *port)
{
        char *address CLEANUP_FREE = hostport_join(host, port);

        return xasprintf("https://%s", address);
}

char *config_local_endpoint(const struct phase_config *config)
{
        const struct config_endpoint *e = &config->init.local_api_endpoint;
        char port[24];

        (void)snprintf(port, sizeof(port), "%" PRId64, e->bind_port.value);
        return endpoint_url(e->advertise_address.text, port);
}

char *config_control_plane_endpoint(const struct phase_config *config)
{
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
        const char *endpoint = config->cluster.control_plane_endpoint.text;

        /* It has been validated; one that cannot be read would be as good as none. */
        if (!*endpoint || hostport_parse(endpoint, &host, &port, NULL) < 0)
                return config_local_endpoint(config);
        if (!*port) {
                free(port);
                port = xasprintf("%" PRId64, config->init.local_api_endpoint.bind_port.value);
        }
        return endpoint_url(host, port);
}
