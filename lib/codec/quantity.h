#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Kubernetes resource quantities (apimachinery/pkg/api/resource/quantity.go): parse, canonical text, comparison,
 * rounding. Values are exact in nano units within 128 bits; beyond that parsing fails with -ERANGE.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum quantity_format {
        QUANTITY_DECIMAL_SI,       /* 100m, 1, 5k, 2G */
        QUANTITY_BINARY_SI,        /* 100Ki, 2Gi */
        QUANTITY_DECIMAL_EXPONENT, /* 1e3 */
        QUANTITY_FORMAT_MAX
};

#define QUANTITY_TEXT_MAX 64

struct quantity {
        __int128 nano; /* value * 10^9 */
        enum quantity_format format;
        char kept[32]; /* the text as it was, where String() gives that back ("1.500", "+5", "1Ki"); else empty */
};

/* 0, or -EINVAL / -ERANGE with the reason (Go's words for what is malformed); finer than nano is rounded away from
 * zero, and what has a binary suffix is capped at 2^63-1, as there. */
int quantity_parse(const char *s, struct quantity *ret, struct err *err);
/* Text as Quantity.String(): "0.5" -> "500m", "1024Mi" -> "1Gi". Beyond 999E, where String() drops the suffix, the
 * number grows instead. */
void quantity_text(const struct quantity *q, char ret_text[QUANTITY_TEXT_MAX]);
int quantity_compare(const struct quantity *a, const struct quantity *b);
/* Rounded away from zero, clamped to int64: Quantity.MilliValue() and Value(). */
int64_t quantity_milli(const struct quantity *q);
int64_t quantity_value(const struct quantity *q);
/* a += b; keeps a's format unless a is zero. Clamped at the ends of the range. */
void quantity_add(struct quantity *a, const struct quantity *b);
