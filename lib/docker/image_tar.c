/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/go_arch.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/image_tar.h"
#include "docker/tar.h"

#define LAYER_NAME "layer.tar"
#define COPY_BYTES (256 * 1024)
#define CONFIG_MAX (1024 * 1024)

/* ---- the list of files ---- */

static bool has_path(const struct image_files *files, const char *path)
{
        for (size_t i = 0; i < files->count; i++)
                if (str_eq(files->items[i].path, path))
                        return true;
        return false;
}

static int add(struct image_files *files, struct image_file file)
{
        while (file.path[0] == '/')
                memmove(file.path, file.path + 1, strlen(file.path));
        if (!file.path[0] || has_path(files, file.path)) {
                free(file.path);
                free(file.source);
                free(file.target);
                return 1;
        }
        char *slash = strrchr(file.path, '/');
        if (slash) {
                char *parent CLEANUP_FREE = xstrndup(file.path, (size_t)(slash - file.path));
                (void)image_files_add_directory(files, parent, 0755);
        }
        files->items = xrealloc(files->items, files->count + 1, sizeof(*files->items));
        files->items[files->count++] = file;
        return 0;
}

int image_files_add(struct image_files *files, const char *path, const char *source, mode_t mode)
{
        return add(files, (struct image_file){
                                  .type = IMAGE_FILE, .path = xstrdup(path), .source = xstrdup(source), .mode = mode});
}

int image_files_add_data(struct image_files *files, const char *path, const void *data, size_t len, mode_t mode)
{
        return add(files,
                   (struct image_file){
                           .type = IMAGE_FILE, .path = xstrdup(path), .data = data, .data_len = len, .mode = mode});
}

int image_files_add_directory(struct image_files *files, const char *path, mode_t mode)
{
        return add(files, (struct image_file){.type = IMAGE_DIRECTORY, .path = xstrdup(path), .mode = mode});
}

int image_files_add_symlink(struct image_files *files, const char *path, const char *target)
{
        return add(files,
                   (struct image_file){
                           .type = IMAGE_SYMLINK, .path = xstrdup(path), .target = xstrdup(target), .mode = 0777});
}

void image_files_release(struct image_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                free(files->items[i].path);
                free(files->items[i].source);
                free(files->items[i].target);
        }
        free(files->items);
        *files = (struct image_files){0};
}

void image_config_release(struct image_config *config)
{
        strv_release(&config->names);
        strv_release(&config->entrypoint);
        strv_release(&config->cmd);
        strv_release(&config->env);
        strv_release(&config->labels);
        *config = (struct image_config){0};
}

/* ---- the layer ---- */

static int file_size(const struct image_file *file, uint64_t *ret, struct err *err)
{
        struct stat st;
        *ret = 0;
        if (file->type != IMAGE_FILE)
                return 0;
        if (!file->source) {
                *ret = file->data_len;
                return 0;
        }
        if (stat(file->source, &st) < 0)
                return err_set_errno(err, errno, "%s", file->source);
        if (!S_ISREG(st.st_mode))
                return err_set(err, EINVAL, "%s: not a regular file", file->source);
        if ((uint64_t)st.st_size > LIMIT_IMAGE_BINARY)
                return err_set(err, ERR_LIMIT, "%s: larger than %lu bytes", file->source, LIMIT_IMAGE_BINARY);
        *ret = (uint64_t)st.st_size;
        return 0;
}

static int copy_source(struct tar *tar, const char *source, uint64_t size, struct err *err)
{
        char *buffer CLEANUP_FREE = xmalloc(COPY_BYTES);
        int fd CLEANUP_FD = open(source, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_set_errno(err, errno, "%s", source);
        for (uint64_t left = size; left > 0;) {
                ssize_t n = read(fd, buffer, left < COPY_BYTES ? (size_t)left : COPY_BYTES);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "%s", source);
                if (n == 0)
                        return err_set(err, EAGAIN, "%s: became shorter while it was read", source);
                int r = tar_content(tar, buffer, (size_t)n, err);
                if (r < 0)
                        return r;
                left -= (uint64_t)n;
        }
        return 0;
}

static int write_entry(struct tar *tar, const struct image_file *file, uint64_t size, struct err *err)
{
        static const enum tar_type types[IMAGE_FILE_TYPE_MAX] = {
                [IMAGE_FILE] = TAR_FILE, [IMAGE_DIRECTORY] = TAR_DIRECTORY, [IMAGE_SYMLINK] = TAR_SYMLINK};
        char *name CLEANUP_FREE = file->type == IMAGE_DIRECTORY ? xasprintf("%s/", file->path) : xstrdup(file->path);
        int r = tar_header(tar, types[file->type], name, file->mode, size, file->target, err);
        if (r < 0 || file->type != IMAGE_FILE)
                return r;
        if (file->source)
                r = copy_source(tar, file->source, size, err);
        else
                r = tar_content(tar, file->data, file->data_len, err);
        return r < 0 ? r : tar_pad(tar, size, err);
}

