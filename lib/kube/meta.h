#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What Kubernetes allows as a name: DNS labels and subdomains, label keys and values, names of environment variables
 * and ports, HTTP header names, addresses, relative paths. Sources: apimachinery/pkg/util/validation and
 * pkg/api/validate/content of Kubernetes 1.36, with the feature gates at their defaults.
 *
 * Each check appends what is wrong with the value to msgs, one sentence each in Kubernetes' own words, and returns how
 * many it appended; 0 is a valid value. msgs may be NULL where only the answer counts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strv;

#define META_DNS1123_LABEL_MAX 63
#define META_DNS1123_SUBDOMAIN_MAX 253
#define META_LABEL_MAX 63
#define META_PORT_NAME_MAX 15
/* All annotations of an object together, keys and values. */
#define META_ANNOTATIONS_MAX_BYTES (256 * 1024)

/* Container, volume and namespace names, host names. */
size_t meta_dns1123_label(const char *value, struct strv *msgs);
/* Names of pods and nodes. */
size_t meta_dns1123_subdomain(const char *value, struct strv *msgs);
/* The same with '_' allowed, as in DNS search domains. */
size_t meta_dns1123_subdomain_underscore(const char *value, struct strv *msgs);
/* A label key, also called a qualified name: [subdomain/]name. */
size_t meta_label_key(const char *value, struct strv *msgs);
size_t meta_label_value(const char *value, struct strv *msgs);
/* Annotation keys are label keys whose case does not count. */
size_t meta_annotation_key(const char *value, struct strv *msgs);
/* Since 1.34 every printable ASCII character but '='. */
size_t meta_env_var_name(const char *value, struct strv *msgs);
size_t meta_port_name(const char *value, struct strv *msgs);
size_t meta_port_number(int64_t port, struct strv *msgs);
/* User and group ids of a security context: 0 to 2^31 - 1. */
size_t meta_unix_id(int64_t id, struct strv *msgs);
size_t meta_http_header_name(const char *value, struct strv *msgs);
/* IPv4 without leading zeros, or IPv6 that does not embed one as ::ffff:a.b.c.d. */
size_t meta_ip(const char *value, struct strv *msgs);
/* No element is "..". */
size_t meta_path_no_backsteps(const char *value, struct strv *msgs);
/* Relative, and no element is "..". */
size_t meta_path_descending(const char *value, struct strv *msgs);
