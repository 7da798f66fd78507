/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/cli_completion.h"
#include "base/cli_man.h"
#include "base/err.h"

struct options {
        int unused; /* offset 0 means "no set_offset" */
        const char *config;
        const char *output;
        const char *address;
        bool dry_run, config_set, verbosity_set, colour, color_set, sans_set;
        int verbosity;
        struct strv sans;
        struct strv skip;
};

#define AT(field) offsetof(struct options, field)

static int run_nothing(void *userdata, const struct strv *args)
{
        (void)userdata;
        (void)args;
        return 0;
}

static const struct cli_option global[] = {
        {.name = "config",
         .type = CLI_STRING,
         .offset = AT(config),
         .set_offset = AT(config_set),
         .arg = "FILE",
         .help = "configuration"},
        {.name = "v",
         .letter = 'v',
         .type = CLI_INT,
         .offset = AT(verbosity),
         .set_offset = AT(verbosity_set),
         .arg = "N",
         .min = 0,
         .max = 10,
         .help = "log level"},
        {.name = "dry-run", .letter = 'n', .type = CLI_FLAG, .offset = AT(dry_run), .help = "change nothing"},
        {.name = "colour",
         .letter = 'c',
         .type = CLI_FLAG,
         .offset = AT(colour),
         .set_offset = AT(color_set),
         .negatable = true,
         .help = "it's coloured"},
        {.name = "secret", .type = CLI_FLAG, .offset = AT(dry_run), .help = "not shown", .hidden = true},
        {0}};
static const struct cli_option control_plane_options[] = {{.name = "output",
                                                           .letter = 'o',
                                                           .type = CLI_STRING,
                                                           .offset = AT(output),
                                                           .choice = "text|yaml|json",
                                                           .help = "format"},
                                                          {0}};
static const struct cli_option apiserver_options[] = {
        {.name = "apiserver-cert-extra-sans",
         .type = CLI_LIST,
         .offset = AT(sans),
         .set_offset = AT(sans_set),
         .arg = "NAMES",
         .help = "more names"},
        {.name = "skip", .type = CLI_ARRAY, .offset = AT(skip), .arg = "X", .help = "leave out"},
        {0}};
static const struct cli_option other_options[] = {
        {.name = "address", .type = CLI_STRING, .offset = AT(address), .arg = "IP", .help = "address"},
        {.name = "directory", .type = CLI_STRING, .offset = AT(address), .arg = "DIR", .help = "place"},
        {.name = "container",
         .letter = 'c',
         .type = CLI_STRING,
         .offset = AT(address),
         .arg = "NAME",
         .help = "part",
         .complete = "completion containers"},
        {0}};
static const char *const apiserver_aliases[] = {"kube-apiserver", "api", NULL};
static const struct cli_verb control_plane_verbs[] = {
        {.name = "all", .help = "every one", .run = run_nothing},
        {.name = "apiserver",
         .help = "one",
         .run = run_nothing,
         .options = apiserver_options,
         .aliases = apiserver_aliases,
         .text = "Longer.\n\n.dotted - 'line \\ here"},
        {.name = "ghost", .help = "boo", .run = run_nothing, .hidden = true},
        {0}};
static const struct cli_verb verbs[] = {
        {.name = "control-plane", .help = "manifests", .options = control_plane_options, .verbs = control_plane_verbs},
        {.name = "completion", .help = "script", .usage = "SHELL", .min_args = 1, .max_args = 1, .run = run_nothing},
        {.name = "logs",
         .help = "logs",
         .usage = "POD [CONTAINER]",
         .min_args = 1,
         .max_args = -1,
         .run = run_nothing,
         .options = other_options},
        {.name = "check", .help = "files", .usage = "FILE|DIR...", .min_args = 1, .max_args = -1, .run = run_nothing},
        {.name = "pick", .help = "some", .usage = "[one|the-other]...", .max_args = -1, .run = run_nothing},
        {.name = "init", .help = "alias", .hidden = true, .verbs = control_plane_verbs},
        {0}};
