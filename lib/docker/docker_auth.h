#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Registry credentials out of Docker's config.json ("auths"). The entry whose key fits the image best is taken: keys
 * are hosts, with a port or not, with "https://" in front and "/v1/" or a path behind or not; a host may hold globs as
 * the kubelet allows them (*.example.com; pkg/credentialprovider/keyring.go); the longest path wins. Credential helpers
 * are programs of their own and are not run.
 */
#include <stddef.h>

struct err;

/* 0: *ret_auth is what X-Registry-Auth wants (free it). 1: nothing fits, pull without. Errors: ERR_INVALID (no
 * config.json, with file_name in front), ERR_UNSUPPORTED where only a credential helper could know. Secrets never
 * appear in messages. */
int docker_auth_lookup(const char *file_name, const char *json, size_t len, const char *image, char **ret_auth,
                       struct err *err);
/* The same, out of a file; a missing file is 1. */
int docker_auth_lookup_file(const char *path, const char *image, char **ret_auth, struct err *err);
