/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/printer.h"

#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"

int printer_format(const char *output, const char **ret_format, struct err *err)
{
        static const char *const objects[] = {"json", "yaml"};
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        if (!output || str_eq(output, "text")) {
                *ret_format = "text";
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
                if (strcasecmp(output, objects[i]) == 0) {
                        *ret_format = objects[i];
                        return 0;
                }
        }
        go_quote(output, &quoted);
        return err_set(
                err, ERR_USAGE,
                "could not construct output printer: unable to match a printer suitable for the output format %s, "
                "allowed formats are: json,text,yaml",
                buf_str(&quoted));
}
