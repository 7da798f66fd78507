/* SPDX-License-Identifier: Apache-2.0
 *
 * lib/codec behind a pipe, for test/peer/yamlref: `codec_filter write` makes YAML of JSON texts, `codec_filter read`
 * JSON of the first document of YAML texts. In: the length in decimal, a line break, the text. Out: "ok LENGTH" or
 * "error LENGTH", a line break, the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"

static int make_yaml(const char *text, size_t len, struct buf *out, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        int r = json_load("input", text, len, &v, err);

        if (r < 0)
                return r;
        yaml_write(v, 0, out);
        return buf_check(out, "YAML", err);
}

static int make_json(const char *text, size_t len, struct buf *out, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        int r = yaml_load("input", text, len, YAML_DUPLICATE_LAST_WINS, &documents, err);

        if (r < 0)
                return r;
        if (documents.count)
                json_write(documents.items[0], 0, out);
        else
                buf_addstr(out, "null");
        return buf_check(out, "JSON", err);
}

static int answer(const char *mode, const char *text, size_t len)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct err err = ERR_INIT;
        int r = strcmp(mode, "write") == 0 ? make_yaml(text, len, &out, &err) : make_json(text, len, &out, &err);

        if (r < 0)
                return printf("error %zu\n%s", strlen(err.msg), err.msg);
        return printf("ok %zu\n%s", out.len, buf_str(&out));
}

int main(int argc, char **argv)
{
        size_t len;

        if (argc != 2)
                return 2;
        while (scanf("%zu", &len) == 1 && len <= LIMIT_MANIFEST_BYTES && getchar() == '\n') {
                char *text CLEANUP_FREE = xcalloc(1, len + 1);

                if (fread(text, 1, len, stdin) != len || answer(argv[1], text, len) < 0 || fflush(stdout) != 0)
                        return 1;
        }
        return 0;
}
