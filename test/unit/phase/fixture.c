/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "fixture.h"

const char plain_config[] = "apiVersion: kubeadm.k8s.io/v1beta4\n"
                            "kind: InitConfiguration\n"
                            "localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}\n"
                            "nodeRegistration: {criSocket: 'unix:///run/containerd/containerd.sock', name: node1}\n"
                            "---\n"
                            "apiVersion: kubeadm.k8s.io/v1beta4\n"
                            "kind: ClusterConfiguration\n"
                            "kubernetesVersion: v1.36.3\n"
                            "encryptionAlgorithm: ECDSA-P256\n";

int fixture_setup(void **state)
{
        char dir[] = "/tmp/test_phase.XXXXXX";
        struct fixture *f = xcalloc(1, sizeof(*f));

        if (!mkdtemp(dir))
                return -1;
        f->dir = xstrdup(dir);
        f->root = file_join(dir, "root");
        if (mkdir(f->root, 0755) < 0)
                return -1;
        fixture_config(f, plain_config);
        *state = f;
        return 0;
}

int fixture_teardown(void **state)
{
        struct fixture *f = *state;
        int r = file_remove_tree(f->dir, NULL);

        free(f->dir);
        free(f->root);
        free(f->out);
        free(f->log);
        free(f);
        return r;
}

void fixture_config(struct fixture *f, const char *yaml)
{
        char *path CLEANUP_FREE = file_join(f->dir, "kubeadm.yaml");

        assert_int_equal(file_write_atomic(path, yaml, strlen(yaml), 0644, 0, NULL), 0);
}

int fixture_run(struct fixture *f, int (*fn)(struct phase *phase, const char *arg, struct err *err), const char *arg)
{
        const struct phase_flags none = {.kubernetes_version = NULL};
        char *config CLEANUP_FREE = file_join(f->dir, "kubeadm.yaml");
        struct phase *phase CLEANUP_PHASE = NULL;
        size_t out_len, log_len;

        free(f->out);
        free(f->log);
        f->out = f->log = NULL;
        f->err = ERR_INIT;
        const struct phase_options options = {.config_file = f->flags ? NULL : config,
                                              .rootfs = f->root,
                                              .templates_dir = getenv("TEST_TEMPLATES"),
                                              .kubeadm_version = f->version,
                                              .flags = f->flags ?: &none,
                                              .ignored_checks = f->ignored_checks,
                                              .command = f->command,
                                              .print_manifest = f->print_manifest,
                                              .decode = f->decode,
                                              .no_config = f->no_config,
                                              .dry_run = f->dry_run,
                                              .seen = f->seen,
                                              .out = open_memstream(&f->out, &out_len),
                                              .log = open_memstream(&f->log, &log_len)};
        int r = phase_open(&options, &phase, &f->err);
        if (r == 0)
                r = fn(phase, arg, &f->err);
        f->exit_code = phase->exit_code;
        (void)fclose(options.out);
        (void)fclose(options.log);
        return r;
}

static char *below(const struct fixture *f, const char *path)
{
        return file_join(f->root, path);
}

void fixture_put(const struct fixture *f, const char *path, const char *text)
{
        char *real CLEANUP_FREE = below(f, path), *dir CLEANUP_FREE = file_dirname(real);

        assert_true(file_mkdir_p(dir, 0755, NULL) >= 0);
        assert_int_equal(file_write_atomic(real, text, strlen(text), 0644, 0, NULL), 0);
}

void fixture_link(const struct fixture *f, const char *path, const char *target)
{
        char *link CLEANUP_FREE = file_join(f->root, path), *dir CLEANUP_FREE = file_dirname(link);

        assert_true(file_mkdir_p(dir, 0755, NULL) >= 0);
        assert_int_equal(symlink(target, link), 0);
}

char *fixture_get(const struct fixture *f, const char *path)
{
        char *real CLEANUP_FREE = below(f, path);
        struct buf b CLEANUP_BUF = BUF_INIT(1 << 20);
        struct err err = ERR_INIT;

        if (file_read(real, &b, &err) < 0)
                fail_msg("%s", err.msg);
        return buf_steal(&b, NULL);
}

void fixture_remove(const struct fixture *f, const char *path)
{
        char *real CLEANUP_FREE = below(f, path);

        assert_int_equal(file_remove_tree(real, NULL), 0);
}

void fixture_move(const struct fixture *f, const char *from, const char *to)
{
        char *a CLEANUP_FREE = below(f, from), *b CLEANUP_FREE = below(f, to);

        assert_int_equal(rename(a, b), 0);
}

void fixture_copy(const struct fixture *f, const char *from, const char *to)
{
        char *text CLEANUP_FREE = fixture_get(f, from);

        fixture_put(f, to, text);
}

bool fixture_has(const struct fixture *f, const char *path)
{
        char *real CLEANUP_FREE = below(f, path);

        return file_exists(real);
}

mode_t fixture_mode(const struct fixture *f, const char *path)
{
        char *real CLEANUP_FREE = below(f, path);
        struct stat st;

        assert_int_equal(stat(real, &st), 0);
        return st.st_mode & 07777;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

char *fixture_digest(const struct fixture *f)
{
        struct buf out CLEANUP_BUF = BUF_INIT(1 << 22);
        char *const roots[] = {f->root, NULL};
        FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);

        assert_non_null(walk);
        for (FTSENT *e; (e = fts_read(walk));) {
                const struct stat *st = e->fts_statp;
                if (e->fts_info == FTS_DP)
                        continue;
                buf_addf(&out, "%s %o %ju\n", e->fts_path, st->st_mode, (uintmax_t)st->st_ino);
                /* A temporary file that came and went shows in its directory's time alone. */
                if (e->fts_info != FTS_D)
                        buf_addf(&out, "%jd.%ld\n", (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
                if (e->fts_info == FTS_F)
                        (void)file_read(e->fts_path, &out, NULL);
        }
        (void)fts_close(walk);
        assert_false(out.failed);
        return buf_steal(&out, NULL);
}
