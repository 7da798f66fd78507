/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/action.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "codec/value.h"
#include "phase/phase.h"

struct value *action_new(const struct phase *phase, const char *name)
{
        struct value *action = phase_tells_actions(phase) ? value_new_map() : NULL;

        action_set(action, "action", name);
        return action;
}

struct value *action_new_path(const struct phase *phase, const char *name, const char *path, mode_t mode)
{
        struct value *action = action_new(phase, name);

        if (!action)
                return NULL;
        value_map_set(action, "path", value_new_string(path));
        value_map_set(action, "mode", value_new_stringf("%04o", (unsigned)mode));
        return action;
}

void action_set(struct value *action, const char *key, const char *text)
{
        if (action && text)
                value_map_set(action, key, value_new_string(text));
}

static void set_digest(struct value *action, struct sha256 *hash)
{
        char text[SHA256_TEXT_MAX];
        uint64_t len = hash->len;

        sha256_end(hash, text);
        value_map_set(action, "bytes", value_new_int((int64_t)len));
        value_map_set(action, "sha256", value_new_string(text));
}

void action_set_content(struct value *action, const void *data, size_t len)
{
        struct sha256 hash;

        if (!action)
                return;
        sha256_init(&hash);
        sha256_add(&hash, data, len);
        set_digest(action, &hash);
}

int action_set_file(struct value *action, int fd, struct err *err)
{
        struct sha256 hash;
        char chunk[65536];
        ssize_t n;

        if (!action)
                return 0;
        sha256_init(&hash);
        while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
                if (n > 0)
                        sha256_add(&hash, chunk, (size_t)n);
                else if (errno != EINTR)
                        return err_set_errno(err, errno, "cannot read the file");
        }
        set_digest(action, &hash);
        return 0;
}

int action_show(const struct phase *phase, const char *key, const char *text, struct err *err)
{
        struct value *action = action_new(phase, "show");

        action_set(action, key, text);
        return action_tell(phase, action, err);
}

int action_tell(const struct phase *phase, struct value *action, struct err *err)
{
        struct value *owned CLEANUP_VALUE = action;
        struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_ACTION_LINE);

        if (!action)
                return 0;
        action_set(action, "phase", phase->step);
        if (phase->options.dry_run)
                value_map_set(action, "dryRun", value_new_bool(true));
        json_write(action, 0, &line);
        int r = buf_check(&line, "a line of -o json", err);
        if (r < 0)
                return r;
        (void)fprintf(phase->options.out, "%s\n", buf_str(&line));
        (void)fflush(phase->options.out);
        return 0;
}
