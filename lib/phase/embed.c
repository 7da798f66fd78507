/* SPDX-License-Identifier: Apache-2.0
 *
 * embed: writes YAML files as C arrays of packed values, when genphase is built.
 *
 *      embed OUT.c FILE...
 *
 * The result defines embedded_files[] of phase/embedded.h, in the order of the arguments. A file that is not YAML ends
 * the build.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "codec/value.h"
#include "codec/value_pack.h"
#include "codec/yaml.h"

#define BYTES_PER_LINE 24

static int write_file(FILE *out, int number, const char *path, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES),
                        packed CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct value *v CLEANUP_VALUE = NULL;
        int r = file_read(path, &text, err);

        if (r == 0)
                r = yaml_load_one(path, buf_str(&text), text.len, 0, &v, err);
        if (r < 0)
                return r;
        value_pack(v, &packed);
        r = buf_check(&packed, path, err);
        if (r < 0)
                return r;
        (void)fprintf(out, "static const unsigned char file_%d[] = {", number);
        for (size_t i = 0; i < packed.len; i++)
                (void)fprintf(out, "%s%d,", i % BYTES_PER_LINE ? " " : "\n        ", (unsigned char)packed.data[i]);
        (void)fprintf(out, "\n};\n\n");
        return 0;
}

static int write_all(FILE *out, char **paths, struct err *err)
{
        (void)fprintf(out, "/* SPDX-License-Identifier: Apache-2.0 - made by embed.c, do not edit */\n"
                           "#include \"phase/embedded.h\"\n\n");
        for (int i = 0; paths[i]; i++) {
                int r = write_file(out, i, paths[i], err);
                if (r < 0)
                        return r;
        }
        (void)fprintf(out, "const struct embedded_file embedded_files[] = {\n");
        for (int i = 0; paths[i]; i++) {
                const char *slash = strrchr(paths[i], '/');

                (void)fprintf(out, "        {\"%s\", (const char *)file_%d, sizeof(file_%d)},\n",
                              slash ? slash + 1 : paths[i], i, i);
        }
        (void)fprintf(out,
                      "};\nconst size_t embedded_file_count = sizeof(embedded_files) / sizeof(embedded_files[0]);\n");
        return ferror(out) ? err_set_errno(err, EIO, "writing") : 0;
}

int main(int argc, char **argv)
{
        struct err err = ERR_INIT;
        FILE *out = argc > 2 ? fopen(argv[1], "we") : NULL;
        int r = 0;

        if (!out) {
                (void)fprintf(stderr, argc > 2 ? "embed: cannot write %s\n" : "usage: embed OUT.c FILE...\n", argv[1]);
                return EXIT_FAILURE;
        }
        r = write_all(out, argv + 2, &err);
        if (fclose(out) != 0 && r == 0)
                r = err_set_errno(&err, errno, "%s", argv[1]);
        if (r == 0)
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "embed: %s\n", err.msg);
        (void)remove(argv[1]);
        return EXIT_FAILURE;
}
