/* SPDX-License-Identifier: Apache-2.0
 *
 * images.h in genphase-images.
 */
#include "images.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "cluster/etcd_version.h"
#include "docker/docker_auth.h"
#include "docker/docker_wait.h"
#include "docker/image_recipe.h"
#include "docker/image_tar.h"
#include "genphase.h"
#include "phase/action.h"
#include "phase/images.h"
#include "phase/preflight.h"

#define PULL_ATTEMPTS 5 /* kubeadm's PullImageRetry */
#define TERMINAL_WIDTH 80

struct work {
        struct genphase *g;
        struct phase *phase;
        struct docker_wait *docker;
        const struct strv *args;
};

static double mebibytes(uint64_t bytes)
{
        return (double)bytes / (1024 * 1024);
}

static int tell_image(const struct work *work, const char *action, const char *image, struct err *err)
{
        struct value *line = action_new(work->phase, action);

        action_set(line, "image", image);
        return action_tell(work->phase, line, err);
}

static int run(struct genphase *g, const struct strv *args, bool wants_config,
               int (*fn)(struct work *work, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct docker_wait *docker CLEANUP_DOCKER_WAIT = NULL;
        struct err err = ERR_INIT;

        g->options.no_config = !wants_config;
        if (phase_open(&g->options, &phase, &err) < 0)
                return genphase_fail(&err, phase->exit_code);
        int r = docker_wait_new(g->docker_host, &docker, &err);
        if (r == 0) {
                struct work work = {.g = g, .phase = phase, .docker = docker, .args = args};
                r = fn(&work, &err);
        }
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

/* ---- pull ---- */

struct progress {
        const struct work *work;
        const char *image;
        bool terminal;
        bool moved; /* something of a layer came */
        int width;
};

/* One line that is written over on a terminal; with -v lines in the log, but not the counters. */
static void on_progress(void *userdata, const char *line)
{
        struct progress *p = userdata;
        bool counter = strstr(line, ": Downloading") || strstr(line, ": Extracting");

        p->moved |= counter;
        if (p->terminal)
                (void)printf("\r%.*s\033[K", p->width - 1, line);
        else if (!counter)
                phase_detail(p->work->phase, 1, "%s: %s", p->image, line);
        (void)fflush(stdout);
}

static void progress_begin(struct progress *p)
{
        struct winsize size;

        const struct phase *phase = p->work->phase;

        p->terminal = isatty(STDOUT_FILENO) && phase->options.verbosity == 0 && !phase->options.quiet &&
                      !phase_tells_actions(phase);
        p->width = p->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
                                                                                                  : TERMINAL_WIDTH;
}

static void progress_end(const struct progress *p)
{
        if (p->terminal)
                (void)printf("\r\033[K");
}

static int credentials(const struct work *work, const char *image, char **ret_auth, struct err *err)
{
        const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
        char *path CLEANUP_FREE = NULL;

        if (!str_empty(dir))
                path = file_join(dir, "config.json");
        else if (!str_empty(home))
                path = file_join(home, ".docker/config.json");
        int r = path ? docker_auth_lookup_file(path, image, ret_auth, err) : 1;
        if (r != -ERR_UNSUPPORTED)
                return r < 0 ? r : 0;
        phase_warn(work->phase, "%s; pulling without credentials", err->msg);
        err_clear(err);
        return 0;
}

/* Tries again where the pull had got somewhere: what came is kept by Docker, and a registry that cannot be reached at
 * all is told at once. */
static int pull_one(struct work *work, const char *image, struct err *err)
{
        char *auth CLEANUP_FREE = NULL;
        struct progress progress = {.work = work, .image = image};
        int r = credentials(work, image, &auth, err);

        if (r < 0)
                return r;
        progress_begin(&progress);
        for (int attempt = 1; attempt <= PULL_ATTEMPTS; attempt++) {
                progress.moved = false;
                r = docker_wait_pull(work->docker, image, auth, on_progress, &progress, err);
                if (r == 0 || !progress.moved)
                        break;
                phase_detail(work->phase, 1, "%s; trying again", err->msg);
        }
        progress_end(&progress);
        return r < 0 ? err_wrap(err, "failed to pull image %s", image) : tell_image(work, "pull", image, err);
}

static int pull(struct work *work, struct err *err)
{
        struct strv images CLEANUP_STRV = STRV_INIT;
        const char *image;
        int r = 0;

        images_list(work->phase, &images);
        STRV_FOREACH (image, &images) {
                char *id CLEANUP_FREE = NULL;
                if (work->g->options.dry_run) {
                        phase_say(work->phase, "[dryrun] Would pull the image %s", image);
                        r = tell_image(work, "pull", image, err);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = docker_wait_image_id(work->docker, image, &id, err);
                if (r == 0)
                        phase_detail(work->phase, 1, "image exists: %s", image);
                r = r == 0 ? tell_image(work, "keep", image, err) : r > 0 ? pull_one(work, image, err) : r;
                if (r < 0)
                        return r;
                phase_say(work->phase, "[config/images] Pulled %s", image);
                (void)fflush(stdout);
        }
        return 0;
}

int images_pull(struct genphase *g, const struct strv *args)
{
        return run(g, args, true, pull);
}

/* ---- preflight ---- */

static int preflight_check(void *userdata, struct err *err)
{
        const struct work *work = userdata;
        char *version CLEANUP_FREE = NULL;

        return docker_wait_version(work->docker, &version, err);
}

static int preflight_pull(void *userdata, struct phase *phase, const char *image, bool always, struct err *err)
{
        struct work *work = userdata;
        char *id CLEANUP_FREE = NULL;
        work->phase = phase;
        int r = always ? 1 : docker_wait_image_id(work->docker, image, &id, err);

        return r > 0 ? pull_one(work, image, err) : r < 0 ? r : tell_image(work, "keep", image, err);
}

static int preflight_external_etcd(struct preflight_report *report, struct err *err)
{
        return etcd_version_check(report, 0, err);
}

static struct preflight_runtime preflight_runtime_of(struct work *work)
{
        return (struct preflight_runtime){.check = preflight_check,
                                          .pull = preflight_pull,
                                          .external_etcd = preflight_external_etcd,
                                          .userdata = work};
}

int images_preflight(struct genphase *g)
{
        struct docker_wait *docker CLEANUP_DOCKER_WAIT = NULL;
        struct err err = ERR_INIT;

        if (docker_wait_new(g->docker_host, &docker, &err) < 0)
                return genphase_fail(&err, 1);
        struct work work = {.g = g, .docker = docker};
        const struct preflight_runtime runtime = preflight_runtime_of(&work);
        return preflight_with(g, &runtime);
}

int images_preflight_phase(struct genphase *g, struct phase *phase, struct err *err)
{
        struct docker_wait *docker CLEANUP_DOCKER_WAIT = NULL;

        if (!preflight_needs_runtime(g))
                return preflight_phase(g, phase, NULL, err);
        int r = docker_wait_new(g->docker_host, &docker, err);
        if (r < 0)
                return r;
        struct work work = {.g = g, .phase = phase, .docker = docker};
        const struct preflight_runtime runtime = preflight_runtime_of(&work);
        return preflight_phase(g, phase, &runtime, err);
}

/* ---- build ---- */

/* A file without a name that disappears with its descriptor; on a disk, as images have some 100 MiB. */
static int temporary_file(int *ret_fd, struct err *err)
{
        const char *const directories[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
        for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
                if (str_empty(directories[i]))
                        continue;
                *ret_fd = open(directories[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
                if (*ret_fd >= 0)
                        return 0;
        }
        return err_set_errno(err, errno, "cannot make a temporary file in /var/tmp");
}

static int load_if_new(struct work *work, const char *image, int fd, uint64_t size, const char *id, struct err *err)
{
        char *have CLEANUP_FREE = NULL;
        int r = docker_wait_image_id(work->docker, image, &have, err);
        if (r < 0)
                return r;
        if (str_eq(have, id)) {
                phase_say(work->phase, "[images] %s is up to date", image);
                return tell_image(work, "keep", image, err);
        }
        r = docker_wait_load(work->docker, fd, err);
        if (r < 0)
                return err_wrap(err, "failed to load image %s", image);
        phase_say(work->phase, "[images] Built %s (%.1f MiB)", image, mebibytes(size));
        return tell_image(work, "build", image, err);
}

static void show_files(const struct work *work, const char *image, const struct image_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                const struct image_file *f = &files->items[i];
                phase_detail(work->phase, 2, "%s: /%s%s%s", image, f->path,
                             f->target   ? " -> "
                             : f->source ? " from "
                                         : "",
                             f->target   ? f->target
                             : f->source ? f->source
                                         : "");
        }
}

static int build_files(struct work *work, const char *image, const struct image_files *files,
                       const struct image_config *config, struct err *err)
{
        char id[IMAGE_ID_MAX];
        uint64_t size = 0;
        int fd CLEANUP_FD = -1;

        show_files(work, image, files);
        if (work->g->options.dry_run) {
                phase_say(work->phase, "[dryrun] Would build the image %s from %zu files", image, files->count);
                return tell_image(work, "build", image, err);
        }
        int r = temporary_file(&fd, err);
        if (r == 0)
                r = image_tar_write(config, files, fd, &size, id, err);
        if (r < 0)
                return err_wrap(err, "failed to build image %s", image);
        return load_if_new(work, image, fd, size, id, err);
}

static int build_one(struct work *work, const char *image, const char *component, struct err *err)
{
        struct image_files files = {0};
        struct image_config config = {0};
        const char *dir = work->g->images_from;
        bool may_miss = str_eq(component, "coredns") && work->args->len == 0;

        int r = image_recipe(component, dir, &files, &config, err);
        strv_add(&config.names, image);
        if (r < 0)
                r = err_wrap(err, "failed to build image %s", image);
        else if (r > 0 && may_miss)
                phase_say(work->phase, "[images] Skipped %s: %s has no %s", image, dir, component);
        else if (r > 0)
                r = err_set(err, ENOENT, "failed to build image %s: %s has no program %s", image, dir, component);
        else
                r = build_files(work, image, &files, &config, err);
        image_files_release(&files);
        image_config_release(&config);
        return r < 0 ? r : 0;
}

/* Names on the command line must be of components that there are. */
static int check_names(const struct work *work, const struct strv *images, struct err *err)
{
        struct strv components CLEANUP_STRV = STRV_INIT;
        const char *image, *name;

        STRV_FOREACH (image, images) {
                strv_take(&components, image_recipe_component(image));
        }
        STRV_FOREACH (name, work->args) {
                if (strv_contains(&components, name))
                        continue;
                char *known CLEANUP_FREE = strv_join(&components, ", ");
                return err_set(err, ERR_USAGE, "no component \"%s\" in this configuration; there are %s", name, known);
        }
        return 0;
}

static int build(struct work *work, struct err *err)
{
        struct strv images CLEANUP_STRV = STRV_INIT;
        const char *image;

        if (!work->g->images_from)
                return err_set(err, ERR_USAGE, "the --from flag is mandatory: the directory with the programs");
        if (!file_exists(work->g->images_from))
                return err_set_errno(err, errno, "%s", work->g->images_from);
        images_list(work->phase, &images);
        int r = check_names(work, &images, err);
        STRV_FOREACH (image, &images) {
                char *component CLEANUP_FREE = image_recipe_component(image);
                if (r == 0 && (work->args->len == 0 || strv_contains(work->args, component)))
                        r = build_one(work, image, component, err);
                (void)fflush(stdout);
        }
        return r;
}

int images_build(struct genphase *g, const struct strv *args)
{
        return run(g, args, true, build);
}

/* ---- load ---- */

static int tell_archive(const struct work *work, const char *path, struct err *err)
{
        struct value *line = action_new(work->phase, "load");

        action_set(line, "path", path);
        return action_tell(work->phase, line, err);
}

static int load_one(struct work *work, const char *path, struct err *err)
{
        struct stat st;
        int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fstat(fd, &st) < 0)
                return err_set_errno(err, errno, "%s", path);
        if (!S_ISREG(st.st_mode))
                return err_set(err, EINVAL, "%s: not a regular file", path);
        if (work->g->options.dry_run) {
                phase_say(work->phase, "[dryrun] Would load %s (%.1f MiB)", path, mebibytes((uint64_t)st.st_size));
                return tell_archive(work, path, err);
        }
        int r = docker_wait_load(work->docker, fd, err);
        if (r < 0)
                return err_wrap(err, "%s", path);
        phase_say(work->phase, "[images] Loaded %s", path);
        return tell_archive(work, path, err);
}

static int load(struct work *work, struct err *err)
{
        const char *path;
        int r = 0;

        STRV_FOREACH (path, work->args) {
                if (r == 0)
                        r = load_one(work, path, err);
        }
        return r;
}

int images_load(struct genphase *g, const struct strv *args)
{
        return run(g, args, false, load);
}
