#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubeconfig of a running podwatch: it may come later, be replaced or go, and so may the files that it names (a
 * client certificate that somebody renews). Each change is taken when it happens; what was good stays in use until
 * something else is. And how long the client certificate lasts: a Node whose certificate has expired is lost to the
 * API server, so that is told 30, 7 and 1 days before, and then.
 */
struct cJSON;
struct err;
struct kubeconfig;
struct kubeconfig_watch;
struct loop;

struct kubeconfig_watch_handlers {
        /* Use this from now on; it is borrowed for the call. Negative with err where that
         * is not possible: that is trouble too. */
        int (*take)(void *userdata, const struct kubeconfig *config, struct err *err);
        /* Why there is nothing to use, or nothing newer; the same trouble once. */
        void (*trouble)(void *userdata, const char *message);
        /* The client certificate expires soon, or has. */
        void (*expires)(void *userdata, const char *message);
};

struct kubeconfig_watch_options {
        const char *path;
        const char *rotated;   /* the client certificate that is renewed (client_cert_path), which goes before that of
                                * the kubeconfig (client_cert_take); NULL: none is */
        const char *node_name; /* whose that is */
};

/* Strings are copied. The handlers are called from the loop alone. */
int kubeconfig_watch_new(struct loop *loop, const struct kubeconfig_watch_options *options,
                         const struct kubeconfig_watch_handlers *handlers, void *userdata,
                         struct kubeconfig_watch **ret, struct err *err);
struct kubeconfig_watch *kubeconfig_watch_free(struct kubeconfig_watch *watch); /* takes NULL, returns NULL */

/* Why the file as it is now is not in use; "" when it is. */
const char *kubeconfig_watch_problem(const struct kubeconfig_watch *watch);
/* Adds "clientCertificate": {"subject", "expires", "warning"} to a status (the warning where one was told); nothing
 * without such a certificate. */
void kubeconfig_watch_status(const struct kubeconfig_watch *watch, struct cJSON *status);