static const struct cli_program program = {.name = "gen-phase",
                                           .version = "1.2",
                                           .help = "renders",
                                           .text = "First.\n\nSecond.",
                                           .options = global,
                                           .verbs = verbs};

struct result {
        struct options options;
        const struct cli_verb *verb;
        struct strv args;
        struct err err;
        int r;
};

static void parse(struct result *res, const char *line)
{
        struct strv words CLEANUP_STRV = STRV_INIT;
        static struct strv keep[32]; /* CLI_STRING points into argv */
        static size_t next;

        strv_split(&words, line, ' ');
        struct strv *argv = &keep[next++ % 32];
        strv_release(argv);
        strv_add(argv, "gen-phase");
        char *w;
        STRV_FOREACH (w, &words)
                if (*w || strstr(line, "''"))
                        strv_add(argv, strcmp(w, "''") == 0 ? "" : w);
        *res = (struct result){.options.verbosity = -1};
        res->r = cli_parse(&program, (int)argv->len, argv->items, &res->options, &res->verb, &res->args, &res->err);
}

static void release(struct result *res)
{
        strv_release(&res->options.sans);
        strv_release(&res->options.skip);
        strv_release(&res->args);
}

#define PARSE(name, line)                               \
        struct result name CLEANUP(release) = {.r = 0}; \
        parse(&name, line)

static void refuses(const char *line, const char *message)
{
        PARSE(a, line);
        assert_int_equal(a.r, -ERR_USAGE);
        assert_string_equal(a.err.msg, message);
}

static void test_flags_anywhere(void **state)
{
        (void)state;
        static const char *const lines[] = {
                "--config f control-plane apiserver --dry-run -v 5 -o yaml",
                "control-plane --config=f -n apiserver --v=5 --output=yaml",
                "control-plane -nv5 apiserver -oyaml --config f",
                "-o=yaml control-plane api --dry-run=true -v=5 --config=f",
                "--output yaml control-plane kube-apiserver --dry-run=T --v 5 --config g --config f",
        };
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                PARSE(a, lines[i]);
                assert_int_equal(a.r, CLI_RUN);
                assert_ptr_equal(a.verb, &control_plane_verbs[1]);
                assert_string_equal(a.options.config, "f");
                assert_string_equal(a.options.output, "yaml");
                assert_true(a.options.dry_run);
                assert_int_equal(a.options.verbosity, 5);
                assert_true(a.options.config_set && a.options.verbosity_set && !a.options.color_set);
        }
}

static void test_bools(void **state)
{
        (void)state;
        PARSE(a, "control-plane all --dry-run --dry-run=false --no-colour");
        assert_int_equal(a.r, CLI_RUN);
        assert_false(a.options.dry_run);
        assert_true(a.options.color_set);
        assert_false(a.options.colour);
        PARSE(b, "control-plane all --colour=0");
        assert_int_equal(b.r, CLI_RUN);
        assert_false(b.options.colour);
        refuses("control-plane all --dry-run=maybe",
                "invalid argument \"maybe\" for \"--dry-run\" flag: wants true or false");
        /* a flag takes no second word */
        refuses("control-plane all --dry-run false",
                "\"gen-phase control-plane all\" takes no arguments, got \"false\"");
        refuses("control-plane all --no-dry-run", "unknown flag: --no-dry-run; did you mean --dry-run?");
}