/* Sizes are taken once, before the header of the layer, which says their sum, and hold afterwards. */
static int write_layer(struct tar *tar, const struct image_files *files, char ret_digest[65], struct err *err)
{
        uint64_t *sizes CLEANUP_FREE = xcalloc(files->count, sizeof(*sizes));
        uint64_t total = TAR_END_SIZE;
        int r = 0;

        for (size_t i = 0; r == 0 && i < files->count; i++) {
                r = file_size(&files->items[i], &sizes[i], err);
                total += tar_entry_size(sizes[i]);
        }
        if (r == 0)
                r = tar_header(tar, TAR_FILE, LAYER_NAME, 0644, total, NULL, err);
        if (r == 0)
                r = tar_hash_begin(tar, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < files->count; i++)
                r = write_entry(tar, &files->items[i], sizes[i], err);
        if (r == 0)
                r = tar_end(tar, err);
        tar_hash_end(tar, ret_digest);
        return r < 0 ? r : tar_pad(tar, total, err);
}

/* ---- configuration and manifest ---- */

const char *image_architecture(void)
{
        static struct utsname name;

        return uname(&name) < 0 ? "unknown" : go_architecture(name.machine);
}

static void add_string(struct buf *b, const char *s)
{
        buf_add_json_string(b, s, strlen(s));
}

static void add_list(struct buf *b, const struct strv *list)
{
        buf_addch(b, '[');
        for (size_t i = 0; i < list->len; i++) {
                if (i)
                        buf_addch(b, ',');
                add_string(b, list->items[i]);
        }
        buf_addch(b, ']');
}

static void add_list_member(struct buf *b, const char *key, const struct strv *list)
{
        if (list->len == 0)
                return;
        buf_addf(b, "\"%s\":", key);
        add_list(b, list);
        buf_addch(b, ',');
}

static void add_labels(struct buf *b, const struct strv *labels)
{
        if (labels->len == 0)
                return;
        buf_addstr(b, "\"Labels\":{");
        for (size_t i = 0; i < labels->len; i++) {
                size_t len = strcspn(labels->items[i], "=");
                if (i)
                        buf_addch(b, ',');
                buf_add_json_string(b, labels->items[i], len);
                buf_addch(b, ':');
                add_string(b, labels->items[i][len] ? labels->items[i] + len + 1 : "");
        }
        buf_addstr(b, "},");
}

static void make_config(const struct image_config *config, const char *layer, struct buf *b)
{
        buf_addstr(b, "{\"architecture\":");
        add_string(b, config->architecture ? config->architecture : image_architecture());
        buf_addstr(b, ",\"os\":\"linux\",\"created\":\"1970-01-01T00:00:00Z\",\"config\":{");
        add_list_member(b, "Entrypoint", &config->entrypoint);
        add_list_member(b, "Cmd", &config->cmd);
        add_list_member(b, "Env", &config->env);
        add_labels(b, &config->labels);
        buf_addstr(b, "\"User\":");
        add_string(b, config->user ? config->user : "");
        buf_addstr(b, ",\"WorkingDir\":");
        add_string(b, config->working_dir ? config->working_dir : "/");
        buf_addf(b,
                 "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]},"
                 "\"history\":[{\"created\":\"1970-01-01T00:00:00Z\",\"created_by\":\"genphase\"}]}",
                 layer);
}

static int write_member(struct tar *tar, const char *name, const struct buf *content, struct err *err)
{
        int r = buf_check(content, name, err);
        if (r == 0)
                r = tar_header(tar, TAR_FILE, name, 0644, content->len, NULL, err);
        if (r == 0)
                r = tar_content(tar, content->data, content->len, err);
        return r < 0 ? r : tar_pad(tar, content->len, err);
}

static int sha256(const struct buf *b, char ret_hex[65], struct err *err)
{
        unsigned char digest[32];
        if (gnutls_hash_fast(GNUTLS_DIG_SHA256, b->data, b->len, digest) < 0)
                return err_set(err, EIO, "cannot compute a SHA-256");
        for (size_t i = 0; i < sizeof(digest); i++)
                (void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

int image_tar_write(const struct image_config *config, const struct image_files *files, int fd, uint64_t *ret_size,
                    char ret_id[IMAGE_ID_MAX], struct err *err)
{
        struct buf json CLEANUP_BUF = BUF_INIT(CONFIG_MAX), manifest CLEANUP_BUF = BUF_INIT(CONFIG_MAX);
        struct tar tar = {.fd = fd};
        char layer[65], id[65], name[80];

        int r = write_layer(&tar, files, layer, err);
        if (r < 0)
                return r;
        make_config(config, layer, &json);
        r = buf_check(&json, "image configuration", err);
        if (r == 0)
                r = sha256(&json, id, err);
        if (r < 0)
                return r;
        (void)snprintf(name, sizeof(name), "%s.json", id);
        buf_addf(&manifest, "[{\"Config\":\"%s\",\"RepoTags\":", name);
        add_list(&manifest, &config->names);
        buf_addstr(&manifest, ",\"Layers\":[\"" LAYER_NAME "\"]}]");
        r = write_member(&tar, name, &json, err);
        if (r == 0)
                r = write_member(&tar, "manifest.json", &manifest, err);
        if (r == 0)
                r = tar_end(&tar, err);
        if (r < 0)
                return r;
        *ret_size = tar.written;
        if (ret_id)
                (void)snprintf(ret_id, IMAGE_ID_MAX, "sha256:%s", id);
        return 0;
}
