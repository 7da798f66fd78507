/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/cli.h"
#include "base/str.h"

/* "-o, --output yaml|json" */
static void add_left(const struct cli_option *o, struct buf *out)
{
        if (o->letter && strlen(o->name) > 1)
                buf_addf(out, "-%c, --%s", o->letter, o->name);
        else if (o->letter)
                buf_addf(out, "-%c", o->letter);
        else
                buf_addf(out, "    --%s", o->name);
        if (o->type != CLI_FLAG)
                buf_addf(out, " %s", o->choice ? o->choice : (o->arg ? o->arg : "VALUE"));
}

static size_t left_width(const struct cli_option *o)
{
        struct buf b CLEANUP_BUF = BUF_INIT(1024);

        add_left(o, &b);
        return b.len;
}

static void add_options(const char *title, const struct cli_option *table, struct buf *out)
{
        size_t width = 0;

        for (const struct cli_option *o = table; o && o->name; o++)
                if (!o->hidden && left_width(o) > width)
                        width = left_width(o);
        if (width == 0)
                return;
        buf_addf(out, "\n%s:\n", title);
        for (const struct cli_option *o = table; o->name; o++) {
                if (o->hidden)
                        continue;
                buf_addstr(out, "  ");
                add_left(o, out);
                buf_addf(out, "%*s%s\n", (int)(width - left_width(o) + 3), "", o->help ? o->help : "");
        }
}

static void add_verbs(const struct cli_verb *verbs, struct buf *out)
{
        size_t width = 0;

        for (const struct cli_verb *v = verbs; v && v->name; v++)
                if (!v->hidden && strlen(v->name) > width)
                        width = strlen(v->name);
        if (width == 0)
                return;
        buf_addstr(out, "\nCommands:\n");
        for (const struct cli_verb *v = verbs; v->name; v++)
                if (!v->hidden)
                        buf_addf(out, "  %-*s   %s\n", (int)width, v->name, v->help ? v->help : "");
}

static void add_aliases(const struct cli_verb *verb, struct buf *out)
{
        if (!verb || !verb->aliases || !verb->aliases[0])
                return;
        buf_addstr(out, "\nAlso called:");
        for (const char *const *a = verb->aliases; *a; a++)
                buf_addf(out, " %s", *a);
        buf_addch(out, '\n');
}

static void add_usage(const struct cli_program *program, const struct cli_path *path, const struct cli_verb *verb,
                      struct buf *out)
{
        const struct cli_verb *verbs = verb ? verb->verbs : program->verbs;

        buf_addstr(out, "\nUsage:\n");
        if (!verb || verbs) {
                buf_addstr(out, "  ");
                cli_path_text(program, path, out);
                buf_addstr(out, " COMMAND [OPTION...]\n");
        }
        if (verb && verb->run) {
                buf_addstr(out, "  ");
                cli_path_text(program, path, out);
                buf_addf(out, "%s%s [OPTION...]\n", verb->usage ? " " : "", verb->usage ? verb->usage : "");
        }
}

void cli_help(const struct cli_program *program, const struct cli_verb *verb, struct buf *out)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        struct cli_path path = {0};
        const char *line = verb ? verb->help : program->help, *text = verb ? verb->text : program->text;

        if (verb)
                (void)cli_path_find(program, verb, &path);
        buf_addf(out, "%s\n", line ? line : "");
        if (text)
                buf_addf(out, "\n%s\n", text);
        add_usage(program, &path, verb, out);
        add_aliases(verb, out);
        add_verbs(verb ? verb->verbs : program->verbs, out);
        size_t n = cli_path_tables(program, &path, tables);
        for (size_t i = 0; i < n; i++)
                add_options(verb && tables[i] == program->options ? "Global options" : "Options", tables[i], out);
        if (!verb || verb->verbs) {
                buf_addstr(out, "\nUse \"");
                cli_path_text(program, &path, out);
                buf_addstr(out, " COMMAND --help\" for more about a command.\n");
        }
}
