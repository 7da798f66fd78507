/* SPDX-License-Identifier: Apache-2.0
 *
 * Short texts of configurations and manifests: images, versions, addresses, subnets, host:port pairs, URLs, names of
 * patch files. What is taken is written as a text that means the same.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "docker/docker_image_ref.h"
#include "fuzz.h"
#include "kube/image_ref.h"
#include "kube/version.h"
#include "phase/address.h"
#include "phase/kubernetes_version.h"
#include "phase/names.h"
#include "phase/patch_name.h"

static void check_image(const char *s)
{
        struct image_ref ref, again;
        struct err err = ERR_INIT;
        int r = image_ref_parse(s, &ref, &err);

        MUST((r < 0) == (err.code != 0));
        if (r < 0)
                return;
        MUST(ref.domain[0] && ref.path[0] && (ref.tag[0] || ref.digest[0]));
        char *whole CLEANUP_FREE = xasprintf("%s/%s%s%s%s%s", ref.domain, ref.path, ref.tag[0] ? ":" : "", ref.tag,
                                             ref.digest[0] ? "@" : "", ref.digest);
        /* With the domain in front a name may become longer than a name may be. */
        if (strlen(whole) > 255)
                return;
        MUST(image_ref_parse(whole, &again, NULL) == 0);
        MUST(str_eq(ref.domain, again.domain) && str_eq(ref.path, again.path));
        MUST(str_eq(ref.tag, again.tag) && str_eq(ref.digest, again.digest));
}

static void check_version(const char *s)
{
        struct kube_version v, again;
        char text[KUBE_VERSION_MAX];
        struct err err = ERR_INIT;

        for (int partial = 0; partial < 2; partial++) {
                err = ERR_INIT;
                int r = kube_version_parse(s, partial, &v, &err);
                MUST((r < 0) == (err.code != 0));
                if (r < 0)
                        continue;
                kube_version_text(&v, text);
                MUST(kube_version_parse(text, false, &again, NULL) == 0 && kube_version_compare(&v, &again) == 0);
        }
        char *tag CLEANUP_FREE = kubernetes_version_tag(s);
        MUST(strlen(tag) == strlen(s));
        (void)kubernetes_version_minor(s);
}

static void check_address(const char *s)
{
        struct ip_address ip, again, far;
        char text[IP_TEXT_MAX];

        (void)ip_text_is_v6(s);
        if (ip_parse(s, &ip) < 0)
                return;
        ip_text(&ip, text);
        MUST(ip_parse(text, &again) == 0 && memcmp(again.bytes, ip.bytes, ip.v4 ? 4 : 16) == 0 && again.v4 == ip.v4);
        MUST(!ip_is_global_unicast(&ip) || (!ip_is_unspecified(&ip) && !ip_is_loopback(&ip)));
        if (ip_add(&ip, 10, &far))
                ip_text(&far, text);
}

static void check_subnet(const char *s)
{
        struct ip_subnet subnet, again, few[3];
        char text[IP_SUBNET_TEXT_MAX];
        int n = ip_subnets_parse(s, few, ARRAY_SIZE(few));

        MUST(n != 0 && n >= -255);
        if (ip_subnet_parse(s, &subnet) < 0)
                return;
        MUST(n == 1);
        ip_subnet_text(&subnet, text);
        MUST(ip_subnet_parse(text, &again) == 0 && again.ones == subnet.ones && again.bits == subnet.bits);
        MUST(ip_subnet_contains(&subnet, &subnet.address) && ip_subnet_size(&subnet) >= 0);
}

static void check_hostport(const char *s)
{
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
        char *host2 CLEANUP_FREE = NULL, *port2 CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        int r = hostport_parse(s, &host, &port, &err), number;

        MUST((r < 0) == (err.code != 0) && (r == 0) == (host && port));
        if (r == 0 && *port) {
                char *joined CLEANUP_FREE = hostport_join(host, port);
                MUST(port_parse(port, &number) == 0 && number > 0 && number <= 65535);
                MUST(hostport_parse(joined, &host2, &port2, NULL) == 0 && str_eq(host, host2) && str_eq(port, port2));
        }
}

static void check_rest(const char *s)
{
        struct url url CLEANUP_URL = {NULL};
        struct strv msgs CLEANUP_STRV = STRV_INIT;
        struct value *targets CLEANUP_VALUE = value_new_list();
        const char *target = NULL;
        enum patch_type type;
        struct err err = ERR_INIT;

        int r = url_parse(s, &url, &err);
        MUST((r < 0) == (err.code != 0) && (r == 0) == (url.scheme && url.host && url.port));
        MUST(name_wildcard_dns1123_subdomain(s, &msgs) == msgs.len);
        (void)name_is_image_repository(s);
        (void)name_is_bootstrap_token(s);
        value_list_add(targets, value_new_string("etcd"));
        value_list_add(targets, value_new_string("kube-apiserver"));
        err = ERR_INIT;
        r = patch_name_parse(s, targets, &target, &type, &err);
        MUST((r != 0) == (err.code != 0) || r > 0);
        MUST(r != 0 || (target && type < PATCH_TYPE_MAX && str_after(s, target)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *s CLEANUP_FREE = xstrndup((const char *)data, size);

        check_image(s);
        check_version(s);
        check_address(s);
        check_subnet(s);
        check_hostport(s);
        check_rest(s);
        return 0;
}
