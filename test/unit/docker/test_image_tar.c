/* SPDX-License-Identifier: Apache-2.0
 *
 * Archives judged by tar(1) and sha256sum(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "docker/image_tar.h"
#include "docker/pause_image.h"
#include "docker/tar.h"

struct state {
        char dir[64];
        struct image_files files;
        struct image_config config;
};

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-image-tar-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;
        image_files_release(&s->files);
        image_config_release(&s->config);
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

/* Output of a shell command, without the last newline. */
static char *shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *shell(const char *fmt, ...)
{
        struct buf command CLEANUP_BUF = BUF_INIT(4096), out = BUF_INIT(65536);
        char chunk[1024];
        size_t n;
        va_list ap;
        va_start(ap, fmt);
        buf_addfv(&command, fmt, ap);
        va_end(ap);
        FILE *f = popen(buf_str(&command), "r");
        assert_non_null(f);
        while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
                buf_add(&out, chunk, n);
        assert_int_equal(pclose(f), 0);
        if (out.len && out.data[out.len - 1] == '\n')
                out.data[--out.len] = '\0';
        return buf_steal(&out, &(size_t){0});
}

static char *make(struct state *s, const char *name, char ret_id[IMAGE_ID_MAX])
{
        struct err err = ERR_INIT;
        struct stat st;
        uint64_t size = 0;
        char *path = file_join(s->dir, name);
        int fd CLEANUP_FD = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (image_tar_write(&s->config, &s->files, fd, &size, ret_id, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, size);
        return path;
}

static void sample(struct state *s)
{
        struct err err;
        char *source CLEANUP_FREE = file_join(s->dir, "source");
        assert_int_equal(file_write_atomic(source, "content of a file\n", 18, 0600, 0, &err), 0);
        assert_int_equal(image_files_add(&s->files, "/usr/bin/program", source, 0755), 0);
        assert_int_equal(image_files_add_symlink(&s->files, "usr/bin/alias", "program"), 0);
        assert_int_equal(image_files_add_directory(&s->files, "tmp", 01777), 0);
        assert_int_equal(image_files_add_data(&s->files, "etc/passwd", "root:x:0:0::/:\n", 15, 0644), 0);
        assert_int_equal(image_files_add_data(&s->files, "/etc/passwd", "other", 5, 0644), 1);
        strv_add(&s->config.names, "registry.k8s.io/x:v1");
        strv_add(&s->config.names, "x:\"2\"");
        strv_add(&s->config.entrypoint, "/usr/bin/program");
        strv_add(&s->config.env, "PATH=/usr/bin");
        strv_add(&s->config.labels, "a.b=c=d");
        s->config.architecture = "amd64";
}

static void test_archive(void **state)
{
        struct state *s = *state;
        char id[IMAGE_ID_MAX], id2[IMAGE_ID_MAX];
        sample(s);
        char *path CLEANUP_FREE = make(s, "a.tar", id), *again CLEANUP_FREE = make(s, "b.tar", id2);
        assert_string_equal(id, id2);
        free(shell("cmp %s %s", path, again)); /* the same bytes */

        char *names CLEANUP_FREE = shell("tar -tf %s", path);
        char *want CLEANUP_FREE = xasprintf("layer.tar\n%s.json\nmanifest.json", id + 7);
        assert_string_equal(names, want);
        free(shell("cd %s && tar -xf a.tar", s->dir));
        char *layer CLEANUP_FREE = shell("cd %s && tar --numeric-owner -tvf layer.tar | sed 's/  */ /g'", s->dir);
        assert_string_equal(layer, "drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/\n"
                                   "drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/bin/\n"
                                   "-rwxr-xr-x 0/0 18 1970-01-01 00:00 usr/bin/program\n"
                                   "lrwxrwxrwx 0/0 0 1970-01-01 00:00 usr/bin/alias -> program\n"
                                   "drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/\n"
                                   "drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/\n"
                                   "-rw-r--r-- 0/0 15 1970-01-01 00:00 etc/passwd");
        char *content CLEANUP_FREE = shell("cd %s && tar -xOf layer.tar usr/bin/program", s->dir);
        assert_string_equal(content, "content of a file");

        char *digest CLEANUP_FREE = shell("sha256sum < %s/layer.tar | cut -d ' ' -f 1", s->dir);
        char *config_digest CLEANUP_FREE = shell("sha256sum < %s/%s.json | cut -d ' ' -f 1", s->dir, id + 7);
        assert_string_equal(config_digest, id + 7);
        char *text CLEANUP_FREE = shell("cat %s/%s.json", s->dir, id + 7);
        struct cJSON *c CLEANUP_CJSON = cJSON_Parse(text);
        assert_string_equal(cjson_text(c, "architecture", ""), "amd64");
        assert_string_equal(cjson_get(c, "rootfs", "diff_ids", NULL)->child->valuestring + 7, digest);
        assert_string_equal(cjson_get(c, "config", "Entrypoint", NULL)->child->valuestring, "/usr/bin/program");
        assert_string_equal(cjson_text(cjson_get(c, "config", "Labels", NULL), "a.b", ""), "c=d");
        char *manifest CLEANUP_FREE = shell("cat %s/manifest.json", s->dir);
        char *manifest_want CLEANUP_FREE = xasprintf("[{\"Config\":\"%s.json\",\"RepoTags\":[\"registry.k8s.io/x:v1\","
                                                     "\"x:\\\"2\\\"\"],\"Layers\":[\"layer.tar\"]}]",
                                                     id + 7);
        assert_string_equal(manifest, manifest_want);
}

static void test_long_paths(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        uint64_t size;
        char *good CLEANUP_FREE = xasprintf("%0120d/%090d", 1, 2), *exact CLEANUP_FREE = xasprintf("%0100d", 3);
        char *bad CLEANUP_FREE = xasprintf("a/%0101d", 4);
        (void)image_files_add_data(&s->files, exact, "x", 1, 0644);
        struct image_file long_one = {
                .type = IMAGE_FILE, .path = xstrdup(good), .data = "y", .data_len = 1, .mode = 0644};
        s->files.items = xrealloc(s->files.items, s->files.count + 1, sizeof(*s->files.items));
        s->files.items[s->files.count++] = long_one;
        char *path CLEANUP_FREE = make(s, "long.tar", NULL);
        char *names CLEANUP_FREE = shell("tar -xOf %s layer.tar | tar -tf -", path);
        char *want CLEANUP_FREE = xasprintf("%s\n%s", exact, good);
        assert_string_equal(names, want);
        (void)image_files_add_data(&s->files, bad, "x", 1, 0644);
        int fd CLEANUP_FD = memfd_create("x", MFD_CLOEXEC);
        assert_int_equal(image_tar_write(&s->config, &s->files, fd, &size, NULL, &err), -ENAMETOOLONG);
        assert_non_null(strstr(err.msg, bad));
}

static void test_errors(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        uint64_t size;
        int fd CLEANUP_FD = memfd_create("x", MFD_CLOEXEC);
        (void)image_files_add(&s->files, "a", "/no/such/file", 0644);
        assert_int_equal(image_tar_write(&s->config, &s->files, fd, &size, NULL, &err), -ENOENT);
        assert_non_null(strstr(err.msg, "/no/such/file"));
        image_files_release(&s->files);
        (void)image_files_add(&s->files, "a", s->dir, 0644);
        assert_int_equal(image_tar_write(&s->config, &s->files, fd, &size, NULL, &err), -EINVAL);
        image_files_release(&s->files);
        (void)image_files_add_data(&s->files, "a", "x", 1, 0644);
        int full CLEANUP_FD = open("/dev/full", O_WRONLY | O_CLOEXEC);
        assert_int_equal(image_tar_write(&s->config, &s->files, full, &size, NULL, &err), -ENOSPC);
        assert_int_equal(image_files_add_data(&s->files, "/", "x", 1, 0644), 1);
}

static void test_sizes(void **state)
{
        (void)state;
        struct err err = ERR_INIT;
        struct tar tar = {.fd = memfd_create("x", MFD_CLOEXEC)};
        assert_int_equal(tar_entry_size(0), 512);
        assert_int_equal(tar_entry_size(1), 1024);
        assert_int_equal(tar_entry_size(512), 1024);
        assert_int_equal(tar_entry_size(513), 1536);
        assert_int_equal(tar_header(&tar, TAR_FILE, "x", 0644, 1ULL << 40, NULL, &err), -EFBIG);
        assert_int_equal(tar.written, 0);
        fd_close(tar.fd);
}

static void test_pause_image(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        uint64_t size = 0;
        int fd = -1;
        assert_true(pause_binary_size > 100 && pause_binary_size < 4096);
        assert_memory_equal(pause_binary, "\177ELF", 4);
        assert_int_equal(pause_image_make("registry.k8s.io/pause:3.10.1", &fd, &size, &err), 0);
        char *names CLEANUP_FREE = shell("tar -tf /proc/%d/fd/%d | tail -n 1", (int)getpid(), fd);
        assert_string_equal(names, "manifest.json");
        char *layer CLEANUP_FREE = shell("tar -xOf /proc/%d/fd/%d layer.tar | tar -tf -", (int)getpid(), fd);
        assert_string_equal(layer, "pause");
        char *version CLEANUP_FREE = shell("cd %s && tar -xOf /proc/%d/fd/%d layer.tar | tar -xf - && ./pause -v",
                                           s->dir, (int)getpid(), fd);
        assert_string_equal(version, "pause " GENPHASE_PROJECT_VERSION);
        fd_close(fd);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        setenv("TZ", "UTC", 1);
        const struct CMUnitTest tests[] = {
                TEST(test_archive), TEST(test_long_paths), TEST(test_errors), TEST(test_sizes), TEST(test_pause_image),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
