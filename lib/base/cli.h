#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines from tables. A program is a tree of verbs; each verb has a table of options; parsing, help, completion
 * (cli_completion.h) and man pages (cli_man.h) all come from the same rows. Long options as `--name value` or
 * `--name=value`, flags also as `--name=true|false`, short as `-o v`, `-ov` or `-o=v`; `--` ends them. Options may
 * stand before or behind verbs and positional arguments. A verb takes its own options, those of the verbs above it and
 * the program's. An option given twice appends where its row says CLI_LIST or CLI_ARRAY, else the last one wins.
 * --help, -h and `help VERB...` are there without a row. Of several mistakes the leftmost one is told, as by pflag.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/strv.h"

struct buf;
struct err;

/* Verbs nest at most this deep (genphase init phase control-plane all is 4). */
#define CLI_DEPTH_MAX 8

enum cli_type {
        CLI_FLAG,   /* bool; --name, --name=true|false, and --no-name where the row says negatable */
        CLI_STRING, /* const char * (points into argv) */
        CLI_INT,    /* int */
        CLI_LIST,   /* struct strv; comma-separated values are split as kubeadm's string slices are ("" adds nothing,
                     * "a,b" in double quotes is one value) */
        CLI_ARRAY,  /* struct strv; repeated, never split */
        CLI_TYPE_MAX
};

struct cli_option {
        const char *name; /* long name without the dashes */
        char letter;      /* short form, 0 for none */
        enum cli_type type;
        size_t offset;      /* of the target in the struct given to cli_parse */
        const char *arg;    /* what the value is called in help, upper case; NULL for flags. FILE and DIR complete
                             * to paths */
        const char *help;   /* one line */
        const char *choice; /* allowed values separated by '|', NULL for any */
        size_t set_offset;  /* of a bool that says "was given", 0 for none (offset 0 is never one) */
        int min, max;       /* CLI_INT: the range taken; both 0: any */
        bool negatable;     /* CLI_FLAG: --no-NAME is taken as well */
        bool hidden;
        bool any_choice;      /* other values than those of `choice` are taken: the verb refuses them */
        const char *complete; /* command of this program that prints the words for the value, one a line: completion
                               * runs it with the words of the command line behind it (after --). NULL: no words */
};

struct cli_verb {
        const char *name;
        const char *help;                                    /* one line */
        const char *usage;                                   /* positional arguments as shown, NULL for none: completion
                                                              * takes FILE for paths, and a|b for these words */
        int min_args, max_args;                              /* positional arguments; max -1: any number */
        const struct cli_option *options;                    /* ends with a zero row; NULL for none */
        const struct cli_verb *verbs;                        /* sub-verbs, ends with a zero row; NULL for none */
        int (*run)(void *userdata, const struct strv *args); /* exit code; NULL: only a parent of verbs */
        const char *text;           /* longer description for --help and the man page; may be NULL */
        const char *const *aliases; /* NULL-terminated; may be NULL */
        bool hidden;
        const char *complete; /* command of this program that prints the words for the positional arguments, one a line;
                               * completion runs it. NULL: no words */
        bool own_options;     /* `options` are not taken by the verbs below */
        int trouble;          /* exit code where the command line is wrong or what the verb prints cannot be written,
                               * for the program to use; 0: the usual one */
};

/* The options of a command line in their order: the long name of each, the word as it was written ("--name=value",
 * "-ovalue") and the value, "" for a flag without one. */
struct cli_seen {
        struct strv names, words, values;
};

struct cli_program {
        const char *name;
        const char *version;
        const char *help;                 /* one line */
        const char *text;                 /* longer description, paragraphs separated by an empty line; may be NULL */
        const struct cli_option *options; /* global: accepted everywhere */
        const struct cli_verb *verbs;
        size_t seen_offset; /* of a struct cli_seen in userdata, which its owner releases; 0: none */
};

enum cli_outcome {
        CLI_RUN = 0,      /* run *ret_verb */
        CLI_HELP = 1,     /* help was asked for *ret_verb (NULL: the program) */
        CLI_NO_CHILD = 2, /* *ret_verb (NULL: the program) only groups verbs and none was given: print its help */
};

/* Parses argv into userdata by the tables. *ret_verb is the verb to run, ret_args its positional arguments.
 * A value of enum cli_outcome, or -ERR_USAGE: the message says what is wrong and suggests the nearest name. Words are
 * looked at from left to right; values come before what is wrong with the arguments, the program's verbs before values.
 * With -ERR_USAGE *ret_verb is the verb as far as it was read (NULL: the program), and userdata has what stands before
 * the mistake: a program that checks option values itself can tell their mistake instead. */
int cli_parse(const struct cli_program *program, int argc, char **argv, void *userdata,
              const struct cli_verb **ret_verb, struct strv *ret_args, struct err *err);

/* Adds the long names of the options that were given, in bytewise order: of those that verb takes and that have a
 * set_offset. */
void cli_given(const struct cli_program *program, const struct cli_verb *verb, const void *userdata,
               struct strv *ret_names);

/* Help for a verb (NULL: the whole program) as text. */
void cli_help(const struct cli_program *program, const struct cli_verb *verb, struct buf *out);

/* For the writers of help, completion and man pages. */

/* The words that lead to a verb, without the program's name: path->verbs[depth - 1] is the verb itself. */
struct cli_path {
        const struct cli_verb *verbs[CLI_DEPTH_MAX];
        size_t depth;
};

/* Finds verb in the tree; a way without hidden verbs is preferred. False where it is not there. */
bool cli_path_find(const struct cli_program *program, const struct cli_verb *verb, struct cli_path *ret_path);
/* "genphase control-plane all" */
void cli_path_text(const struct cli_program *program, const struct cli_path *path, struct buf *out);
/* The tables which count at path, innermost first and the program's last, each once: fills at most CLI_DEPTH_MAX + 1
 * and returns how many. */
size_t cli_path_tables(const struct cli_program *program, const struct cli_path *path,
                       const struct cli_option *ret_tables[CLI_DEPTH_MAX + 1]);
