/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "docker/docker_image_ref.h"
#include "docker/elf_file.h"
#include "docker/image_recipe.h"
#include "docker/pause_image.h"

#define PATH_IN_IMAGE "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MAX_DIRECTORY_FILES 4096

static const char passwd[] = "root:x:0:0:root:/root:/sbin/nologin\n"
                             "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
                             "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";
static const char group[] = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n";
static const char nsswitch[] = "hosts: files dns\n";

/* Programs that go along with one. */
static const struct {
        const char *component, *also;
} companions[] = {
        {"etcd", "etcdctl"},
        {"etcd", "etcdutl"},
};

/* What kube-proxy runs. The first must be there, with the Debian package that has it; the others come along. */
static const struct {
        const char *name, *package;
} proxy_tools[] = {
        {"iptables", "iptables"},
        {"iptables-save", "iptables"},
        {"iptables-restore", "iptables"},
        {"ip6tables", "iptables"},
        {"ip6tables-save", "iptables"},
        {"ip6tables-restore", "iptables"},
        {"nft", "nftables"},
        {"conntrack", "conntrack"},
        {"iptables-nft", NULL},
        {"iptables-nft-save", NULL},
        {"iptables-nft-restore", NULL},
        {"ip6tables-nft", NULL},
        {"ip6tables-nft-save", NULL},
        {"ip6tables-nft-restore", NULL},
        {"iptables-legacy", NULL},
        {"iptables-legacy-save", NULL},
        {"iptables-legacy-restore", NULL},
        {"ip6tables-legacy", NULL},
        {"ip6tables-legacy-save", NULL},
        {"ip6tables-legacy-restore", NULL},
        {"ipset", NULL},
        {"modprobe", NULL},
};

char *image_recipe_component(const char *ref)
{
        struct docker_image_ref parts = docker_image_ref_split(ref);
        char *component = xstrdup(file_basename(parts.repository));
        docker_image_ref_release(&parts);
        return component;
}

/* ---- pieces ---- */

/* A program at path of the image, its libraries where they are on this machine. interpreter: of a library, which names
 * none itself; else NULL. */
static int add_program(struct image_files *files, const char *path, const char *source, const char *interpreter,
                       const char **ret_architecture, struct err *err)
{
        struct elf_file elf;
        struct strv libraries CLEANUP_STRV = STRV_INIT;
        const char *library;
        int r = elf_file_read(source, &elf, err);
        if (r < 0)
                return r;
        if (ret_architecture)
                *ret_architecture = elf.architecture;
        (void)image_files_add(files, path, source, 0755);
        if (!interpreter)
                interpreter = elf.interpreter;
        if (interpreter)
                r = elf_libraries(source, interpreter, &libraries, err);
        STRV_FOREACH (library, &libraries) {
                (void)image_files_add(files, library, library, 0755);
        }
        elf_file_release(&elf);
        return r;
}

/* A file of this machine at the same path, where there is one. */
static void add_if_there(struct image_files *files, const char *path)
{
        struct stat st;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
                (void)image_files_add(files, path, path, 0644);
}

static void add_certificates(struct image_files *files)
{
        static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                              "/etc/ssl/ca-bundle.pem"};
        struct stat st;
        for (size_t i = 0; i < ARRAY_SIZE(bundles); i++) {
                if (stat(bundles[i], &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                (void)image_files_add(files, bundles[0], bundles[i], 0644);
                return;
        }
}

static void add_base(struct image_files *files)
{
        (void)image_files_add_directory(files, "tmp", 01777);
        (void)image_files_add_directory(files, "run", 0755);
        (void)image_files_add_directory(files, "root", 0700);
        (void)image_files_add_data(files, "etc/passwd", passwd, sizeof(passwd) - 1, 0644);
        (void)image_files_add_data(files, "etc/group", group, sizeof(group) - 1, 0644);
        (void)image_files_add_data(files, "etc/nsswitch.conf", nsswitch, sizeof(nsswitch) - 1, 0644);
        add_certificates(files);
}

/* ---- kube-proxy's tools ---- */

/* Where this machine has a program; NULL where it has not. Free it. */
static char *find_tool(const char *name)
{
        static const char *const directories[] = {"/usr/sbin", "/usr/bin",        "/sbin",
                                                  "/bin",      "/usr/local/sbin", "/usr/local/bin"};
        for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
                char *path CLEANUP_FREE = file_join(directories[i], name);
                char *real = access(path, X_OK) == 0 ? realpath(path, NULL) : NULL;
                if (real)
                        return real;
        }
        return NULL;
}

/* iptables and its kin are one program under many names, and which one is this machine's choice (alternatives): the
 * same here, since the rules must be in the tables that this machine's Docker uses. */
