/* SPDX-License-Identifier: Apache-2.0 */
#include "refuse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define TURNS_MAX 20000

/* The linker puts this in place of the library's realloc (-Wl,--wrap=realloc); of all allocations only the bounded
 * buffers' go there. */
static long refuse_at = -1; /* how many are granted before one is refused; -1: all */
static bool refused;
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
        if (refuse_at == 0) {
                refuse_at = -1;
                refused = true;
                return NULL;
        }
        refuse_at -= refuse_at > 0;
        return __real_realloc(p, size);
}

long refuse_pause(void)
{
        long at = refuse_at;

        refuse_at = -1;
        return at;
}

void refuse_go_on(long at)
{
        refuse_at = at;
}

void refuse_keep(struct buf *out, const char *text, size_t len)
{
        long at = refuse_pause();

        buf_add(out, text, len);
        refuse_go_on(at);
}

void refuse_until_success(const char *what, refuse_attempt_fn attempt, void *userdata)
{
        struct buf good CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct err err = ERR_INIT;
        long turn = 0;

        refuse_at = -1;
        if (attempt(userdata, &good, &err) != 0)
                fail_msg("%s: %s", what, err.msg);
        do {
                struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
                err = ERR_INIT;
                refused = false;
                refuse_at = turn++;
                int r = attempt(userdata, &out, &err);
                refuse_at = -1;
                if (r != 0 && (r != -ENOMEM || !strstr(err.msg, "memory")))
                        fail_msg("%s, allocation %ld: %d, %s", what, turn, r, err.msg);
                if (r == 0 && !str_eq(buf_str(&good), buf_str(&out)))
                        fail_msg("%s, allocation %ld: another result: %s", what, turn, buf_str(&out));
                assert_true(turn < TURNS_MAX);
        } while (refused);
        /* There was something to refuse. */
        assert_true(turn > 1);
}
