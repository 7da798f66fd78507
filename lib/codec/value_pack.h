#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A value as bytes that are read many times faster than YAML: what a program carries inside it. Each node has its line
 * and column, so places survive; the file's name is given when it is read. Every list and map says how long it is, so
 * one entry of a large map is read without the others.
 *
 * The form is for bytes made at build time by the same program's value_pack, not for storing: it has no version. What
 * is cut off or was never packed is still refused and nothing outside the bytes is read.
 */
#include <stddef.h>

struct buf;
struct value;

/* Appends v. */
void value_pack(const struct value *v, struct buf *out);

/* The value in data, all nodes with places in file (borrowed as in struct value_place). NULL where data is not what
 * value_pack wrote. Free it. */
struct value *value_unpack(const char *data, size_t len, const char *file);

/* The value of one entry of the map in data, without reading the others. NULL where data is no map or lacks the key.
 * Free it. */
struct value *value_unpack_entry(const char *data, size_t len, const char *file, const char *key);
