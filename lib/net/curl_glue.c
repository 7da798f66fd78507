/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "net/curl_call.h"
#include "net/loop.h"

#define SSH_NO_CRYPTOGRAPHY 1 /* LIBSSH2_INIT_NO_CRYPTO of libssh2.h */
#define POOL_SIZE 8           /* idle easy handles kept; a handle is some KiB and 20 us to make */

struct curl_glue {
        struct loop *loop;
        CURLM *multi;
        char *socket_name, *timer_name, *run_name; /* wake-up causes */
        char *user_agent;
        struct loop_source *timer; /* libcurl's one timer */
        struct loop_source *run;   /* what must not happen inside a callback of libcurl, nor inside curl_glue_start */
        bool timer_due;            /* libcurl asked to be called at once */
        struct curl_glue_call *active;
        struct curl_glue_call *attention; /* to be started or ended by the next run */
        size_t pending;
        CURL *pool[POOL_SIZE];
        size_t pool_count;
        unsigned inside; /* depth of calls into libcurl, whose callbacks must not change the multi handle */
        unsigned busy;   /* depth of our own handlers, which use the glue after a callback */
        bool dead;       /* freed from inside a callback */
};

struct curl_socket {
        struct curl_glue *glue;
        struct loop_source *io;
        curl_socket_t fd;
};

static void glue_destroy(struct curl_glue *glue);

static void glue_enter(struct curl_glue *glue)
{
        glue->busy++;
}

static void glue_leave(struct curl_glue *glue)
{
        if (--glue->busy == 0 && glue->dead)
                glue_destroy(glue);
}

/* ---- calls ---- */

static CURL *easy_take(struct curl_glue *glue)
{
        CURL *easy = glue->pool_count ? glue->pool[--glue->pool_count] : curl_easy_init();
        if (!easy)
                abort(); /* out of memory */
        return easy;
}

static void easy_give(struct curl_glue *glue, CURL *easy)
{
        if (glue->dead || glue->pool_count == POOL_SIZE) {
                curl_easy_cleanup(easy);
                return;
        }
        curl_easy_reset(easy);
        glue->pool[glue->pool_count++] = easy;
}

static void call_want_attention(struct curl_glue_call *call)
{
        struct curl_glue *glue = call->glue;
        if (!call->attention) {
                DL_DELETE(glue->active, call);
                DL_APPEND(glue->attention, call);
                call->attention = true;
        }
        loop_defer_schedule(glue->run);
}

/* Takes the call out of everything, then tells its owner. */
static void call_finish(struct curl_glue_call *call, CURLcode result, bool tell)
{
        struct curl_glue *glue = call->glue;
        struct err err = ERR_INIT;

        if (call->attention)
                DL_DELETE(glue->attention, call);
        else
                DL_DELETE(glue->active, call);
        if (call->added)
                (void)curl_multi_remove_handle(glue->multi, call->easy);
        call->added = false;
        glue->pending--;
        if (tell) {
                struct curl_glue_response response;
                int r;
                curl_call_response(call, &response);
                if (call->failure && !call->cancelled) {
                        err = *call->failure;
                        r = -err.code;
                } else {
                        r = curl_call_result(call, result, &err);
                }
                call->done(call->userdata, &response, r < 0 ? &err : NULL);
        }
        easy_give(glue, call->easy);
        curl_call_free(call);
}

static void call_unpause(struct curl_glue_call *call)
{
        struct curl_glue *glue = call->glue;
        if (call->paused)
                return;
        glue->inside++;
        CURLcode r = curl_easy_pause(call->easy, CURLPAUSE_CONT);
        glue->inside--;
        if (r == CURLE_OK)
                return;
        /* What was put aside was not taken. */
        call->failure = xcalloc(1, sizeof(*call->failure));
        (void)curl_call_result(call, r, call->failure);
        call_want_attention(call);
}

/* Hands the call to libcurl, which does nothing with it before it is called from the loop. One that libcurl has already
 * was put aside for the end of its pause. */
