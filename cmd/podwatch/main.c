/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "podwatch.h"

#define HELP_MAX (256 * 1024)

#define OPTION_SOCKET                                                                  \
        {                                                                              \
                "socket", 0, CLI_STRING, offsetof(struct podwatch, socket), "FILE",    \
                        "socket of the running podwatch (default " PODWATCH_SOCKET ")" \
        }

/* Commands that print what a value or an argument may be, for completion. */
#define WORDS_PODS "completion pods"
#define WORDS_CONTAINERS "completion containers"

#define OPTION_STATE                                                                              \
        {                                                                                         \
                "state-directory", 0, CLI_STRING, offsetof(struct podwatch, state), "DIR",        \
                        "stateDirectory of podwatch's configuration (default " PODWATCH_STATE ")" \
        }

/* clang-format off */
/* Shown by --help; what is given to `run` goes to kubelet_config as it is, with all other flags of the kubelet. */
static const struct cli_option run_options[] = {
        {"config", 0, CLI_STRING, offsetof(struct podwatch, output), "FILE",
         "KubeletConfiguration, and PodwatchConfiguration as a second document; given again, the later file wins, key by key "
         "(default: /var/lib/kubelet/config.yaml, then /etc/kubernetes/podwatch.yaml, where they are there)"},
        {"env-file", 0, CLI_STRING, offsetof(struct podwatch, output), "FILE",
         "KUBELET_KUBEADM_ARGS and KUBELET_EXTRA_ARGS, flags that win over --config and lose to the command line; may be given again "
         "(default: /var/lib/kubelet/kubeadm-flags.env, /etc/default/kubelet, /etc/sysconfig/kubelet, where they are there)"},
        {"pod-manifest-path", 0, CLI_STRING, offsetof(struct podwatch, output), "DIR", "directory of static pods, or one file"},
        {"kubeconfig", 0, CLI_STRING, offsetof(struct podwatch, output), "FILE",
         "API server to show pods to; it may come later (default: none)"},
        {"hostname-override", 0, CLI_STRING, offsetof(struct podwatch, output), "NAME", "name of the node"},
        {"node-ip", 0, CLI_STRING, offsetof(struct podwatch, output), "IP", "address of the node"},
        {"pod-infra-container-image", 0, CLI_STRING, offsetof(struct podwatch, output), "IMAGE",
         "what sandboxes run (default: the pause program that podwatch carries)"},
        {"root-dir", 0, CLI_STRING, offsetof(struct podwatch, output), "DIR", "where volumes of pods are (default /var/lib/kubelet)"},
        {"v", 'v', CLI_STRING, offsetof(struct podwatch, output), "N", "how much to log; 4 and more: every step"},
        {0}
};
static const struct cli_option describe_options[] = {
        OPTION_SOCKET,
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT", "json, instead of text", "json"},
        {0}
};
static const struct cli_option events_options[] = {
        OPTION_SOCKET,
        {"watch", 'w', CLI_FLAG, offsetof(struct podwatch, watch), NULL, "go on with those that come"},
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT", "json: an EventList, or with -w the lines of a watch", "json"},
        {0}
};
static const struct cli_option status_options[] = {
        OPTION_SOCKET,
        {"watch", 'w', CLI_FLAG, offsetof(struct podwatch, watch), NULL,
         "show changes as they come: a terminal is drawn anew, elsewhere a line is added for each pod that has changed"},
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT", "json, or wide: a table with more columns", "json|wide"},
        {0}
};