static void test_lists(void **state)
{
        (void)state;
        PARSE(a, "control-plane apiserver --apiserver-cert-extra-sans a,b --apiserver-cert-extra-sans=c "
                 "--skip x,y --skip z");
        struct strv sans CLEANUP_STRV = STRV_INIT, skip CLEANUP_STRV = STRV_INIT;
        strv_split(&sans, "a,b,c", ',');
        strv_split(&skip, "x,y z", ' ');
        assert_int_equal(a.r, CLI_RUN);
        assert_true(strv_equal(&a.options.sans, &sans));
        assert_true(strv_equal(&a.options.skip, &skip));
        PARSE(b, "control-plane apiserver --apiserver-cert-extra-sans \"a,b\",\"c\"\"d\",,");
        assert_int_equal(b.r, CLI_RUN);
        assert_int_equal(b.options.sans.len, 4);
        assert_string_equal(b.options.sans.items[0], "a,b");
        assert_string_equal(b.options.sans.items[1], "c\"d");
        assert_string_equal(b.options.sans.items[3], "");
        PARSE(c, "control-plane apiserver --apiserver-cert-extra-sans=");
        assert_int_equal(c.r, CLI_RUN);
        assert_int_equal(c.options.sans.len, 0);
        assert_true(c.options.sans_set);
        refuses("control-plane apiserver --apiserver-cert-extra-sans a\"b",
                "invalid argument \"a\\\"b\" for \"--apiserver-cert-extra-sans\" flag: parse error on line 1, column "
                "2: "
                "bare \" in non-quoted-field");
        refuses("control-plane apiserver --apiserver-cert-extra-sans \"ab",
                "invalid argument \"\\\"ab\" for \"--apiserver-cert-extra-sans\" flag: parse error on line 1, column "
                "4: "
                "extraneous or missing \" in quoted-field");
        refuses("control-plane apiserver --apiserver-cert-extra-sans x,\"a\"b",
                "invalid argument \"x,\\\"a\\\"b\" for \"--apiserver-cert-extra-sans\" flag: parse error on line 1, "
                "column 5: "
                "extraneous or missing \" in quoted-field");
}

static void test_positional(void **state)
{
        (void)state;
        PARSE(a, "logs pod -v 3 c -- -x --config");
        assert_int_equal(a.r, CLI_RUN);
        assert_int_equal(a.args.len, 4);
        assert_string_equal(a.args.items[3], "--config");
        PARSE(b, "logs - completion");
        assert_int_equal(b.args.len, 2);
        assert_string_equal(b.args.items[0], "-");
        refuses("completion", "\"gen-phase completion\" wants SHELL, got 0 arguments");
        refuses("completion a b", "\"gen-phase completion\" wants SHELL, got 2 arguments");
        refuses("control-plane all x", "\"gen-phase control-plane all\" takes no arguments, got \"x\"");
        /* values come first */
        refuses("control-plane all --dry-run=maybe x",
                "invalid argument \"maybe\" for \"--dry-run\" flag: wants true or false");
}

static void test_errors(void **state)
{
        (void)state;
        refuses("contol-plane", "unknown command \"contol-plane\" for \"gen-phase\"; did you mean \"control-plane\"?");
        refuses("control-plane apserver",
                "unknown command \"apserver\" for \"gen-phase control-plane\"; did you mean \"apiserver\"?");
        refuses("control-plane zzz", "unknown command \"zzz\" for \"gen-phase control-plane\"");
        refuses("control-plane all --confg f", "unknown flag: --confg; did you mean --config?");
        refuses("control-plane all --zzz=1", "unknown flag: --zzz");
        refuses("control-plane all -x", "unknown shorthand flag: 'x' in -x");
        refuses("control-plane all --config", "flag needs an argument: --config");
        refuses("control-plane all -nv", "flag needs an argument: 'v' in -v");
        refuses("control-plane all -v x", "invalid argument \"x\" for \"--v\" flag: wants a number");
        refuses("control-plane all -v 11", "invalid argument \"11\" for \"--v\" flag: wants 0 to 10");
        /* An equals sign with nothing behind it is a value, or a letter. */
        refuses("control-plane all -v=", "invalid argument \"=\" for \"--v\" flag: wants a number");
        refuses("control-plane all -n=", "unknown shorthand flag: '=' in -=");
        refuses("control-plane all -v a\\", "invalid argument \"a\\\\\" for \"--v\" flag: wants a number");
        refuses("control-plane all -v ''", "invalid argument \"\" for \"--v\" flag: wants a number");
        refuses("control-plane all -o xml", "invalid argument \"xml\" for \"--output\" flag: wants one of "
                                            "text|yaml|json");
        refuses("control-plane all -o ''", "invalid argument \"\" for \"--output\" flag: wants one of text|yaml|json");
        refuses("control-plane all --address 1", "unknown flag: --address");
        refuses("--address 1 control-plane all", "unknown flag: --address (\"gen-phase control-plane all\" does not "
                                                 "take it)");
        refuses("control-plane all --skip a", "unknown flag: --skip");
}

