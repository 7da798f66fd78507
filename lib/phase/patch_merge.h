#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON merge patches (RFC 7396) as github.com/evanphx/json-patch applies them.
 */
struct err;
struct era;
struct value;

/* Merges patch into *target. The row patches/mergePatch of the era names what its library does. -ERR_INVALID with that
 * library's text. */
int patch_merge(struct value **target, const struct value *patch, const struct era *era, struct err *err);