static const struct cli_option restart_options[] = {
        OPTION_SOCKET,
        {"container", 'c', CLI_STRING, offsetof(struct podwatch, container), "NAME", "this container alone (default: all of the pod's)",
         .complete = WORDS_CONTAINERS},
        {0}
};
static const struct cli_option logs_options[] = {
        OPTION_SOCKET,
        {"container", 'c', CLI_STRING, offsetof(struct podwatch, container), "NAME",
         "this container (default: the one that the annotation kubectl.kubernetes.io/default-container names, else the first)",
         .complete = WORDS_CONTAINERS},
        {"follow", 'f', CLI_FLAG, offsetof(struct podwatch, follow), NULL, "go on with what comes, over restarts, until no restart follows"},
        {"previous", 'p', CLI_FLAG, offsetof(struct podwatch, previous), NULL, "of the run before: what crashed, where a restart is waited for"},
        {"tail", 0, CLI_INT, offsetof(struct podwatch, tail), "N", "the last N lines alone; -1: all (default)", .min = -1, .max = INT_MAX},
        {"since", 0, CLI_STRING, offsetof(struct podwatch, since), "DURATION", "what is newer than that: 5s, 2m, 3h"},
        {"since-time", 0, CLI_STRING, offsetof(struct podwatch, since_time), "TIME", "what was written at that time (RFC 3339) or after"},
        {"timestamps", 0, CLI_FLAG, offsetof(struct podwatch, timestamps), NULL, "the time in front of each line"},
        {"limit-bytes", 0, CLI_INT, offsetof(struct podwatch, limit_bytes), "N", "no more than N bytes of the log", .min = 1, .max = INT_MAX},
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT",
         "json: an object a line, with the time, stream and text of what was written", "json"},
        {0}
};
static const struct cli_option drain_options[] = {
        OPTION_SOCKET,
        {"timeout", 0, CLI_INT, offsetof(struct podwatch, timeout), "SECONDS", "how long to wait for the last pod; 0: not at all (default 300)",
         .min = 0, .max = 86400},
        {0}
};
static const struct cli_option resume_options[] = {
        OPTION_SOCKET,
        {0}
};
static const struct cli_option history_options[] = {
        OPTION_STATE,
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT", "json, instead of text", "json"},
        {0}
};
static const struct cli_option validate_options[] = {
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT", "json, instead of text", "json"},
        {"hostname-override", 0, CLI_STRING, offsetof(struct podwatch, node_name), "NAME", "name of the node (default: this machine's)"},
        {"docker-endpoint", 0, CLI_STRING, offsetof(struct podwatch, docker), "URL",
         "Docker's socket, as dockerEndpoint (default: $DOCKER_HOST, else unix:///var/run/docker.sock)"},
        {"manifests-alone", 0, CLI_FLAG, offsetof(struct podwatch, no_host), NULL,
         "look at nothing of this machine: not at files that command lines name, nor at images"},
        {0}
};
static const struct cli_option plan_options[] = {
        OPTION_SOCKET,
        {"output", 'o', CLI_STRING, offsetof(struct podwatch, output), "FORMAT", "json, instead of text", "json"},
        {"docker-endpoint", 0, CLI_STRING, offsetof(struct podwatch, docker), "URL",
         "Docker's socket, as dockerEndpoint (default: $DOCKER_HOST, else unix:///var/run/docker.sock)"},
        {0}
};
static const struct cli_option rollback_options[] = {
        OPTION_STATE,
        {0}
};

static const struct cli_verb verbs[] = {
        {.name = "run", .help = "Run the pods of this node", .options = run_options, .run = verb_run,
         .text = "Watches a directory of pod manifests and runs each on Docker, as the kubelet does, and shows them to an API "
                 "server once there is one. Takes the kubelet's flags, as a unit of kubeadm gives them; one that has no effect "
                 "is reported once. Containers go on when podwatch ends."},
        {.name = "status", .help = "Show pods, what they wait for, and what is wrong with which manifest", .usage = "[POD...]",
         .max_args = -1, .options = status_options, .run = verb_status, .complete = WORDS_PODS},
        {.name = "describe", .help = "Show all of a pod: containers, probes and what they answered, volumes, waits, events", .usage = "POD...",
         .min_args = 1, .max_args = -1, .options = describe_options, .run = verb_describe, .complete = WORDS_PODS,
         .text = "As `kubectl describe pod`, and beside it the file and revision, the last results of each probe, how earlier runs of each "
                 "container ended, and when the next try comes. Values of Secrets and ConfigMaps are never shown."},
        {.name = "events", .help = "Show what happened on this node, or to one pod", .usage = "[POD]", .max_args = 1, .options = events_options,
         .run = verb_events, .complete = WORDS_PODS,
         .text = "The last 1000 events, with the kubelet's reasons; they outlive restarts of podwatch and the pods they are about."},
        {.name = "logs", .help = "Show what a container writes, or wrote before it ended", .usage = "POD", .min_args = 1, .max_args = 1,
         .options = logs_options, .run = verb_logs, .complete = WORDS_PODS,
         .text = "Works for every log driver that Docker can read, and for a container that has ended as long as Docker has it: podwatch keeps "
                 "the newest run and the one before it. With -f the log goes on with the next run after a restart and with the next "
                 "version after an edit; it ends when the container does not come back, or on ^C."},
        {.name = "validate", .help = "Look for mistakes in manifests before they are in force", .usage = "FILE|DIR...", .min_args = 1, .max_args = -1,
         .options = validate_options, .run = verb_validate,
         .text = "Everything that podwatch would find, unknown fields being errors; between the files: pod names, host ports, circles of "
                 "start order; on this machine: files that command lines name and that are on no volume or missing, certificates that have "
                 "expired, executables that an image does not have (where Docker answers; a container is made for it, never started, and "
                 "removed). Needs no running podwatch. Exits with 0 where there is no error (warnings do not count), 1 where there is one, "
                 "2 where something could not be read."},
        {.name = "plan", .help = "Show what manifests would change on this node, and touch nothing", .usage = "[FILE|DIR]", .max_args = 1,
         .options = plan_options, .run = verb_plan,
         .text = "Compares with what the running podwatch has: which pods would be created, replaced or removed, by which field; images that "
                 "are to be pulled, host ports that clash, and how long the last edits of a pod took from stop to start. DIR stands for the "
                 "whole manifest directory, FILE for the file of that name in it; without either, what the directory holds now. Exits with 0, "
                 "with 1 where a manifest is wrong or ports clash, with 2 where podwatch cannot be asked or a file not be read."},
        {.name = "restart", .help = "Restart a pod's containers, or one of them", .usage = "POD", .min_args = 1, .max_args = 1,
         .options = restart_options, .run = verb_restart, .complete = WORDS_PODS,
         .text = "Stops each container as its pod says (preStop hook, signal, grace period) and starts it at once, whatever its "
                 "restartPolicy. The sandbox stays. For root alone."},
        {.name = "retry", .help = "Go on now with what waits for a backoff", .usage = "POD", .min_args = 1, .max_args = 1,
         .options = restart_options, .run = verb_retry, .complete = WORDS_PODS,
         .text = "Ends the wait of a container that crashed, an image that could not be pulled, or any other step that failed and is "
                 "to be tried again later. For root alone."},
        {.name = "drain", .help = "Stop all pods, in the reverse of their start order", .options = drain_options, .run = verb_drain,
         .text = "Each pod stops after those that wait for it (podwatch.io/after). Nothing starts again until `podwatch resume` or the next "
                 "boot; manifests stay as they are. Exits with 1 when something still runs after the timeout. For root alone."},
        {.name = "resume", .help = "Start pods again after `podwatch drain`", .options = resume_options, .run = verb_resume},
        {.name = "history", .help = "List the versions of a pod's manifest that were in force", .usage = "POD", .min_args = 1, .max_args = 1,
         .options = history_options, .run = verb_history, .complete = WORDS_PODS,
         .text = "Each version that podwatch took is kept, up to revisionHistoryLimit of them. Works without a running podwatch."},
        {.name = "diff", .help = "Show what changed between two versions of a pod's manifest", .usage = "POD [REV [REV]]", .min_args = 1,
         .max_args = 3, .options = history_options, .run = verb_diff, .complete = WORDS_PODS,
         .text = "Without a revision: from the version in force to the file as it is now; where these are the same, from the version "
                 "before. With one: from it to the version in force. Exits with 0 where nothing differs, 1 where something does, 2 on an "
                 "error."},
        {.name = "rollback", .help = "Write an earlier version of a pod's manifest back into its file", .usage = "POD [REV]", .min_args = 1,
         .max_args = 2, .options = rollback_options, .run = verb_rollback, .complete = WORDS_PODS,
         .text = "Without a revision: what undoes the last edit, that is the version in force where the file holds something else "
                 "(which does not parse, say), else the one before it. The file keeps its mode and owner."},
        {.name = "replay", .help = "Decide again what a journal tells of, and compare", .usage = "[FILE|DIR]", .max_args = 1,
         .run = verb_replay,
         .text = "Goes through the journal that podwatch keeps (default " PODWATCH_JOURNAL "), makes every recorded change, and "
                 "compares each decision with the recorded one. Exits with 1 where they differ."},
        {.name = "completion", .help = "Print a completion script, or the manual page", .usage = "bash|zsh|fish|man|pods|containers", .min_args = 1, .max_args = -1,
         .run = verb_completion},
        {.name = "version", .help = "Print the version", .run = verb_version},
        {0}
};

