/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/value.h"
#include "kube/pod.h"
#include "kube/pod_decode.h"

/* Name and image as JSON; both are bounded by validation. */
#define HASHED_MAX 2048

/* Guaranteed and best effort look at these two alone. */
static const enum pod_resource compute[] = {POD_RESOURCE_CPU, POD_RESOURCE_MEMORY};

static bool is_positive(bool has, const struct quantity *q)
{
        return has && q->nano > 0;
}

/* pkg/apis/core/v1/helper/qos: zero counts as not given, the sums of requests and limits must agree. */
enum pod_qos pod_qos_compute(const struct pod *pod)
{
        struct quantity requests[POD_RESOURCE_MAX] = {0}, limits[POD_RESOURCE_MAX] = {0};
        bool guaranteed = true, any = false;

        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_resources *r = &pod->containers[i].resources;

                for (size_t k = 0; k < ARRAY_SIZE(compute); k++) {
                        enum pod_resource at = compute[k];

                        if (is_positive(r->has_request[at], &r->request[at]))
                                quantity_add(&requests[at], &r->request[at]);
                        if (is_positive(r->has_limit[at], &r->limit[at]))
                                quantity_add(&limits[at], &r->limit[at]);
                        else
                                guaranteed = false;
                }
        }
        for (size_t k = 0; k < ARRAY_SIZE(compute); k++) {
                enum pod_resource at = compute[k];

                any = any || requests[at].nano > 0 || limits[at].nano > 0;
                guaranteed = guaranteed && quantity_compare(&requests[at], &limits[at]) == 0;
        }
        return !any ? POD_QOS_BEST_EFFORT : guaranteed ? POD_QOS_GUARANTEED : POD_QOS_BURSTABLE;
}

/* The kubelet hashes a Go dump of the bytes of a JSON text: "([]uint8)[123 34 ...]". */
void pod_container_hash(const struct pod_container *container, char ret_text[9])
{
        struct value *v CLEANUP_VALUE = value_new_map();
        struct buf json CLEANUP_BUF = BUF_INIT(HASHED_MAX), dump CLEANUP_BUF = BUF_INIT(5 * HASHED_MAX);

        (void)value_map_set(v, "image", value_new_string(container->image));
        (void)value_map_set(v, "name", value_new_string(container->name));
        json_write(v, JSON_SORT_KEYS | JSON_ESCAPE_HTML, &json);
        buf_addstr(&dump, "([]uint8)[");
        for (size_t i = 0; i < json.len; i++)
                buf_addf(&dump, "%s%u", i > 0 ? " " : "", (unsigned)(unsigned char)json.data[i]);
        buf_addch(&dump, ']');
        (void)snprintf(ret_text, 9, "%x", hash_fnv32a(buf_str(&dump), dump.len));
}
