/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/str.h"

/* One option as it stands on the command line. It is looked up twice: while verbs are still being read (does it take
 * the next word?) and again, by name, when the verb is known. */
struct given {
        const char *name; /* long name from its row */
        const char *value;
        const char *shown; /* what the user wrote, for messages */
        bool negated;
};

struct parser {
        const struct cli_program *program;
        struct cli_path path;
        struct given *given;
        size_t count;
        struct strv *args;
        bool help;
};

static void *target(void *userdata, size_t offset)
{
        return (char *)userdata + offset;
}

static const struct cli_verb *children(const struct cli_program *program, const struct cli_path *path)
{
        return path->depth ? path->verbs[path->depth - 1]->verbs : program->verbs;
}

static bool verb_is_called(const struct cli_verb *verb, const char *word)
{
        if (str_eq(verb->name, word))
                return true;
        for (const char *const *a = verb->aliases; a && *a; a++)
                if (str_eq(*a, word))
                        return true;
        return false;
}

static const struct cli_verb *verb_find(const struct cli_verb *verbs, const char *word)
{
        for (const struct cli_verb *v = verbs; v && v->name; v++)
                if (verb_is_called(v, word))
                        return v;
        return NULL;
}

size_t cli_path_tables(const struct cli_program *program, const struct cli_path *path,
                       const struct cli_option *ret_tables[CLI_DEPTH_MAX + 1])
{
        size_t n = 0;

        for (size_t i = path->depth + 1; i-- > 0;) {
                const struct cli_option *table = i ? path->verbs[i - 1]->options : program->options;
                if (i > 0 && i < path->depth && path->verbs[i - 1]->own_options)
                        table = NULL;
                bool seen = !table;
                for (size_t j = 0; j < n; j++)
                        seen = seen || ret_tables[j] == table;
                if (!seen)
                        ret_tables[n++] = table;
        }
        return n;
}

static bool table_find(const struct cli_option *table, const char *name, size_t len, char letter,
                       const struct cli_option **ret)
{
        for (const struct cli_option *o = table; o && o->name; o++) {
                if (letter ? o->letter == letter : (strlen(o->name) == len && memcmp(o->name, name, len) == 0)) {
                        *ret = o;
                        return true;
                }
        }
        return false;
}

static bool below_find(const struct cli_verb *verbs, const char *name, size_t len, char letter, unsigned depth,
                       const struct cli_option **ret)
{
        for (const struct cli_verb *v = verbs; v && v->name && depth < CLI_DEPTH_MAX; v++)
                if (table_find(v->options, name, len, letter, ret) ||
                    below_find(v->verbs, name, len, letter, depth + 1, ret))
                        return true;
        return false;
}

/* Looks on the path first; `below`: then in the verbs that may still follow. */
static const struct cli_option *option_find(const struct parser *p, const char *name, size_t len, char letter,
                                            bool below)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1], *found = NULL;
        size_t n = cli_path_tables(p->program, &p->path, tables);

        for (size_t i = 0; i < n; i++)
                if (table_find(tables[i], name, len, letter, &found))
                        return found;
        if (below)
                (void)below_find(children(p->program, &p->path), name, len, letter, 0, &found);
        return found;
}

static int unknown_flag(const struct parser *p, const char *name, size_t len, struct err *err)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        size_t n = cli_path_tables(p->program, &p->path, tables), count = 0;
        const char *names[256];
        char *word CLEANUP_FREE = xstrndup(name, len);

        for (size_t i = 0; i < n; i++)
                for (const struct cli_option *o = tables[i]; o->name && count < ARRAY_SIZE(names); o++)
                        if (!o->hidden)
                                names[count++] = o->name;
        const char *near = str_did_you_mean(word, names, count);
        return err_set(err, ERR_USAGE, near ? "unknown flag: --%s; did you mean --%s?" : "unknown flag: --%s", word,
                       near);
}

static int unknown_verb(const struct parser *p, const char *word, struct err *err)
{
        struct buf path CLEANUP_BUF = BUF_INIT(4096);
        const char *names[256];
        size_t count = 0;

        cli_path_text(p->program, &p->path, &path);
        for (const struct cli_verb *v = children(p->program, &p->path); v && v->name; v++)
                if (!v->hidden && count < ARRAY_SIZE(names))
                        names[count++] = v->name;
        const char *near = str_did_you_mean(word, names, count);
        if (near)
                return err_set(err, ERR_USAGE, "unknown command \"%s\" for \"%s\"; did you mean \"%s\"?", word,
                               buf_str(&path), near);
        return err_set(err, ERR_USAGE, "unknown command \"%s\" for \"%s\"", word, buf_str(&path));
}

