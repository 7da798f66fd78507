#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phases that talk to an API server as steps of one run: `init` takes them one after another (init_here.c).
 */
#include "base/strv.h"
#include "phase/phase.h"

struct err;
struct genphase;

struct online_work {
        struct genphase *g;
        struct phase *phase;
        unsigned made, changed, same; /* objects, so far */
};

/* Each says what kubeadm's phase says; errors begin with "error execution phase NAME". */
int online_wait_control_plane(struct online_work *work, struct err *err);
int online_upload_kubeadm(struct online_work *work, struct err *err);
int online_upload_kubelet(struct online_work *work, struct err *err);
int online_upload_certs(struct online_work *work, struct err *err);
int online_mark_control_plane(struct online_work *work, struct err *err);
int online_bootstrap_token(struct online_work *work, struct err *err);
int online_addon_coredns(struct online_work *work, struct err *err);
int online_addon_kube_proxy(struct online_work *work, struct err *err);
int online_show_join_command(struct online_work *work, struct err *err);

/* All phases. The exit code. */
int online_init(struct genphase *g, const struct strv *args);

/* phase_open with the flags of online_options; *ret_code is the exit code where it failed. */
int online_open(struct genphase *g, struct phase **ret, int *ret_code, struct err *err);
int online_apply_token_flags(struct genphase *g, struct phase *phase, int *ret_code, struct err *err);