/* The leftmost of several. */
static void test_order_of_errors(void **state)
{
        static const char *const value = "invalid argument \"x\" for \"--v\" flag: wants a number";

        (void)state;
        refuses("control-plane all -v x -y", value);
        refuses("control-plane all -v x --yyy", value);
        refuses("control-plane all -v x --config", value);
        refuses("control-plane all -v x -v y --yyy", value);
        refuses("control-plane -v x apserver", value);
        refuses("control-plane all -v x --help", value);
        refuses("control-plane all --help -v x", value);
        refuses("control-plane all a -v x", value);
        refuses("control-plane all -y -v x", "unknown shorthand flag: 'y' in -y");
        refuses("control-plane all --config f -yv x", "unknown shorthand flag: 'y' in -yv");
        refuses("control-plane all --yyy -v x", "unknown flag: --yyy");
        refuses("--address 1 control-plane all -v x",
                "unknown flag: --address (\"gen-phase control-plane all\" does not "
                "take it)");
        refuses("--address 1 -v x -y", value);
        refuses("-v x zzz", "unknown command \"zzz\" for \"gen-phase\"");
        /* What stands in front of it was read. */
        PARSE(a, "control-plane apiserver --config f --skip a -y --skip b");
        assert_int_equal(a.r, -ERR_USAGE);
        assert_ptr_equal(a.verb, &control_plane_verbs[1]);
        assert_string_equal(a.options.config, "f");
        assert_int_equal(a.options.skip.len, 1);
        PARSE(b, "logs p -v 5 -- -y --config");
        assert_int_equal(b.r, CLI_RUN);
        assert_int_equal(b.args.len, 3);
}

static void test_any_choice(void **state)
{
        static const struct cli_option options[] = {{.name = "output",
                                                     .type = CLI_STRING,
                                                     .offset = AT(output),
                                                     .choice = "text|yaml",
                                                     .any_choice = true,
                                                     .help = "format"},
                                                    {0}};
        const struct cli_program open_program = {.name = "open", .help = "one", .options = options, .verbs = verbs};
        static char words[5][16] = {"open", "completion", "bash", "--output", "xml"};
        char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
        struct strv args CLEANUP_STRV = STRV_INIT;
        struct options values = {0};
        const struct cli_verb *verb;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(cli_parse(&open_program, 5, argv, &values, &verb, &args, &err), CLI_RUN);
        assert_string_equal(values.output, "xml");
}

static void test_outcomes(void **state)
{
        (void)state;
        PARSE(a, "");
        assert_int_equal(a.r, CLI_NO_CHILD);
        assert_null(a.verb);
        PARSE(b, "control-plane");
        assert_int_equal(b.r, CLI_NO_CHILD);
        assert_ptr_equal(b.verb, &verbs[0]);
        static const char *const asking[] = {"control-plane all --help", "control-plane all -h",
                                             "help control-plane all",   "--help control-plane all",
                                             "control-plane -nh all",    "init all --help"};
        for (size_t i = 0; i < ARRAY_SIZE(asking); i++) {
                PARSE(c, asking[i]);
                assert_int_equal(c.r, CLI_HELP);
                assert_ptr_equal(c.verb, &control_plane_verbs[0]);
        }
        PARSE(d, "help");
        assert_int_equal(d.r, CLI_HELP);
        assert_null(d.verb);
        PARSE(e, "init all");
        assert_int_equal(e.r, CLI_RUN);
        assert_ptr_equal(e.verb, &control_plane_verbs[0]);
}

