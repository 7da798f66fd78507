#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What every phase works with: the configuration, the era of the chosen kubeadm version, the root that paths are put
 * below, what to print, and the files to be written. A phase reads its input, renders everything, and hands the bytes
 * to phase_add_file; phase_commit writes them all or none. So a phase that fails leaves the tree as it was.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/strv.h"
#include "phase/config.h"
#include "phase/era.h"

struct err;
struct cli_seen;
struct host;
struct file_owner;
struct patches;
struct users;

/* The flags that stand in place of a configuration file; NULL or "" where not given. They become an InitConfiguration
 * and a ClusterConfiguration whose values have the flag as origin. */
struct phase_flags {
        const char *kubernetes_version;
        const char *image_repository;
        const char *cert_dir;
        const char *apiserver_advertise_address;
        const char *apiserver_bind_port;
        const char *control_plane_endpoint;
        const char *service_cidr;
        const char *service_dns_domain;
        const char *pod_network_cidr;
        const char *node_name;
        const char *cri_socket;
        const char *feature_gates;
        struct strv apiserver_extra_args; /* each "k=v,k=v" */
        struct strv controller_manager_extra_args;
        struct strv scheduler_extra_args;
        struct strv apiserver_cert_extra_sans;
};

struct phase_options {
        /* Where the host is looked at: directories of CA certificates, services, patches that the configuration names.
         * NULL: rootfs. Given ("": no prefix), rootfs is a directory for what a dry run would write, and files are
         * written there with dry_run as well. */
        const char *host_root;
        const char *config_file;        /* --config; NULL: defaults and flags */
        const char *config_text;        /* what the cluster has, of which config_file is the name: not validated, and
                                         * neither a runtime nor an address is looked for; NULL: the file is read */
        const char *templates_dir;      /* --templates; NULL: embedded */
        const char *rootfs;             /* --rootfs; NULL: none */
        const char *kubeadm_version;    /* --kubeadm-version; NULL: newest known patch of the Kubernetes minor. Given:
                                         * behave as that kubeadm even where it is lenient (unknown fields are warnings) */
        const char *patches_dir;        /* --patches */
        bool patches_with_config;       /* they may stand beside config_file in every era */
        const char *kubernetes_version; /* in place of the one that config_file asks for; NULL: that one */
        const char *output;             /* -o; NULL: the phase's own */
        const struct phase_flags *flags;
        const struct cli_seen *seen;       /* the options that came; NULL: not looked at */
        const struct strv *ignored_checks; /* --ignore-preflight-errors; NULL: none */
        const char *command;               /* "config validate": looked up in the group "commands"; NULL: none */
        bool print_manifest;               /* --print-manifest */
        bool no_config;                    /* only the kubeadm is chosen: the phase decodes what it needs by itself */
        bool prints;                       /* output is what printer.h takes, and is made that */
        bool acts;  /* -o was given to a verb that writes: yaml prints the files, json tells each action */
        bool quiet; /* --quiet: neither messages nor warnings */
        bool dry_run;
        bool strict;             /* unknown fields are errors even though kubeadm_version is given */
        bool lenient;            /* unknown fields are warnings even though it is not */
        unsigned decode;         /* enum config_decode_flags beside that */
        int verbosity;           /* -v N, as klog */
        const struct host *host; /* NULL: the machine that the program runs on */
        FILE *out;               /* what the phase prints */
        FILE *log;               /* klog lines and warnings */
};

struct phase {
        struct phase_options options;
        struct era *era;
        struct phase_config *config;
        bool as_kubeadm;  /* kubeadm_version was given */
        const char *step; /* of `init` or `reset`, which action_tell tells; NULL: none. Borrowed */
        int exit_code;    /* what to end with when phase_open failed: 1, or the era's code for failed validation */
        struct phase_files *files;
        struct patches *patches; /* of patch.h; NULL until the first phase that patches */
        struct users *users;     /* of users.h; NULL until the first component that runs as one (rootless.h) */
};

/* What a kubeadm ends with where validation failed: 3 up to 1.33. */
int phase_validation_exit_code(const struct phase *phase);

/* Looks at options->seen from left to right, reading no file but the tables: whether the kubeadm that is asked for has
 * each, and whether the value is of its type. kubeadm does that before anything else. 0 or a negative error with its
 * message. */
int phase_check_options(const struct phase_options *options, struct err *err);

/* Loads the tables and the configuration, applies defaults, validates. Each problem found is written to options->log as
 * "FILE:LINE:COLUMN: text"; err then holds kubeadm's own text. *ret is set even on failure, for exit_code; free it. */
int phase_open(const struct phase_options *options, struct phase **ret, struct err *err);
struct phase *phase_free(struct phase *phase);
static inline void cleanup_phase(struct phase **phase)
{
        *phase = phase_free(*phase);
}
#define CLEANUP_PHASE __attribute__((cleanup(cleanup_phase)))