const struct cli_program podwatch_program = {
        .name = "podwatch",
        .version = GENPHASE_PROJECT_VERSION,
        .help = "Runs static pods on Docker",
        .verbs = verbs,
};
/* clang-format on */

int podwatch_fail(const struct err *err)
{
        (void)fprintf(stderr, "error: %s\n", err->msg);
        return 1;
}

static int print_help(const struct cli_verb *verb, int code)
{
        struct buf out CLEANUP_BUF = BUF_INIT(HELP_MAX);

        cli_help(&podwatch_program, verb, &out);
        (void)fputs(buf_str(&out), code ? stderr : stdout);
        return code;
}

static bool asks_for_help(const char *arg)
{
        return str_eq(arg, "--help") || str_eq(arg, "-h");
}

/* `run` takes some two hundred flags of the kubelet, which have a table of their own: they are not for cli_parse. */
static bool take_run_flags(int argc, char **argv, struct podwatch *p)
{
        if (argc < 2 || !str_eq(argv[1], "run"))
                return false;
        for (int i = 2; i < argc; i++)
                if (asks_for_help(argv[i]))
                        return false;
        for (int i = 2; i < argc; i++)
                strv_add(&p->run_flags, argv[i]);
        return true;
}

static int run_line(int argc, char **argv, struct podwatch *p)
{
        struct strv args CLEANUP_STRV = STRV_INIT;
        const struct cli_verb *verb = NULL;
        struct err err = ERR_INIT;
        int r;

        if (take_run_flags(argc, argv, p))
                return verb_run(p, &args);
        r = cli_parse(&podwatch_program, argc, argv, p, &verb, &args, &err);
        if (r < 0)
                return podwatch_fail(&err);
        return r == CLI_RUN ? verb->run(p, &args) : print_help(verb, r == CLI_HELP ? 0 : 1);
}

int main(int argc, char **argv)
{
        struct podwatch p = {.socket = PODWATCH_SOCKET, .state = PODWATCH_STATE, .timeout = 300, .tail = -1};
        int code = run_line(argc, argv, &p);
        struct err err = ERR_INIT;

        strv_release(&p.run_flags);
        if (fflush(stdout) != 0 && code == 0) {
                (void)err_set_errno(&err, errno, "standard output");
                code = podwatch_fail(&err);
        }
        return code;
}
