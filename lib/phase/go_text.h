#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as Go prints them inside kubeadm's messages.
 */
struct buf;
struct value;

/* Appends v as fmt's %v does for what JSON decodes to: map[a:1 b:[x y]], <nil>; keys in bytewise order. */
void go_text(const struct value *v, struct buf *out);

/* "map[string]interface {}", "[]interface {}", "string", "bool", "int64", "float64"; "%!s(<nil>)" for null: a
 * reflect.Type printed with %s. */
const char *go_type_text(const struct value *v);
