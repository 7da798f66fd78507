/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/meta.h"
#include "phase/address.h"
#include "phase/cert_names.h"
#include "phase/names.h"
#include "phase/phase.h"
#include "pki/cert.h"

void cert_names_release(struct cert_names *names)
{
        strv_release(&names->dns);
        strv_release(&names->addresses);
}

static void add_address(struct cert_names *names, const struct ip_address *ip)
{
        char text[IP_TEXT_MAX];

        ip_text(ip, text);
        strv_add(&names->addresses, text);
}

/* appendSANsToAltNames */
static void add_extra(struct phase *phase, struct cert_names *names, const struct config_texts *extra,
                      const char *cert_name)
{
        for (size_t i = 0; i < extra->count; i++) {
                const char *name = extra->items[i].text;
                struct ip_address ip;
                if (ip_parse(name, &ip) == 0)
                        add_address(names, &ip);
                else if (meta_dns1123_subdomain(name, NULL) == 0 || name_wildcard_dns1123_subdomain(name, NULL) == 0)
                        strv_add(&names->dns, name);
                else
                        phase_warn(phase,
                                   "[certificates] WARNING: '%s' was not added to the '%s' SAN, because it is not a "
                                   "valid IP or RFC-1123 compliant DNS entry",
                                   name, cert_name);
        }
}

static int advertise_address(const struct phase *phase, struct ip_address *ret, struct err *err)
{
        const char *text = phase->config->init.local_api_endpoint.advertise_address.text;

        if (ip_parse(text, ret) == 0)
                return 0;
        return err_set(
                err, ERR_INVALID,
                "error parsing LocalAPIEndpoint AdvertiseAddress %s: is not a valid textual representation of an "
                "IP address",
                text);
}

/* The address of the Service "kubernetes": the first of the first service subnet. */
static int service_address(const struct phase *phase, struct ip_address *ret, struct err *err)
{
        const char *text = phase->config->cluster.networking.service_subnet.text;
        struct ip_subnet subnet;

        if (ip_subnets_parse(text, &subnet, 1) >= 1 && ip_add(&subnet.address, 1, ret))
                return 0;
        return err_set(err, ERR_INVALID, "unable to get first IP address from the given CIDR: %s", text);
}

static int add_control_plane_endpoint(const struct phase *phase, struct cert_names *names, struct err *err)
{
        const char *text = phase->config->cluster.control_plane_endpoint.text;
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
        struct ip_address ip;

        if (str_empty(text))
                return 0;
        if (hostport_parse(text, &host, &port, err) < 0)
                return err_wrap(err, "error parsing cluster controlPlaneEndpoint \"%s\"", text);
        if (ip_parse(host, &ip) == 0)
                add_address(names, &ip);
        else
                strv_add(&names->dns, host);
        return 0;
}

int cert_names_apiserver(struct phase *phase, struct cert_names *ret, struct err *err)
{
        struct cert_names names CLEANUP_CERT_NAMES = {.dns = STRV_INIT};
        const struct phase_config *config = phase->config;
        struct ip_address advertise, service;
        int r = advertise_address(phase, &advertise, err);

        if (r == 0)
                r = service_address(phase, &service, err);
        if (r < 0)
                return r;
        if (!str_empty(config->init.node_registration.name.text))
                strv_add(&names.dns, config->init.node_registration.name.text);
        strv_add(&names.dns, "kubernetes");
        strv_add(&names.dns, "kubernetes.default");
        strv_add(&names.dns, "kubernetes.default.svc");
        if (!str_empty(config->cluster.networking.dns_domain.text))
                strv_addf(&names.dns, "kubernetes.default.svc.%s", config->cluster.networking.dns_domain.text);
        add_address(&names, &service);
        add_address(&names, &advertise);
        r = add_control_plane_endpoint(phase, &names, err);
        if (r < 0)
                return r;
        add_extra(phase, &names, &config->cluster.api_server.cert_sans, "apiserver.crt");
        r = pki_names_tidy(&names.dns, &names.addresses, err);
        if (r < 0)
                return r;
        *ret = names;
        names = (struct cert_names){.dns = STRV_INIT};
        return 0;
}

static int etcd_names(struct phase *phase, const struct config_texts *extra, const char *cert_name,
                      struct cert_names *ret, struct err *err)
{
        struct cert_names names CLEANUP_CERT_NAMES = {.dns = STRV_INIT};
        const char *node = phase->config->init.node_registration.name.text;
        struct ip_address advertise;
        int r = advertise_address(phase, &advertise, err);

        if (r < 0)
                return r;
        if (!str_empty(node))
                strv_add(&names.dns, node);
        strv_add(&names.dns, "localhost");
        add_address(&names, &advertise);
        strv_add(&names.addresses, "127.0.0.1");
        strv_add(&names.addresses, "::1");
        add_extra(phase, &names, extra, cert_name);
        r = pki_names_tidy(&names.dns, &names.addresses, err);
        if (r < 0)
                return r;
        *ret = names;
        names = (struct cert_names){.dns = STRV_INIT};
        return 0;
}

int cert_names_etcd_server(struct phase *phase, struct cert_names *ret, struct err *err)
{
        return etcd_names(phase, &phase->config->cluster.etcd.local.server_cert_sans, "etcd/server.crt", ret, err);
}

int cert_names_etcd_peer(struct phase *phase, struct cert_names *ret, struct err *err)
{
        return etcd_names(phase, &phase->config->cluster.etcd.local.peer_cert_sans, "etcd/peer.crt", ret, err);
}

char *cert_names_text(const struct strv *dns, const struct strv *addresses)
{
        char *a CLEANUP_FREE = strv_join(dns, " "), *b CLEANUP_FREE = strv_join(addresses, " ");

        return xasprintf("DNS names [%s] and IPs [%s]", a, b);
}
