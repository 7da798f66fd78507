/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/cli_completion.h"
#include "base/err.h"
#include "base/str.h"

/* Each script has the same parts: the words so far give a path of verbs ("genphase control-plane"), the word before
 * the cursor may be an option that takes a value, and each path has its list of words. */
struct shell {
        const char *name;
        const char *files, *directories;         /* completes the value of an option to paths */
        const char *words_begin, *words_end;     /* around a list of plain words */
        const char *command_begin, *command_end; /* around a command that prints words, one a line */
        const char *option_begin, *option_end;   /* around one option's value case */
        const char *quote;                       /* ' inside of '...' */
        void (*write)(const struct shell *shell, const struct cli_program *program, const char *function,
                      struct buf *out);
};

typedef void (*visit_fn)(const struct shell *shell, const struct cli_program *program, const struct cli_path *path,
                         struct buf *out);

static const struct cli_verb *children(const struct cli_program *program, const struct cli_path *path)
{
        return path->depth ? path->verbs[path->depth - 1]->verbs : program->verbs;
}

static void visit_below(const struct shell *shell, const struct cli_program *program, struct cli_path *path,
                        visit_fn fn, struct buf *out)
{
        fn(shell, program, path, out);
        for (const struct cli_verb *v = children(program, path); v && v->name && path->depth < CLI_DEPTH_MAX; v++) {
                if (v->hidden)
                        continue;
                path->verbs[path->depth++] = v;
                visit_below(shell, program, path, fn, out);
                path->depth--;
        }
}

static void visit(const struct shell *shell, const struct cli_program *program, visit_fn fn, struct buf *out)
{
        struct cli_path path = {0};

        visit_below(shell, program, &path, fn, out);
}

static void add_quoted(const struct shell *shell, const char *s, struct buf *out)
{
        buf_addch(out, '\'');
        for (; *s; s++) {
                if (*s == '\'')
                        buf_addstr(out, shell->quote);
                else if (*s == '\\' && str_eq(shell->name, "fish"))
                        buf_addstr(out, "\\\\");
                else
                        buf_addch(out, *s);
        }
        buf_addch(out, '\'');
}

/* The cases that lead from a path and a word to the longer path. */
static void add_step(const struct shell *shell, const struct cli_program *program, const struct cli_path *path,
                     struct buf *out)
{
        struct buf above CLEANUP_BUF = BUF_INIT(4096);
        struct cli_path parent = *path;

        if (path->depth == 0)
                return;
        const struct cli_verb *last = path->verbs[--parent.depth];
        bool fish = str_eq(shell->name, "fish");
        cli_path_text(program, &parent, &above);
        buf_addf(out, "        %s\"%s %s\"", fish ? "case " : "", buf_str(&above), last->name);
        for (const char *const *a = last->aliases; a && *a; a++)
                buf_addf(out, "%s\"%s %s\"", fish ? " " : "|", buf_str(&above), *a);
        buf_addf(out, fish ? "\n            set at \"%s %s\"\n" : ") at=\"%s %s\" ;;\n", buf_str(&above), last->name);
}

static void add_choices(const char *choice, struct buf *out)
{
        for (; *choice; choice++)
                buf_addch(out, *choice == '|' ? ' ' : *choice);
}

/* What completes the value of option o, as a command of the shell. */
static void add_value_command(const struct shell *shell, const struct cli_program *program, const struct cli_option *o,
                              struct buf *out)
{
        if (o->complete) {
                buf_addf(out, "%s%s %s -- %s", shell->command_begin, program->name, o->complete, shell->command_end);
        } else if (o->choice) {
                buf_addstr(out, shell->words_begin);
                add_choices(o->choice, out);
                buf_addstr(out, shell->words_end);
        } else if (str_eq(o->arg, "DIR")) {
                buf_addstr(out, shell->directories);
        } else if (str_eq(o->arg, "FILE")) {
                buf_addstr(out, shell->files);
        }
}