static void test_given(void **state)
{
        (void)state;
        struct strv names CLEANUP_STRV = STRV_INIT;
        PARSE(a, "control-plane apiserver -v 3 --apiserver-cert-extra-sans x --config f --skip z");
        cli_given(&program, a.verb, &a.options, &names);
        char *joined CLEANUP_FREE = strv_join(&names, " ");
        assert_string_equal(joined, "apiserver-cert-extra-sans config v");
}

static void test_help(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(65536);
        cli_help(&program, &control_plane_verbs[1], &b);
        assert_string_equal(buf_str(&b), "one\n\nLonger.\n\n.dotted - 'line \\ here\n\nUsage:\n"
                                         "  gen-phase control-plane apiserver [OPTION...]\n\n"
                                         "Also called: kube-apiserver api\n\nOptions:\n"
                                         "      --apiserver-cert-extra-sans NAMES   more names\n"
                                         "      --skip X                            leave out\n\nOptions:\n"
                                         "  -o, --output text|yaml|json   format\n\nGlobal options:\n"
                                         "      --config FILE   configuration\n"
                                         "  -v N                log level\n"
                                         "  -n, --dry-run       change nothing\n"
                                         "  -c, --colour        it's coloured\n");
        buf_clear(&b);
        cli_help(&program, NULL, &b);
        assert_non_null(strstr(buf_str(&b), "  control-plane   manifests\n"));
        assert_non_null(strstr(buf_str(&b), "Use \"gen-phase COMMAND --help\""));
        assert_null(strstr(buf_str(&b), "init"));
        assert_null(strstr(buf_str(&b), "secret"));
}

static void test_man(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(65536);
        cli_man(&program, &b);
        const char *s = buf_str(&b);
        assert_true(strncmp(s, ".TH \"GEN-PHASE\" 8 \"\" \"gen-phase 1.2\"\n.SH NAME\n", 40) == 0);
        assert_non_null(strstr(s, ".SS \\fBgen\\-phase control\\-plane apiserver\\fR\n"));
        assert_non_null(strstr(s, "\n\\&.dotted \\- 'line \\e here\n"));
        assert_non_null(strstr(s, "First.\n.PP\nSecond.\n"));
        assert_null(strstr(s, "ghost"));
        assert_null(strstr(s, "secret"));
        assert_null(strstr(s, "\n\n"));
        assert_non_null(strstr(s, "\n.SH OPTIONS\nOptions that every command takes:\n.TP\n"));
}

/* No heading without anything below it. */
static void test_man_without_options(void **state)
{
        (void)state;
        static const struct cli_program plain = {
                .name = "p", .version = "1", .help = "h", .verbs = control_plane_verbs};
        struct buf b CLEANUP_BUF = BUF_INIT(65536);

        cli_man(&plain, &b);
        assert_null(strstr(buf_str(&b), "OPTIONS"));
}

/* Runs the bash script on a line and says what it offers. */
static void completes(const char *line, const char *expected)
{
        struct buf b CLEANUP_BUF = BUF_INIT(65536);
        char got[1024];

        assert_int_equal(cli_completion(&program, "bash", &b, NULL), 0);
        char *command CLEANUP_FREE =
                xasprintf("bash -c '. <(cat <&3); COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); "
                          "compopt() { :; }; gen-phase() { printf \"%%s\\n\" \"$@\"; }; _gen_phase; echo "
                          "\"${COMPREPLY[*]}\"' 3<<'SCRIPT'\n%s\nSCRIPT\n",
                          line, buf_str(&b));
        FILE *f = popen(command, "re");
        assert_non_null(f);
        size_t n = fread(got, 1, sizeof(got) - 1, f);
        got[n] = '\0';
        assert_int_equal(pclose(f), 0);
        if (n > 0 && got[n - 1] == '\n')
                got[n - 1] = '\0';
        assert_string_equal(got, expected);
}