static void call_add(struct curl_glue_call *call)
{
        struct curl_glue *glue = call->glue;
        if (call->added) {
                call_unpause(call);
                return;
        }
        CURLMcode r = curl_multi_add_handle(glue->multi, call->easy);
        if (r == CURLM_OK) {
                call->added = true;
                return;
        }
        call->failure = xcalloc(1, sizeof(*call->failure));
        (void)err_set(call->failure, ENOMEM, "%s: %s", call->shown, curl_multi_strerror(r));
        call_want_attention(call);
}

struct curl_glue_call *curl_glue_start(struct curl_glue *glue, const struct curl_glue_request *request)
{
        struct curl_glue_call *call = xcalloc(1, sizeof(*call));

        call->glue = glue;
        call->easy = easy_take(glue);
        DL_APPEND(glue->active, call);
        glue->pending++;
        curl_call_setup(call, request, glue->user_agent);
        if (call->failure || glue->inside)
                call_want_attention(call);
        else
                call_add(call);
        return call;
}

void curl_glue_cancel(struct curl_glue_call *call)
{
        call->cancelled = true;
        call_want_attention(call);
}

void curl_glue_pause(struct curl_glue_call *call)
{
        call->paused = true;
        if (call->added)
                (void)curl_easy_pause(call->easy, CURLPAUSE_RECV);
}

/* libcurl may call back from within the end of a pause, so that is put off as the rest is. */
void curl_glue_resume(struct curl_glue_call *call)
{
        if (!call->paused)
                return;
        call->paused = false;
        call_want_attention(call);
}

size_t curl_glue_pending(const struct curl_glue *glue)
{
        return glue->pending;
}

/* ---- libcurl on the loop ---- */

