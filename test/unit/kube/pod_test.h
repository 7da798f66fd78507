#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of pods share: cmocka with its headers, data files, and a pod from a manifest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "kube/pod.h"

#include "../pod_of_text.h"

static const struct pod_source test_source = {
        .node_name = "node",
        .file = "m.yaml",
        .seen = 1700000000123456,
};

/* Appends the file test/data/NAME. */
static inline void test_read(const char *name, struct buf *out)
{
        char *path CLEANUP_FREE = file_join(getenv("TEST_DATA"), name);
        struct err err = ERR_INIT;

        if (file_read(path, out, &err) < 0)
                fail_msg("%s", err.msg);
}
