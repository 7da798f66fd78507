#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The "natural" order in which go-yaml v2 writes the keys of a map (sorter.go). Inside the codec only.
 */

/* As strcmp. */
int yaml_key_compare(const char *a, const char *b);