static int add_tool(struct image_files *files, const char *name, const char *package, struct err *err)
{
        char *real CLEANUP_FREE = find_tool(name);
        if (!real && package)
                return err_set(err, ENOENT, "kube-proxy needs %s of this machine, which is not there: install %s", name,
                               package);
        if (!real)
                return 0;
        const char *base = file_basename(real);
        char *path CLEANUP_FREE = xasprintf("usr/sbin/%s", base);
        int r = add_program(files, path, real, NULL, NULL, err);
        if (r == 0 && !str_eq(base, name)) {
                char *link CLEANUP_FREE = xasprintf("usr/sbin/%s", name);
                (void)image_files_add_symlink(files, link, base);
        }
        return r;
}

/* The directory of iptables' extensions, beside libxtables. Free it; NULL where there is none. */
static char *find_xtables(const struct image_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                const char *source = files->items[i].source;
                if (!source || !str_starts(file_basename(source), "libxtables.so"))
                        continue;
                char *real CLEANUP_FREE = realpath(source, NULL);
                char *dir CLEANUP_FREE = real ? file_dirname(real) : NULL;
                char *xtables = dir ? file_join(dir, "xtables") : NULL;
                if (xtables && file_exists(xtables))
                        return xtables;
                free(xtables);
        }
        return NULL;
}

static int add_extension(struct image_files *files, const char *path, const char *interpreter, struct err *err)
{
        char target[PATH_MAX];
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return add_program(files, path, path, interpreter, NULL, err);
        target[n] = '\0';
        (void)image_files_add_symlink(files, path, target);
        return 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_library(const struct dirent *entry)
{
        return str_ends(entry->d_name, ".so");
}

static int add_extensions(struct image_files *files, struct err *err)
{
        char *dir CLEANUP_FREE = find_xtables(files), *iptables CLEANUP_FREE = find_tool("iptables");
        struct elf_file elf = {0};
        struct dirent **entries;
        int r = 0;

        if (!dir)
                return 0; /* built in, or no libxtables at all */
        int count = scandir(dir, &entries, is_library, compare_names);
        if (count < 0)
                return err_set_errno(err, errno, "%s", dir);
        if (count > MAX_DIRECTORY_FILES)
                r = err_set(err, ERR_LIMIT, "%s: more than %d files", dir, MAX_DIRECTORY_FILES);
        if (r == 0)
                r = elf_file_read(iptables, &elf, err);
        for (int i = 0; i < count; i++) {
                char *path CLEANUP_FREE = file_join(dir, entries[i]->d_name);
                if (r == 0)
                        r = add_extension(files, path, elf.interpreter, err);
                free(entries[i]);
        }
        free(entries);
        elf_file_release(&elf);
        return r;
}

static int add_proxy_tools(struct image_files *files, struct err *err)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(proxy_tools); i++)
                r = add_tool(files, proxy_tools[i].name, proxy_tools[i].package, err);
        if (r == 0)
                r = add_extensions(files, err);
        /* Libraries outside of the default places, and the names that nft resolves. */
        add_if_there(files, "/etc/ld.so.cache");
        add_if_there(files, "/etc/protocols");
        add_if_there(files, "/etc/services");
        return r;
}

/* ---- recipes ---- */

static int recipe_pause(const char *dir, struct image_files *files, struct image_config *config, struct err *err)
{
        char *source CLEANUP_FREE = file_join(dir, "pause");
        int r = 0;
        if (file_exists(source))
                r = add_program(files, "pause", source, NULL, &config->architecture, err);
        else
                (void)image_files_add_data(files, "pause", pause_binary, pause_binary_size, 0755);
        config->user = "65535:65535";
        strv_add(&config->entrypoint, "/pause");
        return r;
}

static int recipe_program(const char *component, const char *dir, struct image_files *files,
                          struct image_config *config, struct err *err)
{
        char *source CLEANUP_FREE = file_join(dir, component),
                     *path CLEANUP_FREE = xasprintf("usr/local/bin/%s", component);
        if (!file_exists(source))
                return 1;
        add_base(files);
        int r = add_program(files, path, source, NULL, &config->architecture, err);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(companions); i++) {
                char *also CLEANUP_FREE = file_join(dir, companions[i].also);
                char *also_path CLEANUP_FREE = xasprintf("usr/local/bin/%s", companions[i].also);
                if (str_eq(companions[i].component, component) && file_exists(also))
                        r = add_program(files, also_path, also, NULL, NULL, err);
        }
        strv_addf(&config->entrypoint, "/%s", path);
        return r;
}

int image_recipe(const char *component, const char *dir, struct image_files *files, struct image_config *config,
                 struct err *err)
{
        strv_add(&config->env, PATH_IN_IMAGE);
        if (str_eq(component, "pause"))
                return recipe_pause(dir, files, config, err);
        int r = recipe_program(component, dir, files, config, err);
        if (r == 0 && str_eq(component, "kube-proxy"))
                r = add_proxy_tools(files, err);
        return r;
}
