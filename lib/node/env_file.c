/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/env_file.h"
#include "node/volume.h"

#define BLANKS " \t"

struct lines {
        const char *at, *end;
        const char *line; /* the one that was read, up to line_end */
        const char *line_end;
        unsigned number;
};

static bool next_line(struct lines *l)
{
        if (l->at >= l->end)
                return false;
        l->line = l->at;
        l->line_end = memchr(l->at, '\n', (size_t)(l->end - l->at));
        if (!l->line_end)
                l->line_end = l->end;
        l->at = l->line_end + 1;
        if (l->line_end > l->line && l->line_end[-1] == '\r')
                l->line_end--;
        l->number++;
        return true;
}

static const char *skip_blanks(const char *p, const char *end)
{
        while (p < end && strchr(BLANKS, *p))
                p++;
        return p;
}

static int wrong(const struct lines *l, const char *what, struct err *err)
{
        return err_set(err, ERR_INVALID, "line %u: %s", l->number, what);
}

/* From behind the opening quote; the value, and the line that it ends on becomes the current one. */
static int read_quoted(struct lines *l, const char *p, struct buf *value, struct err *err)
{
        unsigned first = l->number;

        for (;;) {
                const char *quote = memchr(p, '\'', (size_t)(l->line_end - p));

                buf_add(value, p, (size_t)((quote ? quote : l->line_end) - p));
                if (quote) {
                        const char *rest = skip_blanks(quote + 1, l->line_end);

                        return rest == l->line_end || *rest == '#' ? 0
                                                                   : wrong(l, "content behind the closing quote", err);
                }
                buf_addch(value, '\n');
                if (!next_line(l))
                        return err_set(err, ERR_INVALID, "line %u: the quote is not closed", first);
                p = l->line;
        }
}

/* The current line, which is neither blank nor a comment. 1: it is key's, *ret is set. */
static int read_variable(struct lines *l, const char *name, const char *key, char **ret, struct err *err)
{
        const char *equals = memchr(name, '=', (size_t)(l->line_end - name));
        struct buf value CLEANUP_BUF = BUF_INIT(LIMIT_ENV_FILE);
        int r = 0;

        if (!equals)
                return wrong(l, "no `=`", err);
        if (equals == name)
                return wrong(l, "no name before `=`", err);
        if (strchr(BLANKS, equals[-1]))
                return wrong(l, "white space before `=`", err);
        bool is_key = strlen(key) == (size_t)(equals - name) && memcmp(name, key, strlen(key)) == 0;
        if (equals + 1 == l->line_end || !strchr(BLANKS, equals[1])) {
                if (equals + 1 == l->line_end || equals[1] != '\'')
                        return wrong(l, "the value is not in single quotes", err);
                r = read_quoted(l, equals + 2, &value, err);
        }
        if (r < 0 || !is_key)
                return r;
        *ret = buf_steal(&value, NULL);
        return 1;
}

int env_file_find(const char *data, size_t len, const char *key, char **ret, struct err *err)
{
        struct lines l = {.at = data, .end = data + len};

        while (next_line(&l)) {
                const char *name = skip_blanks(l.line, l.line_end);
                int r = name == l.line_end || *name == '#' ? 0 : read_variable(&l, name, key, ret, err);

                if (r != 0)
                        return r < 0 ? r : 0;
        }
        *ret = xstrdup("");
        return 0;
}

/* O_PATH, so that nothing is waited for should it be a FIFO; opened again for reading only once it is known to be a
 * file (file_read). */
static int read_below(const char *root, const char *path, struct buf *text, struct err *err)
{
        const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
        int root_fd CLEANUP_FD = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd CLEANUP_FD = -1;
        char opened[64];

        if (root_fd >= 0)
                fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd < 0)
                return err_set_errno(err, errno, "opening");
        (void)snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
        return file_read(opened, text, err);
}

int env_file_value(const struct host *host, const struct pod *pod, const struct pod_env *ref, char **ret,
                   struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_ENV_FILE);
        char *root CLEANUP_FREE = NULL, *value CLEANUP_FREE = NULL;
        int r;

        for (size_t i = 0; i < pod->volume_count && !root; i++)
                if (str_eq(pod->volumes[i].name, ref->file_volume))
                        root = volume_path(host, pod, &pod->volumes[i]);
        if (!root)
                return err_set(err, ENOENT, "the pod has no volume %s", ref->file_volume);
        r = read_below(root, ref->file_path, &text, err);
        if (r >= 0)
                r = env_file_find(buf_str(&text), text.len, ref->file_key, &value, err);
        if (r < 0)
                return err_wrap(err, "file %s of volume %s", ref->file_path, ref->file_volume);
        if (!*value && ref->file_optional)
                return 1;
        if (!*value)
                return err_set(err, ENOENT, "couldn't find key %s in file %s of volume %s", ref->file_key,
                               ref->file_path, ref->file_volume);
        if (memchr(buf_str(&text), '\0', text.len) || utf8_valid_prefix(value, strlen(value)) != strlen(value))
                return err_set(err, ERR_INVALID, "file %s of volume %s is no text", ref->file_path, ref->file_volume);
        *ret = TAKE_PTR(value);
        return 0;
}
