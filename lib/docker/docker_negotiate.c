/* SPDX-License-Identifier: Apache-2.0
 *
 * Which version of the Engine API to speak: the highest that both sides know.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "docker/docker_call.h"
#include "docker/docker_decode.h"
#include "docker/docker_http.h"

static bool parse(const char *s, int *major, int *minor)
{
        const char *dot = strchr(s, '.');
        char *head CLEANUP_FREE = dot ? xstrndup(s, (size_t)(dot - s)) : NULL;
        return dot && str_to_int(head, 0, 999, major) == 0 && str_to_int(dot + 1, 0, 999, minor) == 0;
}

int docker_api_compare(const char *a, const char *b)
{
        int a_major, a_minor, b_major, b_minor;
        if (!parse(a, &a_major, &a_minor) || !parse(b, &b_major, &b_minor))
                return -2;
        if (a_major != b_major)
                return a_major < b_major ? -1 : 1;
        return (a_minor > b_minor) - (a_minor < b_minor);
}

int docker_negotiate(const char *json, size_t len, char **ret_api_used, struct err *err)
{
        struct docker_version version = {0};
        char *min CLEANUP_FREE = NULL;
        int r = docker_decode_version_min(json, len, &min, err);
        if (r == 0)
                r = docker_decode_version(json, len, &version, err);
        if (r < 0)
                return r;
        char *api CLEANUP_FREE = TAKE_PTR(version.api_version);
        docker_version_release(&version);

        int high = docker_api_compare(api, DOCKER_API_VERSION_MAX);
        int low = *min ? docker_api_compare(min, DOCKER_API_VERSION_MAX) : -1;
        if (high == -2 || low == -2)
                return err_set(err, ERR_PROTOCOL, "version: Docker names its API versions '%s' and '%s'", api, min);
        if (low > 0)
                return err_set(err, ERR_UNSUPPORTED, "this Docker speaks API %s and newer; known here are %s to %s",
                               min, DOCKER_API_VERSION_MIN, DOCKER_API_VERSION_MAX);
        if (docker_api_compare(api, DOCKER_API_VERSION_MIN) < 0)
                return err_set(err, ERR_UNSUPPORTED, "this Docker speaks API %s at most; needed is %s", api,
                               DOCKER_API_VERSION_MIN);
        *ret_api_used = high > 0 ? xstrdup(DOCKER_API_VERSION_MAX) : TAKE_PTR(api);
        return 0;
}
