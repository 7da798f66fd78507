/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/rootfs.h"
#include "base/str.h"
#include "codec/yaml.h"
#include "phase/arguments.h"
#include "phase/field_error.h"
#include "phase/patch_files.h"
#include "phase/patch_split.h"
#include "phase/phase.h"

/* The walk through the directory. */
struct walk {
        struct phase *phase;
        const char *root; /* --rootfs, where the directory is below it */
        const struct value *targets;
        struct patch_files *files;
        struct err *err;
};

void patch_files_release(struct patch_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                for (size_t d = 0; d < files->items[i].count; d++)
                        value_free(files->items[i].documents[d]);
                free(files->items[i].documents);
        }
        free(files->items);
        strv_release(&files->found);
        strv_release(&files->ignored);
        *files = (struct patch_files){0};
}

static int fail_errno(const struct walk *w, int number, const char *call, const char *path)
{
        char text[128];

        return err_set(w->err, number, "%s %s: %s", call, path, phase_errno_text(number, text, sizeof(text)));
}

static void set_origin(struct value *v, const char *origin)
{
        v->place.origin = origin;
        for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
                set_origin(v->list.items[i], origin);
        for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++) {
                v->map.entries[i].place.origin = origin;
                set_origin(v->map.entries[i].value, origin);
        }
}

/* As for the configuration: a key that is there twice is a mistake, or the last one counts. */
static int load(const struct walk *w, const char *path, const struct buf *text, struct yaml_documents *ret)
{
        struct err strict = ERR_INIT;

        int r = yaml_load(path, buf_str(text), text->len, 0, ret, &strict);
        if (r == 0)
                return 0;
        if (phase_is_lenient(w->phase) &&
            yaml_load(path, buf_str(text), text->len, YAML_DUPLICATE_LAST_WINS, ret, NULL) == 0) {
                phase_warn(w->phase, "%s", strict.msg);
                return 0;
        }
        return err_set(w->err, strict.code, "could not convert patch to JSON: %s", strict.msg);
}

/* A piece becomes one document; nothing but comments is null. */
static int add_document(const struct walk *w, struct patch_file *file, const struct patch_piece *piece)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_PATCH_BYTES);
        const struct value_place start = {.file = value_place_file(file->path), .line = (uint32_t)piece->line};
        struct value *document;

        size_t from = 0, to = piece->len;

        /* Empty lines in front, so that places count from the beginning of the file. kubeadm trims each piece. */
        for (size_t i = 1; i < piece->line; i++)
                buf_addch(&text, '\n');
        for (; from < to && isspace((unsigned char)piece->text[from]); from++)
                if (piece->text[from] == '\n')
                        buf_addch(&text, '\n');
        while (to > from && isspace((unsigned char)piece->text[to - 1]))
                to--;
        buf_add(&text, piece->text + from, to - from);
        int r = buf_check(&text, file->path, w->err);
        if (r == 0)
                r = load(w, file->path, &text, &documents);
        if (r < 0)
                return r;
        if (documents.count > 1)
                phase_warn(w->phase, "%s:%u: what follows is ignored: the line before it has more than \"---\"",
                           file->path, documents.items[1]->place.line);
        if (documents.count > 0) {
                document = TAKE_PTR(documents.items[0]);
                memmove(documents.items, documents.items + 1, --documents.count * sizeof(struct value *));
        } else {
                document = value_new_null();
                document->place = start;
        }
        set_origin(document, config_keepf(w->phase->config, "%s%s",
                                          file->type == PATCH_ARGUMENTS ? ARGUMENTS_ORIGIN : "patch ", file->path));
        file->documents = xrealloc(file->documents, file->count + 1, sizeof(struct value *));
        file->documents[file->count++] = document;
        return 0;
}

static int split(const struct walk *w, struct patch_file *file, const struct buf *data)
{
        bool exact = str_eq(era_text(w->phase->era, "patches", "separators", ""), "exact");
        unsigned flags = exact ? PATCH_SPLIT_EXACT : 0;
        struct patch_piece piece;
        size_t at = 0;
        int r;

        while ((r = patch_split_next(buf_str(data), data->len, flags, &at, &piece, w->err)) == 0) {
                if (file->count == LIMIT_YAML_DOCUMENTS)
                        return err_set(w->err, ERR_LIMIT, "%s: more than %d documents", file->path,
                                       LIMIT_YAML_DOCUMENTS);
                r = add_document(w, file, &piece);
                if (r < 0)
                        return r;
        }
        return r < 0 ? err_wrap(w->err, "could not split patches for data: %s", file->path) : 0;
}