static void add_values(const struct shell *shell, const struct cli_program *program, const struct cli_path *path,
                       struct buf *out)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        struct buf here CLEANUP_BUF = BUF_INIT(4096);
        size_t n = cli_path_tables(program, path, tables);

        cli_path_text(program, path, &here);
        for (size_t i = 0; i < n; i++) {
                for (const struct cli_option *o = tables[i]; o->name; o++) {
                        if (o->type == CLI_FLAG || o->hidden)
                                continue;
                        buf_addf(out, "    %s\"%s --%s\"", shell->option_begin, buf_str(&here), o->name);
                        if (o->letter)
                                buf_addf(out, "%s\"%s -%c\"", str_eq(shell->name, "fish") ? " " : "|", buf_str(&here),
                                         o->letter);
                        buf_addstr(out, str_eq(shell->name, "fish") ? "\n        " : ") ");
                        add_value_command(shell, program, o, out);
                        buf_addstr(out, shell->option_end);
                }
        }
}

/* The command that prints the words for the arguments of the verb at path, NULL without. */
static const char *words_command(const struct cli_path *path)
{
        return path->depth ? path->verbs[path->depth - 1]->complete : NULL;
}

/* How the arguments of the verb at path are shown, "" for none. */
static const char *usage(const struct cli_path *path)
{
        const struct cli_verb *verb = path->depth ? path->verbs[path->depth - 1] : NULL;

        return verb && verb->usage ? verb->usage : "";
}

static bool takes_files(const struct cli_path *path)
{
        return strstr(usage(path), "FILE") != NULL;
}

/* Whether its usage names the words that it takes: those in upper case stand for others. */
static bool takes_choices(const struct cli_path *path)
{
        const char *s = usage(path);

        return strchr(s, '|') && strcspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(s);
}

/* The words of a usage such as "[all|one]...". */
static void add_usage_choices(const struct cli_path *path, struct buf *out)
{
        char *words CLEANUP_FREE = xstrdup(usage(path) + strspn(usage(path), "["));

        words[strcspn(words, "].")] = '\0';
        add_choices(words, out);
}

static void add_bash_words(const struct shell *shell, const struct cli_program *program, const struct cli_path *path,
                           struct buf *out)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        size_t n = cli_path_tables(program, path, tables);

        buf_addstr(out, "    \"");
        cli_path_text(program, path, out);
        buf_addstr(out, "\") ");
        if (takes_files(path))
                buf_addf(out, "[[ $cur == -* ]] || { %s return; }; ", shell->files);
        buf_addstr(out, "words=\"");
        for (const struct cli_verb *v = children(program, path); v && v->name; v++)
                if (!v->hidden)
                        buf_addf(out, " %s", v->name);
        if (words_command(path))
                buf_addf(out, " $(%s %s 2>/dev/null)", program->name, words_command(path));
        if (takes_choices(path))
                add_usage_choices(path, out);
        buf_addstr(out, "\" options=\"--help");
        for (size_t i = 0; i < n; i++)
                for (const struct cli_option *o = tables[i]; o->name; o++)
                        if (!o->hidden)
                                buf_addf(out, strlen(o->name) > 1 ? " --%s" : " -%s", o->name);
        buf_addstr(out, "\" ;;\n");
}

static void write_bash(const struct shell *shell, const struct cli_program *program, const char *function,
                       struct buf *out)
{
        buf_addf(out, "# bash completion for %s\n%s()\n{\n", program->name, function);
        buf_addf(out,
                 "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" at=\"%s\" "
                 "words=\"\" i\n"
                 "    COMPREPLY=()\n"
                 "    # --name=value comes as three words\n"
                 "    if [[ $cur == \"=\" ]]; then\n        cur=\"\"\n"
                 "    elif [[ $prev == \"=\" && COMP_CWORD -gt 2 ]]; then\n"
                 "        prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n    fi\n"
                 "    for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"$at ${COMP_WORDS[i]}\" in\n",
                 program->name);
        visit(shell, program, add_step, out);
        buf_addstr(out, "        esac\n    done\n    case \"$at $prev\" in\n");
        visit(shell, program, add_values, out);
        buf_addstr(out, "    esac\n    case \"$at\" in\n");
        visit(shell, program, add_bash_words, out);
        buf_addf(out,
                 "    esac\n    [[ $cur == -* || -z $words ]] && words=$options\n"
                 "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\ncomplete -F %s %s\n",
                 function, program->name);
}

