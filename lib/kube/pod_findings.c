/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/str.h"
#include "kube/pod.h"

void pod_findings_release(struct pod_findings *findings)
{
        for (size_t i = 0; i < findings->count; i++)
                free(findings->items[i].text);
        free(findings->items);
        *findings = (struct pod_findings){0};
}

__attribute__((format(printf, 1, 0))) static char *bounded_text(const char *fmt, va_list ap)
{
        char text[LIMIT_FINDING_BYTES];
        int n = vsnprintf(text, sizeof text, fmt, ap);

        if (n >= (int)sizeof text) {
                size_t end = utf8_valid_prefix(text, sizeof text - sizeof "...");

                memcpy(text + end, "...", sizeof "...");
        }
        return xstrdup(text);
}

void pod_findings_add(struct pod_findings *findings, bool fatal, const char *fmt, ...)
{
        va_list ap;
        char *text;

        va_start(ap, fmt);
        text = bounded_text(fmt, ap);
        va_end(ap);
        if (findings->count < LIMIT_FINDINGS) {
                findings->items = xrealloc(findings->items, findings->count + 1, sizeof(*findings->items));
                findings->items[findings->count++] = (struct pod_finding){.fatal = fatal, .text = text};
                return;
        }
        /* Full: only that the pod cannot run must still be said. */
        struct pod_finding *last = &findings->items[LIMIT_FINDINGS - 1];

        if (fatal && !last->fatal) {
                char *old = last->text;

                *last = (struct pod_finding){.fatal = true, .text = text};
                text = old;
        }
        free(text);
}