static void test_completion(void **state)
{
        (void)state;
        struct buf b CLEANUP_BUF = BUF_INIT(65536);
        struct err err = ERR_INIT;

        completes("gen-phase \"\"", "control-plane completion logs check pick");
        completes("gen-phase co", "control-plane completion");
        completes("gen-phase --config x control-plane \"\"", "all apiserver");
        completes("gen-phase control-plane api --s", "--skip");
        completes("gen-phase control-plane all --", "--help --output --config --dry-run --colour");
        completes("gen-phase control-plane all -o \"\"", "text yaml json");
        completes("gen-phase control-plane all --output = y", "yaml");
        completes("gen-phase logs --directory /pro", "/proc");
        completes("gen-phase check /pro", "/proc");
        completes("gen-phase check x --h", "--help");
        completes("gen-phase pick \"\"", "one the-other");
        completes("gen-phase pick one t", "the-other");
        /* The program itself is asked, with the line so far (it is a stand-in here that says its arguments). */
        completes("gen-phase logs etcd --container \"\"", "completion containers -- gen-phase logs etcd --container");
        completes("gen-phase logs etcd -c et", "etcd et");
        for (size_t i = 0; i < 2; i++) {
                buf_clear(&b);
                assert_int_equal(cli_completion(&program, i ? "zsh" : "fish", &b, &err), 0);
                assert_non_null(strstr(buf_str(&b), i ? "it'\\''s coloured" : "it\\'s coloured"));
                assert_null(strstr(buf_str(&b), "ghost"));
                assert_non_null(strstr(buf_str(&b), i ? "|| { _files; return; }\n"
                                                      : "            __fish_complete_path $cur | string"));
                assert_non_null(strstr(buf_str(&b),
                                       i ? "verbs=( one the-other )" : "string split ' ' -- 'one the-other' | string"));
                assert_non_null(
                        strstr(buf_str(&b), i ? "$(gen-phase completion containers -- \"${words[@]}\" 2>/dev/null)"
                                              : "gen-phase completion containers -- $words 2>/dev/null | string"));
        }
        assert_int_equal(cli_completion(&program, "tcsh", &b, &err), -ERR_USAGE);
        assert_string_equal(err.msg, "no completion for shell \"tcsh\": wants bash, zsh or fish");
}

/* A verb that keeps its options to itself: those below it do not take them. */
static void test_own_options(void **state)
{
        static const struct cli_verb below[] = {{.name = "phase", .help = "one", .run = run_nothing}, {0}};
        static const struct cli_verb tree[] = {{.name = "init",
                                                .help = "all",
                                                .run = run_nothing,
                                                .options = control_plane_options,
                                                .verbs = below,
                                                .own_options = true},
                                               {0}};
        static const struct cli_program own = {
                .name = "p", .version = "1", .help = "h", .options = global, .verbs = tree};
        struct strv with CLEANUP_STRV = STRV_INIT, under CLEANUP_STRV = STRV_INIT;
        struct options options = {0};
        struct strv args CLEANUP_STRV = STRV_INIT;
        const struct cli_verb *verb = NULL;
        struct err err = ERR_INIT;

        (void)state;
        strv_split(&with, "p init --output yaml", ' ');
        strv_split(&under, "p init phase --output yaml", ' ');
        assert_int_equal(cli_parse(&own, 4, with.items, &options, &verb, &args, &err), CLI_RUN);
        assert_ptr_equal(verb, &tree[0]);
        assert_string_equal(options.output, "yaml");
        assert_int_equal(cli_parse(&own, 5, under.items, &options, &verb, &args, &err), -ERR_USAGE);
        assert_non_null(strstr(err.msg, "unknown flag: --output"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_flags_anywhere),
                cmocka_unit_test(test_bools),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_positional),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_order_of_errors),
                cmocka_unit_test(test_any_choice),
                cmocka_unit_test(test_outcomes),
                cmocka_unit_test(test_given),
                cmocka_unit_test(test_help),
                cmocka_unit_test(test_man),
                cmocka_unit_test(test_man_without_options),
                cmocka_unit_test(test_completion),
                cmocka_unit_test(test_own_options),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
