/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "kube/kubelet_env.h"

static const char *const names[KUBELET_ENV_MAX] = {
        [KUBELET_ENV_KUBEADM_ARGS] = "KUBELET_KUBEADM_ARGS",
        [KUBELET_ENV_EXTRA_ARGS] = "KUBELET_EXTRA_ARGS",
};

void kubelet_env_release(struct kubelet_env *env)
{
        for (size_t i = 0; i < ARRAY_SIZE(env->words); i++)
                strv_release(&env->words[i]);
}

/* Splits at white space; quotes hold a word together, a backslash takes the next character as it is. */
static int split_words(const char *s, struct strv *ret)
{
        while (*(s += strspn(s, " \t\n\r"))) {
                struct buf word CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
                char quote = '\0';

                for (; *s && (quote || !strchr(" \t\n\r", *s)); s++) {
                        if (quote && *s == quote) {
                                quote = '\0';
                        } else if (!quote && (*s == '"' || *s == '\'')) {
                                quote = *s;
                        } else if (*s == '\\' && quote != '\'') {
                                if (*++s == '\0')
                                        return -EINVAL;
                                buf_addch(&word, *s);
                        } else {
                                buf_addch(&word, *s);
                        }
                }
                if (quote)
                        return -EINVAL;
                strv_take(ret, buf_steal(&word, NULL));
        }
        return 0;
}

/* The value of an assignment, from behind its '=': quotes and backslashes as systemd reads them, to the end of the
 * line. Moves *s behind it and counts lines. -EINVAL where a quote stays open. */
static int read_value(const char **s, unsigned *line, struct buf *out)
{
        const char *c = *s;
        char quote = '\0';

        for (; *c && (quote || *c != '\n'); c++) {
                *line += *c == '\n';
                if (quote && *c == quote)
                        quote = '\0';
                else if (!quote && (*c == '"' || *c == '\''))
                        quote = *c;
                else if (*c == '\\' && c[1] == '\n' && quote != '\'')
                        (*line)++, c++; /* the line goes on */
                else if (*c == '\\' && c[1] && quote != '\'')
                        buf_addch(out, *++c);
                else
                        buf_addch(out, *c);
        }
        *s = c;
        return quote ? -EINVAL : 0;
}

/* Which of the names is this, KUBELET_ENV_MAX: none. */
static size_t find_name(const char *name, size_t len)
{
        size_t i = 0;

        while (i < ARRAY_SIZE(names) && !(len == strlen(names[i]) && str_starts(name, names[i])))
                i++;
        return i;
}

/* One assignment, from its name on; moves *s behind it. */
static int read_assignment(const char *file_name, const char **s, unsigned *line, struct kubelet_env *found, bool *is,
                           struct err *err)
{
        struct buf value CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct strv words CLEANUP_STRV = STRV_INIT;
        const char *name = *s;
        unsigned start = *line;
        size_t at;

        *s += strcspn(*s, "=\n");
        if (**s != '=')
                return err_set(err, ERR_INVALID, "%s:%u: not of the form NAME=VALUE", file_name, start);
        at = find_name(name, (size_t)(*s - name));
        (*s)++;
        if (read_value(s, line, &value) < 0)
                return err_set(err, ERR_INVALID, "%s:%u: a quote is not closed", file_name, start);
        if (at == KUBELET_ENV_MAX)
                return 0;
        if (split_words(buf_str(&value), &words) < 0)
                return err_set(err, ERR_INVALID, "%s:%u: %s: a quote is not closed", file_name, start, names[at]);
        strv_release(&found->words[at]);
        found->words[at] = words;
        words = STRV_INIT;
        is[at] = true;
        return 0;
}

int kubelet_env_read(const char *file_name, const char *data, size_t len, struct kubelet_env *env, struct err *err)
{
        struct kubelet_env found CLEANUP_KUBELET_ENV = {0};
        char *text CLEANUP_FREE = xstrndup(data, len);
        bool is[KUBELET_ENV_MAX] = {false};
        const char *s = text;

        if (strlen(text) != len)
                return err_set(err, ERR_INVALID, "%s: holds a NUL character", file_name);
        for (unsigned line = 1; *s; line++, s += *s == '\n') {
                int r;

                s += strspn(s, " \t\r");
                if (*s == '#' || *s == ';' || *s == '\n' || *s == '\0') {
                        s += strcspn(s, "\n");
                        continue;
                }
                r = read_assignment(file_name, &s, &line, &found, is, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ARRAY_SIZE(is); i++) {
                if (!is[i])
                        continue;
                strv_release(&env->words[i]);
                env->words[i] = found.words[i];
                found.words[i] = STRV_INIT;
        }
        return 0;
}
