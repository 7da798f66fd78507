/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/config_text.h"
#include "phase/era.h"
#include "phase/patch_split.h"

static struct value *empty_document(const char *file_name, size_t line)
{
        struct value *document = value_new_null();

        document->place =
                (struct value_place){.file = value_place_file(file_name), .line = (uint32_t)line, .column = 1};
        return document;
}

static int load_piece(const char *file_name, const struct patch_piece *piece, unsigned flags,
                      struct yaml_documents *all, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_MANIFEST_BYTES);

        /* Empty lines in front, so that places count from the beginning of the file. */
        for (size_t i = 1; i < piece->line; i++)
                buf_addch(&text, '\n');
        buf_add(&text, piece->text, piece->len);
        int r = buf_check(&text, file_name, err);
        if (r == 0)
                r = yaml_load(file_name, buf_str(&text), text.len, flags | YAML_FIRST_ALONE, &documents, err);
        if (r < 0)
                return r;
        all->items = xrealloc(all->items, all->count + 1, sizeof(struct value *));
        if (documents.count == 0) {
                all->items[all->count++] = empty_document(file_name, piece->line);
                return 0;
        }
        yaml_documents_move_duplicates(all, &documents, all->count);
        all->items[all->count++] = documents.items[0];
        memmove(documents.items, documents.items + 1, --documents.count * sizeof(struct value *));
        return 0;
}

int config_text_load(const char *file_name, const struct buf *data, const struct era *era, unsigned flags,
                     struct yaml_documents *ret, struct err *err)
{
        bool exact = str_eq(era_text(era, "patches", "separators", ""), "exact");
        struct patch_piece piece;
        size_t at = 0;
        int r;

        *ret = (struct yaml_documents){0};
        while ((r = patch_split_next(buf_str(data), data->len, PATCH_SPLIT_BLANK | (exact ? PATCH_SPLIT_EXACT : 0), &at,
                                     &piece, err)) == 0) {
                if (ret->count == LIMIT_YAML_DOCUMENTS)
                        return err_set(err, ERR_LIMIT, "%s: more than %d documents", file_name, LIMIT_YAML_DOCUMENTS);
                r = load_piece(file_name, &piece, flags, ret, err);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}
