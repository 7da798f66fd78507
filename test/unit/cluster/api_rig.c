/* SPDX-License-Identifier: Apache-2.0 */
#include "api_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"

#define ANSWERS_MAX 16
#define STATUS_CREATED 201
#define STATUS_NOT_FOUND 404
#define STATUS_BAD 400

struct api_wait {
        struct {
                const char *request, *body;
                int status;
        } answers[ANSWERS_MAX];
        size_t count;
};

static struct api_wait rig;

void api_rig_answer(const char *request, int status, const char *body)
{
        assert_true(rig.count < ANSWERS_MAX);
        rig.answers[rig.count].request = request;
        rig.answers[rig.count].status = status;
        rig.answers[rig.count++].body = body;
}

struct api_wait *api_rig_wait(void)
{
        return &rig;
}

void api_rig_reset(void)
{
        rig.count = 0;
}

int api_wait_request(struct api_wait *wait, const char *method, enum api_patch patch, const char *path,
                     const struct value *body, struct value **ret_body, struct err *err)
{
        char *request CLEANUP_FREE = xasprintf("%s %.*s", method, (int)strcspn(path, "?"), path);
        int status = str_eq(method, "POST") ? STATUS_CREATED : STATUS_NOT_FOUND;
        const char *text = NULL;

        (void)patch;
        (void)body;
        for (size_t i = 0; i < wait->count; i++) {
                if (!str_eq(wait->answers[i].request, request))
                        continue;
                status = wait->answers[i].status;
                text = wait->answers[i].body;
        }
        if (status >= STATUS_BAD) {
                (void)err_set(err, ERR_REMOTE, "%s gets %d", request, status);
                if (err)
                        err->status = status;
                return -ERR_REMOTE;
        }
        if (ret_body)
                *ret_body = NULL;
        return ret_body && text ? json_load("answer", text, strlen(text), ret_body, err) : 0;
}

int api_wait_new(const struct api_credentials *credentials, const char *user_agent, struct api_wait **ret,
                 struct err *err)
{
        (void)credentials;
        (void)user_agent;
        (void)ret;
        return err_set(err, ENOSYS, "no connection in this test");
}

struct api_wait *api_wait_free(struct api_wait *wait)
{
        (void)wait;
        return NULL;
}

const char *api_wait_server(const struct api_wait *wait)
{
        (void)wait;
        return "https://192.0.2.1:6443";
}

struct loop *api_wait_loop(struct api_wait *wait)
{
        (void)wait;
        return NULL;
}

int api_wait_pause(struct api_wait *wait, usec_t duration, struct err *err)
{
        (void)wait;
        (void)duration;
        return err_set(err, ENOSYS, "no pause in this test");
}