static void add_given(struct parser *p, const struct cli_option *o, const char *shown, const char *value, bool negated)
{
        p->given[p->count++] = (struct given){.name = o->name, .value = value, .shown = shown, .negated = negated};
}

/* `next` is the word behind, or NULL. Returns how many words were used up, or a negative error. */
static int read_long(struct parser *p, const char *word, const char *next, struct err *err)
{
        const char *name = word + 2, *equals = strchr(name, '=');
        size_t len = equals ? (size_t)(equals - name) : strlen(name);
        const struct cli_option *o = option_find(p, name, len, 0, true);

        if (o && (o->type == CLI_FLAG || equals)) {
                add_given(p, o, word, equals ? equals + 1 : NULL, false);
                return 1;
        }
        if (o) {
                if (!next)
                        return err_set(err, ERR_USAGE, "flag needs an argument: --%s", o->name);
                add_given(p, o, word, next, false);
                return 2;
        }
        if (len > 3 && strncmp(name, "no-", 3) == 0 && !equals) {
                o = option_find(p, name + 3, len - 3, 0, true);
                if (o && o->type == CLI_FLAG && o->negatable) {
                        add_given(p, o, word, NULL, true);
                        return 1;
                }
        }
        if (len == 4 && strncmp(name, "help", 4) == 0) {
                p->help = true;
                return 1;
        }
        return unknown_flag(p, name, len, err);
}

/* A cluster of letters; messages show what is left of it. */
static int read_short(struct parser *p, const char *word, const char *next, struct err *err)
{
        for (const char *c = word + 1; *c; c++) {
                const struct cli_option *o = option_find(p, NULL, 0, *c, true);
                if (!o && *c == 'h') {
                        p->help = true;
                        continue;
                }
                if (!o)
                        return err_set(err, ERR_USAGE, "unknown shorthand flag: '%c' in -%s", *c, c);
                bool equals = c[1] == '=' && c[2];
                if (o->type == CLI_FLAG && !equals) {
                        add_given(p, o, word, NULL, false);
                        continue;
                }
                if (c[1]) {
                        add_given(p, o, word, equals ? c + 2 : c + 1, false);
                        return 1;
                }
                if (!next)
                        return err_set(err, ERR_USAGE, "flag needs an argument: '%c' in -%s", *c, c);
                add_given(p, o, word, next, false);
                return 2;
        }
        return 1;
}

static int read_word(struct parser *p, const char *word, struct err *err)
{
        const struct cli_verb *verbs = children(p->program, &p->path);
        const struct cli_verb *v = p->args->len == 0 ? verb_find(verbs, word) : NULL;

        if (v && p->path.depth < CLI_DEPTH_MAX) {
                p->path.verbs[p->path.depth++] = v;
                return 0;
        }
        if (p->path.depth == 0 && p->args->len == 0 && str_eq(word, "help")) {
                p->help = true;
                return 0;
        }
        const struct cli_verb *last = p->path.depth ? p->path.verbs[p->path.depth - 1] : NULL;
        if (!last || !last->run || (verbs && last->max_args == 0))
                return unknown_verb(p, word, err);
        strv_add(p->args, word);
        return 0;
}

static int read_words(struct parser *p, int argc, char **argv, struct err *err)
{
        bool ended = false;

        for (int i = 1; i < argc;) {
                const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
                bool plain = ended || word[0] != '-' || !word[1];
                int r = 1;
                if (plain)
                        r = read_word(p, word, err);
                else if (str_eq(word, "--"))
                        ended = true;
                else
                        r = word[1] == '-' ? read_long(p, word, next, err) : read_short(p, word, next, err);
                /* Which of the program's verbs it is comes before everything else. */
                if (r < 0 && plain && p->path.depth == 0)
                        p->count = 0;
                if (r < 0)
                        return r;
                i += r > 0 ? r : 1;
        }
        return 0;
}

static __attribute__((format(printf, 4, 5))) int bad_value(const struct cli_option *o, const struct given *g,
                                                           struct err *err, const char *fmt, ...)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(SIZE_MAX / 4);
        struct err why = ERR_INIT;
        va_list ap;

        go_quote(g->value, &quoted);
        va_start(ap, fmt);
        (void)err_setv(&why, ERR_USAGE, fmt, ap);
        va_end(ap);
        return err_set(err, ERR_USAGE, "invalid argument %s for \"--%s\" flag: %s", buf_str(&quoted), o->name, why.msg);
}

static bool choice_has(const char *choice, const char *value)
{
        size_t len = strlen(value);

        for (const char *p = choice; *p;) {
                const char *end = strchrnul(p, '|');
                if ((size_t)(end - p) == len && memcmp(p, value, len) == 0)
                        return true;
                p = *end ? end + 1 : end;
        }
        return false;
}