static void add_zsh_words(const struct shell *shell, const struct cli_program *program, const struct cli_path *path,
                          struct buf *out)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        size_t n = cli_path_tables(program, path, tables);

        buf_addstr(out, "    \"");
        cli_path_text(program, path, out);
        buf_addstr(out, "\")\n");
        if (takes_files(path))
                buf_addf(out, "        [[ ${words[CURRENT]} == -* ]] || { %s return; }\n", shell->files);
        buf_addstr(out, "        verbs=(");
        for (const struct cli_verb *v = children(program, path); v && v->name; v++) {
                char *row CLEANUP_FREE = xasprintf("%s:%s", v->name, v->help ? v->help : "");
                if (v->hidden)
                        continue;
                buf_addch(out, ' ');
                add_quoted(shell, row, out);
        }
        if (words_command(path))
                buf_addf(out, " ${(f)\"$(%s %s 2>/dev/null)\"}", program->name, words_command(path));
        if (takes_choices(path)) {
                buf_addch(out, ' ');
                add_usage_choices(path, out);
        }
        buf_addstr(out, " )\n        options=( '--help:show help'");
        for (size_t i = 0; i < n; i++) {
                for (const struct cli_option *o = tables[i]; o->name; o++) {
                        char *row CLEANUP_FREE =
                                xasprintf("%s%s:%s", strlen(o->name) > 1 ? "--" : "-", o->name, o->help ? o->help : "");
                        if (o->hidden)
                                continue;
                        buf_addch(out, ' ');
                        add_quoted(shell, row, out);
                }
        }
        buf_addstr(out, " ) ;;\n");
}

static void write_zsh(const struct shell *shell, const struct cli_program *program, const char *function,
                      struct buf *out)
{
        buf_addf(out, "#compdef %s\n# zsh completion for %s\n%s()\n{\n", program->name, program->name, function);
        buf_addf(out,
                 "    local at=\"%s\" prev=\"${words[CURRENT-1]}\" of=\"\" i\n    local -a verbs options\n"
                 "    if compset -P 1 '--*='; then\n        of=\"${words[CURRENT]%%%%=*}\" prev=\"$of\"\n    fi\n"
                 "    for ((i = 2; i < CURRENT; i++)); do\n        case \"$at ${words[i]}\" in\n",
                 program->name);
        visit(shell, program, add_step, out);
        buf_addstr(out, "        esac\n    done\n    case \"$at $prev\" in\n");
        visit(shell, program, add_values, out);
        buf_addstr(out, "    esac\n    [[ -z $of ]] || return 1\n    case \"$at\" in\n");
        visit(shell, program, add_zsh_words, out);
        buf_addf(out,
                 "    esac\n    if [[ ${words[CURRENT]} == -* || ${#verbs} -eq 0 ]]; then\n"
                 "        _describe -o option options\n    else\n        _describe command verbs\n    fi\n}\n"
                 "if [[ $funcstack[1] == %s ]]; then\n    %s \"$@\"\nelse\n    compdef %s %s\nfi\n",
                 function, function, function, program->name);
}

static void add_fish_words(const struct shell *shell, const struct cli_program *program, const struct cli_path *path,
                           struct buf *out)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        size_t n = cli_path_tables(program, path, tables);

        buf_addstr(out, "    case \"");
        cli_path_text(program, path, out);
        buf_addstr(out, "\"\n        if not string match -q -- '-*' $cur\n");
        for (const struct cli_verb *v = children(program, path); v && v->name; v++) {
                if (v->hidden)
                        continue;
                buf_addf(out, "            printf '%%s\\t%%s\\n' %s ", v->name);
                add_quoted(shell, v->help ? v->help : "", out);
                buf_addch(out, '\n');
        }
        if (words_command(path))
                buf_addf(out, "            %s %s 2>/dev/null\n", program->name, words_command(path));
        if (takes_files(path))
                buf_addf(out, "            %s\n", shell->files);
        if (takes_choices(path)) {
                buf_addf(out, "            %s", shell->words_begin);
                add_usage_choices(path, out);
                buf_addf(out, "%s\n", shell->words_end);
        }
        buf_addstr(out, "        end\n        printf '%s\\t%s\\n' --help 'show help'\n");
        for (size_t i = 0; i < n; i++) {
                for (const struct cli_option *o = tables[i]; o->name; o++) {
                        if (o->hidden)
                                continue;
                        buf_addf(out, "        printf '%%s\\t%%s\\n' %s%s ", strlen(o->name) > 1 ? "--" : "-", o->name);
                        add_quoted(shell, o->help ? o->help : "", out);
                        buf_addch(out, '\n');
                }
        }
}

