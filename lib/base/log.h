#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines: a message and key=value fields, to a sink. Libraries log at debug only; who handles an error logs it,
 * once. Secrets are never given to it. One sink a process, set by main before anything else runs.
 */
#include <stddef.h>

enum log_level { /* the numbers of syslog */
                 LOG_LEVEL_ERROR = 3,
                 LOG_LEVEL_WARNING = 4,
                 LOG_LEVEL_NOTICE = 5,
                 LOG_LEVEL_INFO = 6,
                 LOG_LEVEL_DEBUG = 7,
                 LOG_LEVEL_MAX
};

struct log_field {
        const char *key;   /* lower_case */
        const char *value; /* NULL: the field is left out */
};

/* Called with lines at or below the level set. */
typedef void (*log_sink_fn)(enum log_level level, const char *msg, const struct log_field *fields, size_t count);

void log_set_level(enum log_level max);
enum log_level log_get_level(void);
void log_set_sink(log_sink_fn sink);

void log_sink_text(enum log_level level, const char *msg, const struct log_field *fields,
                   size_t count); /* stderr, default */
void log_sink_json(enum log_level level, const char *msg, const struct log_field *fields, size_t count); /* stderr */

/* fields: a compound literal array; count from ARRAY_SIZE. msg is printf-formatted. */
void log_fields(enum log_level level, const struct log_field *fields, size_t count, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

#define log_error(...) log_fields(LOG_LEVEL_ERROR, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_fields(LOG_LEVEL_WARNING, NULL, 0, __VA_ARGS__)
#define log_notice(...) log_fields(LOG_LEVEL_NOTICE, NULL, 0, __VA_ARGS__)
#define log_info(...) log_fields(LOG_LEVEL_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...) log_fields(LOG_LEVEL_DEBUG, NULL, 0, __VA_ARGS__)
