/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/colour.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "phase/problems.h"

static void release(struct config_problem *problem)
{
        free(problem->text);
        free(problem->near);
}

void config_problems_release(struct config_problems *problems)
{
        for (size_t i = 0; i < problems->count; i++)
                release(&problems->items[i]);
        free(problems->items);
        *problems = (struct config_problems){0};
}

static void add(struct config_problems *problems, const struct value_place *place, bool warning, const char *fmt,
                va_list ap)
{
        char *text;

        if (problems->count >= LIMIT_CONFIG_PROBLEMS) {
                problems->dropped++;
                problems->errors += !warning;
                return;
        }
        if (vasprintf(&text, fmt, ap) < 0)
                abort();
        problems->items = xrealloc(problems->items, problems->count + 1, sizeof(*problems->items));
        problems->items[problems->count++] = (struct config_problem){
                .place = place ? *place : (struct value_place){0},
                .text = text,
                .warning = warning,
        };
        problems->errors += !warning;
}

void config_problem_error(struct config_problems *problems, const struct value_place *place, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add(problems, place, false, fmt, ap);
        va_end(ap);
}

void config_problem_warning(struct config_problems *problems, const struct value_place *place, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add(problems, place, true, fmt, ap);
        va_end(ap);
}

void config_problem_say(struct config_problems *problems)
{
        if (problems->count > 0)
                problems->items[problems->count - 1].said = true;
}

void config_problem_suggest(struct config_problems *problems, const char *word, const char *const *candidates,
                            size_t count)
{
        struct config_problem *last = problems->count > 0 ? &problems->items[problems->count - 1] : NULL;
        const char *near = str_did_you_mean(word, candidates, count);

        if (last && near && !str_eq(near, word) && !last->near && !problems->dropped)
                last->near = xstrdup(near);
}

void config_problem_suggest_of(struct config_problems *problems, const char *word, const struct value *list)
{
        struct strv words CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count; i++)
                strv_add(&words, value_string(list->list.items[i], ""));
        config_problem_suggest(problems, word, (const char *const *)words.items, words.len);
}

/* "networking.podSubnet: Invalid value: ..." and "networking.podSubnet: expected a string" are of one field. */
static bool same_field(const struct config_problem *a, const struct config_problem *b)
{
        size_t len = strcspn(a->text, ":");

        if (a->place.file && a->place.file == b->place.file && a->place.line && a->place.line == b->place.line &&
            a->place.column == b->place.column)
                return true;
        return a->text[len] && strncmp(a->text, b->text, len + 1) == 0;
}

void config_problems_drop_repeated(struct config_problems *problems, size_t from)
{
        size_t kept = from;

        for (size_t i = from; i < problems->count; i++) {
                struct config_problem *p = &problems->items[i];
                bool repeated = false;

                for (size_t k = 0; k < from && !repeated; k++)
                        repeated = !problems->items[k].warning && same_field(&problems->items[k], p);
                if (repeated) {
                        problems->errors -= !p->warning;
                        release(p);
                } else {
                        problems->items[kept++] = *p;
                }
        }
        problems->count = kept < problems->count ? kept : problems->count;
}

static void print_place(const struct value_place *place, FILE *out)
{
        if (place->file && place->line)
                (void)fprintf(out, "%s:%u:%u: ", place->file, place->line, place->column);
        else if (place->file)
                (void)fprintf(out, "%s: ", place->file);
        else if (place->origin)
                (void)fprintf(out, "%s: ", place->origin);
}

void config_problems_print(const struct config_problems *problems, bool warnings, FILE *out)
{
        for (size_t i = 0; i < problems->count; i++) {
                const struct config_problem *p = &problems->items[i];

                if ((p->warning && !warnings) || p->said)
                        continue;
                print_place(&p->place, out);
                if (p->warning)
                        (void)fprintf(out, "%swarning: %s", colour_begin(out, COLOUR_WARNING), colour_end(out));
                (void)fprintf(out, "%s%s%s%s\n", p->text, p->near ? " (did you mean \"" : "", p->near ? p->near : "",
                              p->near ? "\"?)" : "");
        }
        if (problems->dropped)
                (void)fprintf(out, "and %zu more\n", problems->dropped);
}

static bool seen_before(const struct config_problems *problems, size_t at)
{
        for (size_t i = 0; i < at; i++)
                if (!problems->items[i].warning && strcmp(problems->items[i].text, problems->items[at].text) == 0)
                        return true;
        return false;
}

int config_problems_aggregate(const struct config_problems *problems, struct err *err)
{
        struct buf all CLEANUP_BUF = BUF_INIT(sizeof(err->msg) * 4);
        size_t distinct = 0;

        if (problems->errors == 0)
                return 0;
        for (size_t i = 0; i < problems->count; i++) {
                if (problems->items[i].warning || seen_before(problems, i))
                        continue;
                if (distinct++ > 0)
                        buf_addstr(&all, ", ");
                buf_addstr(&all, problems->items[i].text);
        }
        return err_set(err, ERR_INVALID, distinct > 1 ? "[%s]" : "%s", buf_str(&all));
}