static int check_choices(const struct cli_option *o, const struct given *g, const struct strv *values, struct err *err)
{
        char *value;

        if (!o->choice || o->any_choice)
                return 0;
        STRV_FOREACH (value, values)
                if (!choice_has(o->choice, value))
                        return bad_value(o, g, err, "wants one of %s", o->choice);
        return 0;
}

/* The words that Go's strconv.ParseBool takes. */
static int parse_bool(const struct cli_option *o, const struct given *g, bool *ret, struct err *err)
{
        static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
        static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                if (!g->value || str_eq(g->value, yes[i]) || str_eq(g->value, no[i])) {
                        *ret = g->value ? str_eq(g->value, yes[i]) : !g->negated;
                        return 0;
                }
        }
        return bad_value(o, g, err, "wants true or false");
}

static int parse_int(const struct cli_option *o, const struct given *g, int *ret, struct err *err)
{
        bool any = o->min == 0 && o->max == 0;
        int min = any ? INT_MIN : o->min, max = any ? INT_MAX : o->max;
        int r = str_to_int(g->value, min, max, ret);

        if (r == -ERANGE)
                return bad_value(o, g, err, "wants %d to %d", min, max);
        return r < 0 ? bad_value(o, g, err, "wants a number") : 0;
}

static int bad_list(const struct cli_option *o, const struct given *g, const char *at, const char *why, struct err *err)
{
        return bad_value(o, g, err, "parse error on line 1, column %zu: %s", (size_t)(at - g->value) + 1, why);
}

/* One CSV record, as pflag reads string slices: fields with a comma stand in double quotes, "" in them is one quote. */
static int parse_list(const struct cli_option *o, const struct given *g, struct strv *ret, struct err *err)
{
        const char *s = g->value;

        while (*s || (ret->len > 0 && s[-1] == ',')) {
                struct buf field CLEANUP_BUF = BUF_INIT(SIZE_MAX / 4);
                bool quoted = *s == '"';
                s += quoted;
                for (; *s && (quoted || *s != ','); s++) {
                        if (quoted && *s == '"' && s[1] != '"')
                                break;
                        if (!quoted && *s == '"')
                                return bad_list(o, g, s, "bare \" in non-quoted-field", err);
                        s += quoted && *s == '"';
                        buf_addch(&field, *s);
                }
                if (quoted && (*s != '"' || (s[1] && s[1] != ',')))
                        return bad_list(o, g, s, "extraneous or missing \" in quoted-field", err);
                s += quoted;
                strv_add(ret, buf_str(&field));
                if (!*s)
                        break;
                s++;
        }
        return 0;
}

static int store_strings(const struct cli_option *o, const struct given *g, void *userdata, struct err *err)
{
        struct strv values CLEANUP_STRV = STRV_INIT;
        int r = 0;

        if (o->type == CLI_LIST)
                r = parse_list(o, g, &values, err);
        else
                strv_add(&values, g->value);
        if (r == 0)
                r = check_choices(o, g, &values, err);
        if (r < 0)
                return r;
        if (o->type == CLI_STRING)
                *(const char **)target(userdata, o->offset) = g->value;
        else
                strv_copy(target(userdata, o->offset), &values);
        return 0;
}

static int store(const struct cli_option *o, const struct given *g, void *userdata, struct err *err)
{
        bool b = false;
        int n = 0, r = 0;

        switch (o->type) {
        case CLI_FLAG:
                r = parse_bool(o, g, &b, err);
                if (r == 0)
                        *(bool *)target(userdata, o->offset) = b;
                break;
        case CLI_INT:
                r = parse_int(o, g, &n, err);
                if (r == 0)
                        *(int *)target(userdata, o->offset) = n;
                break;
        case CLI_STRING:
        case CLI_LIST:
        case CLI_ARRAY:
                r = store_strings(o, g, userdata, err);
                break;
        case CLI_TYPE_MAX:
                r = -ERR_USAGE;
                break;
        }
        if (r == 0 && o->set_offset)
                *(bool *)target(userdata, o->set_offset) = true;
        return r;
}

/* The option for the verb that was found in the end; where a mistake ended the reading it may have been still to come.
 */
static int find_given(const struct parser *p, const struct given *g, bool below, const struct cli_option **ret,
                      struct err *err)
{
        struct buf path CLEANUP_BUF = BUF_INIT(4096);

        *ret = option_find(p, g->name, strlen(g->name), 0, below);
        if (*ret)
                return 0;
        cli_path_text(p->program, &p->path, &path);
        return err_set(err, ERR_USAGE, "unknown flag: --%s (\"%s\" does not take it)", g->name, buf_str(&path));
}

