/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/cli.h"
#include "base/cli_man.h"

/* Text that roff shows as it stands; an empty line starts a paragraph. */
static void add_text(struct buf *out, const char *s)
{
        bool line_start = true;

        for (; *s; s++) {
                if (line_start && *s == '\n') {
                        buf_addstr(out, ".PP\n");
                        continue;
                }
                if (line_start && (*s == '.' || *s == '\''))
                        buf_addstr(out, "\\&");
                if (*s == '\\')
                        buf_addstr(out, "\\e");
                else if (*s == '-')
                        buf_addstr(out, "\\-");
                else
                        buf_addch(out, *s);
                line_start = *s == '\n';
        }
        if (!line_start)
                buf_addch(out, '\n');
}

static void add_bold(struct buf *out, const char *s)
{
        buf_addstr(out, "\\fB");
        for (; *s; s++)
                buf_addf(out, *s == '-' ? "\\-" : (*s == '\\' ? "\\e" : "%c"), *s);
        buf_addstr(out, "\\fR");
}

static bool any_shown(const struct cli_option *table)
{
        for (const struct cli_option *o = table; o && o->name; o++)
                if (!o->hidden)
                        return true;
        return false;
}

static void add_options(const struct cli_option *table, struct buf *out)
{
        for (const struct cli_option *o = table; o && o->name; o++) {
                if (o->hidden)
                        continue;
                buf_addstr(out, ".TP\n");
                if (o->letter)
                        buf_addf(out, "\\fB\\-%c\\fR%s", o->letter, strlen(o->name) > 1 ? ", " : "");
                if (!o->letter || strlen(o->name) > 1) {
                        buf_addstr(out, "\\fB\\-\\-\\fR");
                        add_bold(out, o->name);
                }
                if (o->type != CLI_FLAG)
                        buf_addf(out, " \\fI%s\\fR", o->choice ? o->choice : (o->arg ? o->arg : "VALUE"));
                buf_addch(out, '\n');
                add_text(out, o->help ? o->help : "");
        }
}

static void add_verb(const struct cli_program *program, const struct cli_verb *verb, struct buf *out)
{
        struct buf words CLEANUP_BUF = BUF_INIT(4096);
        struct cli_path path = {0};

        if (verb->hidden || !cli_path_find(program, verb, &path))
                return;
        cli_path_text(program, &path, &words);
        buf_addstr(out, ".SS ");
        add_bold(out, buf_str(&words));
        if (verb->usage)
                buf_addf(out, " \\fI%s\\fR", verb->usage);
        buf_addch(out, '\n');
        add_text(out, verb->help ? verb->help : "");
        if (verb->text) {
                buf_addstr(out, ".PP\n");
                add_text(out, verb->text);
        }
        add_options(verb->options, out);
        for (const struct cli_verb *v = verb->verbs; v && v->name; v++)
                add_verb(program, v, out);
}

void cli_man(const struct cli_program *program, struct buf *out)
{
        buf_addstr(out, ".TH \"");
        for (const char *c = program->name; *c; c++)
                buf_addch(out, (char)toupper((unsigned char)*c));
        buf_addf(out, "\" 8 \"\" \"%s %s\"\n.SH NAME\n%s \\- ", program->name, program->version, program->name);
        add_text(out, program->help);
        buf_addstr(out, ".SH SYNOPSIS\n");
        add_bold(out, program->name);
        buf_addstr(out, " \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n");
        if (program->text) {
                buf_addstr(out, ".SH DESCRIPTION\n");
                add_text(out, program->text);
        }
        if (any_shown(program->options)) {
                buf_addstr(out, ".SH OPTIONS\nOptions that every command takes:\n");
                add_options(program->options, out);
        }
        buf_addstr(out, ".SH COMMANDS\n");
        for (const struct cli_verb *v = program->verbs; v && v->name; v++)
                add_verb(program, v, out);
}
