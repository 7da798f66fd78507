#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A component's static pod: template, rows of the era, variables, then arguments, environment and volumes of the
 * configuration. What is particular to a component is in its own file (apiserver.c, ...), as a struct component.
 */
#include <stdbool.h>

#include "phase/phase.h"
#include "phase/template.h"

struct err;

struct component {
        const char *name;  /* of the template, the container, the pod and the manifest file */
        const char *phase; /* kubeadm's name of the phase: "control-plane/apiserver" */
        /* The variables of the template beside those that all have (component_render). */
        void (*variables)(const struct phase *phase, struct template_variables *variables);
        /* The user's arguments, volumes and environment. */
        struct config_component (*settings)(const struct phase *phase);
        /* Adds volumes that depend on configuration and host; NULL: none. */
        void (*volumes)(const struct phase *phase, struct value *pod);
        bool kubeadm_pod;    /* the rows of the group static-pod are for it */
        bool etcd_rows;      /* rows with etcdSince and etcdUntil are for it */
        bool proxies;        /* takes the proxy variables of the process environment */
        bool sorted_volumes; /* volumes and mounts by name */
        bool own_image;      /* `variables` sets the image, which is none of Kubernetes */
};

extern const struct component component_apiserver;
extern const struct component component_controller_manager;
extern const struct component component_scheduler;
extern const struct component component_etcd;
extern const struct component component_proxy;

/* The pod as a value (free it). */
int component_render(const struct phase *phase, const struct component *component, struct value **ret, struct err *err);

/* Helpers for the components */

/* SCHEME://HOST:PORT; place as for template_set_text */
void component_set_url(struct template_variables *variables, const char *name, const char *scheme, const char *host,
                       int port, const struct value_place *place);
/* 127.0.0.1 or ::1, the family that the advertise address has. */
const char *component_localhost(const struct phase *phase);
/* The address that a probe goes to: the last bind-address of args, else 127.0.0.1; absent for "any". */
void component_set_probe_host(struct template_variables *variables, const struct config_args *args);
/* Appends or replaces (by name) a hostPath volume and its mount. type NULL: none. */
void component_add_volume(struct value *pod, const char *name, const char *host_path, const char *mount_path,
                          const char *type, bool read_only, const struct value_place *place);
/* The mounts of CA directories that the host has. */
void component_add_ca_directories(const struct phase *phase, struct value *pod);
/* True where the CA's certificate is there and its key is not. */
bool component_external_ca(const struct phase *phase);
