/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/port_attributes.h"

struct rule {
        const char *root; /* itself and what is below */
        const char *subresource;
};

static const char *verb_of(const char *method)
{
        static const char *const verbs[][2] = {
                {"POST", "create"}, {"GET", "get"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if (str_eq(method, verbs[i][0]))
                        return verbs[i][1];
        return "";
}

static const char *find(const struct rule *rules, size_t count, const char *path)
{
        for (size_t i = 0; i < count; i++) {
                const char *rest = str_after(path, rules[i].root);

                if (rest && (*rest == '\0' || *rest == '/'))
                        return rules[i].subresource;
        }
        return NULL;
}

void port_attributes(const char *method, const char *path, struct port_attributes *ret)
{
        static const struct rule fine[] = {
                {"/pods", "pods"}, {"/healthz", "healthz"}, {"/configz", "configz"}, {"/runningpods", "pods"}};
        static const struct rule coarse[] = {{"/stats", "stats"},     {"/metrics", "metrics"},
                                             {"/logs", "log"},        {"/checkpoint", "checkpoint"},
                                             {"/statusz", "statusz"}, {"/flagz", "configz"}};
        const char *first = find(fine, ARRAY_SIZE(fine), path), *second = find(coarse, ARRAY_SIZE(coarse), path);

        *ret = (struct port_attributes){.verb = verb_of(method)};
        if (first)
                ret->subresources[ret->count++] = first;
        ret->subresources[ret->count++] = second ? second : "proxy";
}
