/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "kube/field.h"
#include "node/image_look.h"
#include "node/validate.h"

/* Where the program of a command line may be: itself where it has a slash, else below each directory of PATH. */
static void candidates(const struct pod_container *c, const char *path, struct strv *ret)
{
        const char *program = c->command.items[0], *directory;
        struct strv directories CLEANUP_STRV = STRV_INIT;

        if (program[0] == '/') {
                strv_add(ret, program);
                return;
        }
        if (strchr(program, '/')) {
                strv_addf(ret, "%s/%s", c->working_dir ? c->working_dir : "", program);
                return;
        }
        strv_split(&directories, path, ':');
        STRV_FOREACH (directory, &directories)
                strv_addf(ret, "%s/%s", directory, program);
}

/* A program on a volume is not the image's. */
static bool on_volume(const struct pod_container *c, const char *program)
{
        for (size_t i = 0; i < c->mount_count; i++)
                if (str_starts(program, c->mounts[i].mount_path))
                        return true;
        return false;
}

static void look_at(struct validate_file *f, size_t index, const struct field_path *container, void *userdata)
{
        const struct pod_container *c = &f->pod->containers[index];
        struct field_path image = field_child(container, "image"), command = field_child(container, "command");
        struct strv paths CLEANUP_STRV = STRV_INIT;
        char *path CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        int r = image_look_find(userdata, c->image, &path, &err);

        if (r == 1)
                field_finding(&f->findings, c->pull_policy == POD_PULL_NEVER, &image, "image %s is not on this node%s",
                              c->image, c->pull_policy == POD_PULL_NEVER ? ", and imagePullPolicy is Never" : "");
        if (r == 0 && c->command.len > 0 && !on_volume(c, c->command.items[0]) && !strchr(c->command.items[0], '$')) {
                struct field_path program = field_index(&command, 0);

                candidates(c, path, &paths);
                r = image_look_file(userdata, c->image, &paths, &err);
                if (r == 1)
                        field_finding(&f->findings, true, &program, "image %s has no executable %s", c->image,
                                      c->command.items[0]);
        }
        if (r < 0)
                field_finding(&f->findings, false, &image, "not looked at: %s", err.msg);
}

int validate_images(struct validation *v, const char *socket, struct err *err)
{
        struct image_look look = {.socket = socket};

        if (image_look_ping(&look, err) < 0)
                return 1;
        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod)
                        validate_each_container(&v->files[i], look_at, &look);
        return 0;
}