static void finish_done(struct curl_glue *glue)
{
        int left;
        CURLMsg *msg;
        while (!glue->dead && (msg = curl_multi_info_read(glue->multi, &left))) {
                struct curl_glue_call *call = NULL;
                if (msg->msg != CURLMSG_DONE)
                        continue;
                (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
                call_finish(call, msg->data.result, true);
        }
}

static void socket_action(struct curl_glue *glue, curl_socket_t fd, int events)
{
        int running;
        glue->inside++;
        (void)curl_multi_socket_action(glue->multi, fd, events, &running);
        glue->inside--;
        if (!glue->dead)
                finish_done(glue);
}

/* Runs what was put off. Only what was there at the beginning, so that a callback which starts a call that fails at
 * once cannot hold the loop. */
static void on_run(void *userdata)
{
        struct curl_glue *glue = userdata;
        struct curl_glue_call *call, *tmp;
        size_t count = 0;

        glue_enter(glue);
        if (glue->timer_due) {
                glue->timer_due = false;
                socket_action(glue, CURL_SOCKET_TIMEOUT, 0);
        }
        DL_FOREACH_SAFE (glue->attention, call, tmp)
                count++;
        while (!glue->dead && count-- > 0 && (call = glue->attention)) {
                if (call->cancelled || call->failure) {
                        call_finish(call, CURLE_OK, true);
                        continue;
                }
                DL_DELETE(glue->attention, call);
                DL_APPEND(glue->active, call);
                call->attention = false;
                call_add(call);
        }
        if (!glue->dead && (glue->attention || glue->timer_due))
                loop_defer_schedule(glue->run);
        glue_leave(glue);
}

static void on_timer(void *userdata, usec_t now)
{
        struct curl_glue *glue = userdata;
        (void)now;
        glue_enter(glue);
        socket_action(glue, CURL_SOCKET_TIMEOUT, 0);
        glue_leave(glue);
}

static int on_curl_timer(CURLM *multi, long timeout_msec, void *userdata)
{
        struct curl_glue *glue = userdata;
        (void)multi;
        glue->timer_due = timeout_msec == 0;
        if (timeout_msec <= 0)
                loop_timer_set(glue->timer, USEC_INFINITY);
        else
                loop_timer_set(glue->timer, clock_boottime() + (usec_t)timeout_msec * USEC_PER_MSEC);
        if (glue->timer_due)
                loop_defer_schedule(glue->run);
        return 0;
}

static void on_socket(void *userdata, uint32_t events)
{
        struct curl_socket *s = userdata;
        struct curl_glue *glue = s->glue;
        int action = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
        if (events & (EPOLLERR | EPOLLHUP))
                action |= CURL_CSELECT_ERR;
        glue_enter(glue);
        socket_action(glue, s->fd, action);
        glue_leave(glue);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_userdata)
{
        struct curl_glue *glue = userdata;
        struct curl_socket *s = socket_userdata;
        struct err err = ERR_INIT;
        (void)easy;

        if (what == CURL_POLL_REMOVE) {
                if (s)
                        (void)loop_source_free(s->io);
                free(s);
                (void)curl_multi_assign(glue->multi, fd, NULL);
                return 0;
        }
        uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
        if (s) {
                loop_io_set(s->io, events);
                return 0;
        }
        s = xcalloc(1, sizeof(*s));
        s->glue = glue;
        s->fd = fd;
        if (loop_io_new(glue->loop, glue->socket_name, fd, events, on_socket, s, &s->io, &err) < 0) {
                free(s);
                return -1; /* libcurl then fails the transfer */
        }
        (void)curl_multi_assign(glue->multi, fd, s);
        return 0;
}

/* ---- the glue ---- */

/* libcurl sets up libssh2 as well, which makes OpenSSL load all its algorithms: 1.6 MiB resident and most of the time
 * that the setup takes, for a protocol that is never allowed here (CURLOPT_PROTOCOLS). Whoever sets libssh2 up first
 * decides whether its cryptography is. Another libcurl may come without it. */
static int init_libcurl(void)
{
        static bool before;
        int (*init_ssh)(int flags) = NULL;

        if (!before)
                *(void **)&init_ssh = dlsym(RTLD_DEFAULT, "libssh2_init");
        before = true;
        if (init_ssh)
                (void)init_ssh(SSH_NO_CRYPTOGRAPHY);
        return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

int curl_glue_new(struct loop *loop, const struct curl_glue_options *options, struct curl_glue **ret, struct err *err)
{
        if (init_libcurl() < 0)
                return err_set(err, ENOMEM, "cannot set up libcurl");
        CURLM *multi = curl_multi_init();
        if (!multi) {
                curl_global_cleanup();
                return err_set(err, ENOMEM, "cannot set up libcurl");
        }
        struct curl_glue *glue = xcalloc(1, sizeof(*glue));
        glue->loop = loop;
        glue->multi = multi;
        glue->socket_name = xasprintf("%s socket", options->name);
        glue->timer_name = xasprintf("%s timeout", options->name);
        glue->run_name = xasprintf("%s requests", options->name);
        glue->user_agent = options->user_agent ? xstrdup(options->user_agent) : NULL;
        glue->timer = loop_timer_new(loop, glue->timer_name, on_timer, glue);
        glue->run = loop_defer_new(loop, glue->run_name, on_run, glue);
        (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
        (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, glue);
        (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
        (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, glue);
        if (options->max_kept_connections)
                (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, options->max_kept_connections);
        if (options->max_connections)
                (void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, options->max_connections);
        *ret = glue;
        return 0;
}

static void glue_destroy(struct curl_glue *glue)
{
        while (glue->active)
                call_finish(glue->active, CURLE_OK, false);
        while (glue->attention)
                call_finish(glue->attention, CURLE_OK, false);
        while (glue->pool_count)
                curl_easy_cleanup(glue->pool[--glue->pool_count]);
        (void)curl_multi_cleanup(glue->multi); /* takes the sockets away through on_curl_socket */
        (void)loop_source_free(glue->timer);
        (void)loop_source_free(glue->run);
        free(glue->socket_name);
        free(glue->timer_name);
        free(glue->run_name);
        free(glue->user_agent);
        free(glue);
        curl_global_cleanup();
}

struct curl_glue *curl_glue_free(struct curl_glue *glue)
{
        struct curl_glue_call *call;
        if (!glue)
                return NULL;
        glue->dead = true;
        DL_FOREACH (glue->active, call)
                call->cancelled = true; /* no callback any more */
        if (glue->busy == 0)
                glue_destroy(glue);
        return NULL;
}