static int read_file(const struct walk *w, const char *path, const char *shown, struct buf *data)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        struct err why = ERR_INIT;

        int r = str_empty(w->root) ? file_read(path, data, &why) : rootfs_read(w->root, shown, data, &why);
        if (r == 0)
                return 0;
        go_quote(shown, &quoted);
        if (why.code >= ERR_INVALID)
                return err_set(w->err, why.code, "could not read the file %s: %s", buf_str(&quoted), why.msg);
        (void)fail_errno(w, why.code, why.code == EISDIR ? "read" : "open", shown);
        return err_wrap(w->err, "could not read the file %s", buf_str(&quoted));
}

/* why NULL: there is nothing in it. */
static void ignore(const struct walk *w, const char *name, const char *why)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        go_quote(name, &quoted);
        if (why)
                phase_say(w->phase, "[patches] Ignoring file %s: %s", buf_str(&quoted), why);
        else
                phase_say(w->phase, "[patches] Ignoring empty file: %s", buf_str(&quoted));
        strv_add(&w->files->ignored, name);
}

static int add_file(const struct walk *w, const char *path, const char *shown)
{
        struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_PATCH_BYTES);
        const char *name = file_basename(shown), *target = NULL;
        enum patch_type type = PATCH_TYPE_MAX;
        struct err why = ERR_INIT;

        int r = patch_name_parse(name, w->targets, &target, &type, &why);
        if (r < 0) {
                (void)fprintf(w->phase->options.log, "%s: %s\n", shown, why.msg);
                return err_set(w->err, why.code, "%s", why.msg);
        }
        if (r > 0) {
                ignore(w, name, why.msg);
                return 0;
        }
        if (w->files->count == LIMIT_PATCH_FILES)
                return err_set(w->err, ERR_LIMIT, "more than %d patch files", LIMIT_PATCH_FILES);
        r = read_file(w, path, shown, &data);
        if (r < 0)
                return r;
        if (data.len == 0) {
                ignore(w, name, NULL);
                return 0;
        }
        w->files->items = xrealloc(w->files->items, w->files->count + 1, sizeof(*w->files->items));
        struct patch_file *file = &w->files->items[w->files->count++];
        *file = (struct patch_file){config_keepf(w->phase->config, "%s", shown), target, type, NULL, 0};
        strv_add(&w->files->found, name);
        return split(w, file, &data);
}

static void cleanup_dir(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

static int list(const struct walk *w, const char *path, const char *shown, struct strv *ret)
{
        DIR *d CLEANUP(cleanup_dir) = opendir(path);
        struct dirent *e;

        if (!d)
                return fail_errno(w, errno, "open", shown);
        while ((e = readdir(d))) {
                if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
                        continue;
                if (ret->len == LIMIT_PATCH_FILES)
                        return err_set(w->err, ERR_LIMIT, "%s: more than %d files", shown, LIMIT_PATCH_FILES);
                strv_add(ret, e->d_name);
        }
        strv_sort(ret);
        return 0;
}

static int walk_directory(const struct walk *w, const char *path, const char *shown, unsigned depth)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        char *name;

        if (depth == LIMIT_PATCH_DEPTH)
                return err_set(w->err, ERR_LIMIT, "%s: directories are nested deeper than %d", shown,
                               LIMIT_PATCH_DEPTH);
        int r = list(w, path, shown, &names);
        STRV_FOREACH (name, &names) {
                char *below CLEANUP_FREE = file_join(path, name), *joined CLEANUP_FREE = file_join(shown, name);
                char *clean CLEANUP_FREE = file_clean(joined);
                struct stat st;

                if (r < 0)
                        return r;
                if (lstat(below, &st) < 0)
                        return fail_errno(w, errno, "lstat", clean);
                r = S_ISDIR(st.st_mode) ? walk_directory(w, below, clean, depth + 1) : add_file(w, below, clean);
        }
        return r;
}

int patch_files_read(struct phase *phase, const char *root, const char *directory, struct patch_files *ret,
                     struct err *err)
{
        const struct walk w = {phase, root, era_value(phase->era, "patches", "targets"), ret, err};
        /* filepath.Walk does not follow a link there. */
        char *path CLEANUP_FREE = str_empty(root) ? xstrdup(directory) : phase_host_path_of_link(phase, directory);
        struct stat st;
        int r;

        if (!path || lstat(path, &st) < 0)
                r = fail_errno(&w, errno, "lstat", directory);
        else if (!S_ISDIR(st.st_mode))
                r = err_set(err, ENOTDIR, "getPatchSetsFromPath %s: not a directory", file_basename(directory));
        else
                r = walk_directory(&w, path, directory, 0);
        if (r == 0)
                return 0;
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        go_quote(directory, &quoted);
        return err_wrap(err, "could not list patch files for path %s", buf_str(&quoted));
}