static void write_fish(const struct shell *shell, const struct cli_program *program, const char *function,
                       struct buf *out)
{
        buf_addf(out, "# fish completion for %s\nfunction %s\n", program->name, function);
        buf_addf(out,
                 "    set -l words (commandline -opc)\n    set -l cur (commandline -ct)\n    set -l at %s\n"
                 "    set -l prev $words[-1]\n    set -l of ''\n"
                 "    if string match -q -- '--*=*' $cur\n        set -l parts (string split -m 1 = -- $cur)\n"
                 "        set prev $parts[1]\n        set of $prev=\n        set cur $parts[2]\n    end\n"
                 "    for word in $words[2..-1]\n        switch \"$at $word\"\n",
                 program->name);
        visit(shell, program, add_step, out);
        buf_addstr(out, "        end\n    end\n    switch \"$at $prev\"\n");
        visit(shell, program, add_values, out);
        buf_addstr(out, "    end\n    test -z $of; or return\n    switch $at\n");
        visit(shell, program, add_fish_words, out);
        buf_addf(out, "    end\nend\ncomplete -c %s -f -a '(%s)'\n", program->name, function);
}

/* A value behind --name= is completed with what stands before it. */
#define FISH_OF_OPTION " | string replace -r -- '^' $of;"

static const struct shell shells[] = {
        {.name = "bash",
         .files = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\");",
         .directories = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\");",
         .words_begin = "mapfile -t COMPREPLY < <(compgen -W \"",
         .words_end = "\" -- \"$cur\");",
         .command_begin = "mapfile -t COMPREPLY < <(compgen -W \"$(",
         .command_end = "\"${COMP_WORDS[@]}\" 2>/dev/null)\" -- \"$cur\");",
         .option_begin = "",
         .option_end = " return ;;\n",
         .quote = "'\\''",
         .write = write_bash},
        {.name = "zsh",
         .files = "_files;",
         .directories = "_files -/;",
         .words_begin = "compadd -- ",
         .words_end = ";",
         .command_begin = "compadd -- ${(f)\"$(",
         .command_end = "\"${words[@]}\" 2>/dev/null)\"};",
         .option_begin = "",
         .option_end = " return ;;\n",
         .quote = "'\\''",
         .write = write_zsh},
        {.name = "fish",
         .files = "__fish_complete_path $cur" FISH_OF_OPTION,
         .directories = "__fish_complete_directories $cur" FISH_OF_OPTION,
         .words_begin = "string split ' ' -- '",
         .words_end = "'" FISH_OF_OPTION,
         .command_begin = "",
         .command_end = "$words 2>/dev/null" FISH_OF_OPTION,
         .option_begin = "case ",
         .option_end = " return\n",
         .quote = "\\'",
         .write = write_fish},
};

int cli_completion(const struct cli_program *program, const char *shell, struct buf *out, struct err *err)
{
        char *function CLEANUP_FREE = xasprintf("_%s", program->name);

        for (char *c = function; *c; c++)
                if (!isalnum((unsigned char)*c))
                        *c = '_';
        for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
                if (str_eq(shells[i].name, shell)) {
                        shells[i].write(&shells[i], program, function, out);
                        return 0;
                }
        }
        return err_set(err, ERR_USAGE, "no completion for shell \"%s\": wants bash, zsh or fish", shell);
}
