#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of its own for each test of a phase: an empty root, a configuration, and what a run says. TEST_TEMPLATES in
 * the environment is --templates: test/parity/rows.py takes rows away by it, which a test must notice.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "phase/phase.h"

struct fixture {
        char *dir;       /* holds root/ and kubeadm.yaml */
        char *root;      /* --rootfs */
        char *out, *log; /* of the last run */
        struct err err;  /* of the last run */
        int exit_code;   /* of the last run, where it failed */
        const struct strv *ignored_checks;
        const char *version; /* --kubeadm-version; NULL: none */
        const char *command; /* its words, where they count */
        unsigned decode;     /* enum config_decode_flags */
        bool no_config;
        bool print_manifest;
        bool dry_run;
        const struct cli_seen *seen;     /* the options that came */
        const struct phase_flags *flags; /* in place of the configuration; NULL: that */
};

/* For cmocka_unit_test_setup_teardown: *state is a struct fixture with the configuration plain_config. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* InitConfiguration and ClusterConfiguration with everything pinned that the host would decide. */
extern const char plain_config[];
void fixture_config(struct fixture *f, const char *yaml);

/* Opens the phase as the command line would, calls fn, keeps its output. fn's result. */
int fixture_run(struct fixture *f, int (*fn)(struct phase *phase, const char *arg, struct err *err), const char *arg);

/* Files below root. put makes directories; all fail the test where they cannot do it. */
void fixture_put(const struct fixture *f, const char *path, const char *text);
void fixture_link(const struct fixture *f, const char *path, const char *target); /* a symbolic one */
char *fixture_get(const struct fixture *f, const char *path);                     /* free it */
void fixture_remove(const struct fixture *f, const char *path);
void fixture_move(const struct fixture *f, const char *from, const char *to);
void fixture_copy(const struct fixture *f, const char *from, const char *to);
bool fixture_has(const struct fixture *f, const char *path);
mode_t fixture_mode(const struct fixture *f, const char *path);
/* One text that changes with any change below root: names, modes, inodes, times and content of files. Free it. */
char *fixture_digest(const struct fixture *f);
