#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The error object. A function that can fail takes `struct err *err` last and returns
 *      0         done
 *      negative  failed; err holds a code and a message: pass it up, perhaps with err_wrap
 *      positive  an outcome which that function documents
 * The message is inline and of fixed size (longer text is cut and ends in "..."), so reporting an error never fails
 * and never allocates. err may be NULL where the caller wants the code alone.
 */
#include <errno.h>
#include <stdarg.h>

/* Codes are positive errno values; these come on top for what errno has no word for. */
enum err_code {
        ERR_INVALID = 10001, /* outside input breaks a rule: the message names place and rule */
        ERR_LIMIT,           /* a ceiling of limits.h was reached: the message names it */
        ERR_PROTOCOL,        /* a peer answered what its protocol does not allow */
        ERR_REMOTE,          /* a peer refused: the message carries its own words */
        ERR_CONFLICT,        /* something else owns the name */
        ERR_UNSUPPORTED,     /* known, valid, and not done here */
        ERR_USAGE,           /* the command line is wrong */
};

struct err {
        int code;       /* 0: no error */
        int status;     /* HTTP status of the peer's answer, 0 where there was none */
        char msg[8192]; /* always terminated; ten of the longest errors of a configuration, as kubeadm joins them */
};

#define ERR_INIT          \
        (struct err)      \
        {                 \
                .code = 0 \
        }

/* Starts an error: sets code (positive) and message; returns -code. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_setv(struct err *err, int code, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* As err_set with code = errno_value, and ": <strerror>" behind the message. */
int err_set_errno(struct err *err, int errno_value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message; returns -err->code (a negative value), so `return err_wrap(err, ...)`.
 * Where err is NULL the code is lost (-EIO): keep the failed call's result where the code matters. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the error, so that the object can be used again. */
void err_clear(struct err *err);