/* Whether the list of commands at a path of the tables has this one (options.command), or one that it is a part of. */
bool phase_lists_command(const struct phase *phase, const char *group, const char *path);
/* Unknown fields in input are warnings, as for kubeadm, and not errors. */
bool phase_is_lenient(const struct phase *phase);

/* path below --rootfs, all links followed as a process with that root directory would: the result is below it and names
 * no link. Free it. NULL with errno ELOOP where there are more links than the kernel follows. */
char *phase_path(const struct phase *phase, const char *path);
/* The same for a name that may be that of a link, which is meant itself. Free it. */
char *phase_path_of_link(const struct phase *phase, const char *path);
/* The same below phase_host_root. Free it. */
char *phase_host_path_of_link(const struct phase *phase, const char *path);
/* The path below --rootfs that is `real` on this machine, for messages. Free it. */
char *phase_shown_path(const struct phase *phase, const char *real);
/* stat() of path below --rootfs works (kubeadm's os.Stat). */
bool phase_exists(const struct phase *phase, const char *path);
/* The same below phase_host_root. */
bool phase_exists_on_host(const struct phase *phase, const char *path);

/* What is looked up on the host: as options.host has it, else below phase_host_root, in this process, from the init
 * system. */
const struct host *phase_host(const struct phase *phase);
/* options.host_root, else options.rootfs; NULL or "": the machine that the program runs on. Borrowed. */
const char *phase_host_root(const struct phase *phase);
bool phase_host_has_path(const struct phase *phase, const char *path);
char **phase_host_environment(const struct phase *phase);
bool phase_host_service_active(const struct phase *phase, const char *name);
/* Whether there is a socket at path; open: and somebody listens there. */
bool phase_host_has_socket(const struct phase *phase, const char *path, bool open);

/* -o json of a verb that writes: each action is told as a JSON object of its own line. */
bool phase_tells_actions(const struct phase *phase);

/* A line of kubeadm's standard output; nothing with --quiet and with `-o yaml` or `-o json`, where manifests or actions
 * alone are printed. */
void phase_say(const struct phase *phase, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line of detail at verbosity `level` and above, on the log; klog's V(level).Infof. */
void phase_detail(const struct phase *phase, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A warning on the log: klog.Warningf. */
void phase_warn(const struct phase *phase, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Tells that the port of controlPlaneEndpoint is not this node's bindPort, where it is so: kubeadm does for each
 * kubeconfig that it makes or checks (util/endpoint.go), up to 1.23 on standard output. */
void phase_warn_endpoint_port(const struct phase *phase);

enum phase_file_flags {
        PHASE_FILE_SECRET = 1 << 0,       /* its content is never shown (dry run, -v) */
        PHASE_FILE_EXCL = 1 << 1,         /* it must not exist */
        PHASE_FILE_DRY_RUN_SHOW = 1 << 2, /* a dry run prints its content, as kubeadm does for manifests */
        PHASE_FILE_AS_GIVEN = 1 << 3,     /* path is the user's own, also below no --rootfs; no dry run knows of it */
};

/* Takes a file for phase_commit; path is without --rootfs, data is copied. mode counts for a new file only, an existing
 * one keeps its own and a symlink is followed, as kubeadm writes. A missing parent directory is made with dir_mode; 0:
 * it is an error. */
void phase_add_file(struct phase *phase, const char *path, const void *data, size_t len, mode_t mode, mode_t dir_mode,
                    unsigned flags);
/* Takes a directory to be made where it is missing. */
void phase_add_directory(struct phase *phase, const char *path, mode_t mode);
/* Takes a change of owner (file_owner.h) for phase_commit. Copied. */
void phase_add_owner(struct phase *phase, const struct file_owner *owner);
/* What a failure to write the file or directory taken last is wrapped in ("failed to write ..."). */
void phase_file_context(struct phase *phase, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes all files taken since the last commit, or none: every file is written under a temporary name and synced, then
 * all are renamed, in the order in which they were taken; on failure what was made is removed again. Unchanged files
 * are not touched. With dry_run nothing is written, but for a dry run that has a directory of its own
 * (options.host_root). Messages show paths without --rootfs. */
int phase_commit(struct phase *phase, struct err *err);

/* Forgets what was taken since the last commit, and gives back the lock on the users of the machine where it has one.
 */
void phase_discard(struct phase *phase);

/* Reads a file below --rootfs. 0; 1: it is missing (*ret NULL). Free *ret (NUL behind the end). */
int phase_read_file(const struct phase *phase, const char *path, size_t max, char **ret, size_t *ret_len,
                    struct err *err);
/* The same where it has to be there: a missing one is ENOENT, "open PATH: no such file or directory". 0 or negative. */
int phase_require_file(const struct phase *phase, const char *path, size_t max, char **ret, size_t *ret_len,
                       struct err *err);

/* errno's text as Go has it: "no such file or directory". */
const char *phase_errno_text(int errno_value, char *buffer, size_t size);