static int check_args(const struct parser *p, const struct cli_verb *verb, struct err *err)
{
        struct buf path CLEANUP_BUF = BUF_INIT(4096);
        size_t n = p->args->len;

        if (n >= (size_t)verb->min_args && (verb->max_args < 0 || n <= (size_t)verb->max_args))
                return 0;
        cli_path_text(p->program, &p->path, &path);
        if (verb->max_args == 0 && n > 0)
                return err_set(err, ERR_USAGE, "\"%s\" takes no arguments, got \"%s\"", buf_str(&path),
                               p->args->items[0]);
        return err_set(err, ERR_USAGE, "\"%s\" wants %s, got %zu argument%s", buf_str(&path),
                       verb->usage ? verb->usage : "other arguments", n, n == 1 ? "" : "s");
}

static void note_seen(const struct parser *p, const struct given *g, void *userdata)
{
        struct cli_seen *seen = target(userdata, p->program->seen_offset);

        if (!p->program->seen_offset)
                return;
        strv_add(&seen->names, g->name);
        strv_add(&seen->words, g->shown);
        strv_add(&seen->values, g->value ? g->value : "");
}

static int store_given(const struct parser *p, bool below, void *userdata, struct err *err)
{
        const struct cli_option *o;
        int r = 0;

        for (size_t i = 0; i < p->count && r == 0; i++) {
                r = find_given(p, &p->given[i], below, &o, err);
                if (r == 0)
                        r = store(o, &p->given[i], userdata, err);
                if (r == 0)
                        note_seen(p, &p->given[i], userdata);
        }
        return r;
}

int cli_parse(const struct cli_program *program, int argc, char **argv, void *userdata,
              const struct cli_verb **ret_verb, struct strv *ret_args, struct err *err)
{
        struct strv args CLEANUP_STRV = STRV_INIT;
        struct err mistake = ERR_INIT;
        size_t letters = 1;

        for (int i = 1; i < argc; i++)
                letters += strlen(argv[i]) + 1;
        /* A cluster of short options holds at most one option a letter. */
        struct given *given CLEANUP_FREE = xcalloc(letters, sizeof(*given));
        struct parser p = {.program = program, .given = given, .args = &args};
        int read = read_words(&p, argc, argv, &mistake);
        const struct cli_verb *verb = p.path.depth ? p.path.verbs[p.path.depth - 1] : NULL;
        *ret_verb = verb;
        int r = store_given(&p, read < 0, userdata, err);
        if (r < 0)
                return r;
        if (read < 0)
                return err_set(err, mistake.code, "%s", mistake.msg);
        if (p.help)
                return CLI_HELP;
        strv_copy(ret_args, &args);
        if (!verb || !verb->run)
                return CLI_NO_CHILD;
        r = check_args(&p, verb, err);
        return r < 0 ? r : CLI_RUN;
}

void cli_given(const struct cli_program *program, const struct cli_verb *verb, const void *userdata,
               struct strv *ret_names)
{
        const struct cli_option *tables[CLI_DEPTH_MAX + 1];
        struct cli_path path = {0};

        if (verb && !cli_path_find(program, verb, &path))
                return;
        size_t n = cli_path_tables(program, &path, tables);
        for (size_t i = 0; i < n; i++)
                for (const struct cli_option *o = tables[i]; o->name; o++)
                        if (o->set_offset && *((const bool *)userdata + o->set_offset) &&
                            !strv_contains(ret_names, o->name))
                                strv_add(ret_names, o->name);
        strv_sort(ret_names);
}

static bool path_search(const struct cli_verb *verbs, const struct cli_verb *wanted, bool hidden, struct cli_path *path)
{
        for (const struct cli_verb *v = verbs; v && v->name && path->depth < CLI_DEPTH_MAX; v++) {
                if (v->hidden && !hidden)
                        continue;
                path->verbs[path->depth++] = v;
                if (v == wanted || path_search(v->verbs, wanted, hidden, path))
                        return true;
                path->depth--;
        }
        return false;
}

bool cli_path_find(const struct cli_program *program, const struct cli_verb *verb, struct cli_path *ret_path)
{
        struct cli_path path = {0};

        if (!path_search(program->verbs, verb, false, &path) && !path_search(program->verbs, verb, true, &path))
                return false;
        *ret_path = path;
        return true;
}

void cli_path_text(const struct cli_program *program, const struct cli_path *path, struct buf *out)
{
        buf_addstr(out, program->name);
        for (size_t i = 0; i < path->depth; i++)
                buf_addf(out, " %s", path->verbs[i]->name);
}
