/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/colour.h"
#include "base/err.h"
#include "base/str.h"
#include "genphase.h"
#include "phase/external_ca_check.h"
#include "phase/host_facts.h"
#include "pki.h"

#define HELP_MAX (256 * 1024)

int genphase_fail(const struct err *err, int code)
{
        (void)fprintf(stderr, "%serror: %s%s\n", colour_begin(stderr, COLOUR_ERROR), colour_end(stderr), err->msg);
        return code;
}

int genphase_run_named(struct genphase *g, const char *doing, int (*fn)(struct phase *phase, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        int r = phase_open(&g->options, &phase, &err);
        if (r < 0 && doing && err.code != ERR_USAGE) {
                (void)err_wrap(&err, "%s", doing);
                return genphase_fail(&err, 1);
        }
        if (r < 0)
                return genphase_fail(&err, phase->exit_code);
        r = fn(phase, &err);
        return r < 0 ? genphase_fail(&err, phase->exit_code) : 0;
}

int genphase_run(struct genphase *g, int (*fn)(struct phase *phase, struct err *err))
{
        return genphase_run_named(g, NULL, fn);
}

/* Opens the phase with its log held back. */
static int open_quietly(struct genphase *g, struct phase **ret, char **ret_log, struct err *err)
{
        FILE *log = g->options.log;
        size_t len;

        g->options.log = open_memstream(ret_log, &len);
        if (!g->options.log) {
                g->options.log = log;
                return err_set_errno(err, ENOMEM, "cannot open the phase");
        }
        int r = phase_open(&g->options, ret, err);
        (void)fclose(g->options.log);
        g->options.log = log;
        if (*ret)
                (*ret)->options.log = log;
        return r;
}

int genphase_run_init(struct genphase *g, int (*fn)(struct phase *phase, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        char *log CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        int r = open_quietly(g, &phase, &log, &err);
        bool external_ca = r == 0 && external_ca_possible(phase);
        /* What is replaced by another program has said nothing yet. */
        if (log && !(external_ca && !pki_is_here))
                (void)fputs(log, g->options.log);
        if (r < 0)
                return genphase_fail(&err, phase ? phase->exit_code : 1);
        if (external_ca)
                r = pki_external_ca(g, phase, &err);
        if (r == 0)
                r = fn(phase, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

static int print_help(const struct cli_verb *verb, int code)
{
        struct buf out CLEANUP_BUF = BUF_INIT(HELP_MAX);

        cli_help(&genphase_program, verb, &out);
        (void)fputs(buf_str(&out), code ? stderr : stdout);
        return code;
}

/* The words of the verb, without the program's and those of `init phase`. */
static void name_command(struct genphase *g, const struct cli_verb *verb)
{
        struct buf text CLEANUP_BUF = BUF_INIT(sizeof(g->command) - 1);
        struct cli_path path;

        if (!cli_path_find(&genphase_program, verb, &path))
                return;
        cli_path_text(&genphase_program, &path, &text);
        const char *words = str_after(buf_str(&text), "genphase ");
        (void)snprintf(g->command, sizeof(g->command), "%s", words ? words : "");
        g->options.command = g->command;
}

static int finish(struct genphase *g, struct err *err)
{
        if (g->verbosity)
                (void)str_to_int(g->verbosity, INT_MIN, INT_MAX, &g->options.verbosity); /* phase_check_options */
        if (g->facts_file) {
                int r = host_facts_load(g->facts_file, &g->facts, err);
                if (r < 0)
                        return r;
                g->options.host = host_facts_host(g->facts);
        }
        g->options.ignored_checks = &g->reset.ignored;
        g->options.strict = g->strict_given && g->strict;
        g->options.lenient = g->strict_given && !g->strict;
        return 0;
}

/* cli_parse, and what kubeadm refuses of the options that it read: those stand before the mistake that ended it, and
 * come before help. */
static int read_command_line(struct genphase *g, int argc, char **argv, const struct cli_verb **ret_verb,
                             struct strv *ret_args, struct err *err)
{
        struct err mistake = ERR_INIT;
        int r = cli_parse(&genphase_program, argc, argv, g, ret_verb, ret_args, err);

        name_command(g, *ret_verb);
        g->options.seen = &g->seen;
        if (g->seen.names.len == 0 || phase_check_options(&g->options, &mistake) == 0)
                return r;
        *err = mistake;
        return -mistake.code;
}

/* What a mistake that is not the verb's own ends with. */
static int trouble_of(const struct cli_verb *verb)
{
        return verb && verb->trouble ? verb->trouble : 1;
}

int main(int argc, char **argv)
{
        struct genphase g = {.options = {.out = stdout, .log = stderr}};
        struct strv args CLEANUP_STRV = STRV_INIT;
        const struct cli_verb *verb = NULL;
        struct err err = ERR_INIT;
        int code;

        g.options.flags = &g.flags;
        g.argv = argv;
        int r = read_command_line(&g, argc, argv, &verb, &args, &err);
        if (r == CLI_RUN)
                r = finish(&g, &err);
        if (r < 0)
                code = genphase_fail(&err, trouble_of(verb));
        else if (r == CLI_RUN)
                code = (g.verb = verb)->run(&g, &args);
        else
                code = print_help(verb, r == CLI_HELP ? 0 : 1);
        strv_release(&g.flags.apiserver_cert_extra_sans);
        strv_release(&g.flags.apiserver_extra_args);
        strv_release(&g.flags.controller_manager_extra_args);
        strv_release(&g.flags.scheduler_extra_args);
        strv_release(&g.kubeconfig_user.organizations);
        strv_release(&g.reset.ignored);
        strv_release(&g.seen.names);
        strv_release(&g.seen.words);
        strv_release(&g.seen.values);
        strv_release(&g.reset.skipped);
        strv_release(&g.component_configs);
        strv_release(&g.online.token_usages);
        strv_release(&g.online.token_groups);
        host_facts_free(g.facts);
        bool succeeded = code == 0 || (verb && verb->trouble && code != verb->trouble);
        if (fflush(stdout) != 0 && succeeded) {
                (void)err_set_errno(&err, errno, "standard output");
                code = genphase_fail(&err, trouble_of(verb));
        }
        return code;
}
