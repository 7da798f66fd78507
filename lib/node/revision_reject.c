/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "node/revision.h"
#include "node/revision_reject.h"

#define FILE_MODE 0600
#define REJECTED_BYTES (64 * 1024)

static char *rejected_path(const struct revisions *revisions, const char *namespace, const char *name)
{
        return xasprintf("%s/%s_%s/rejected", revisions_directory(revisions), namespace, name);
}

int revision_reject(struct revisions *revisions, const struct pod *pod, unsigned number, const char *why,
                    const struct pod *fallback, unsigned fallback_number, const char *file, struct err *err)
{
        char *path CLEANUP_FREE = rejected_path(revisions, pod->namespace, pod->name);
        cJSON *object;
        char *text;
        /* This first: a version that is the current one and rejected too would be neither tried nor left. */
        int r = revision_set_current(revisions, fallback, file, fallback_number, err);

        if (r < 0)
                return r;
        r = -ENOMEM;
        object = cJSON_CreateObject();

        cJSON_AddNumberToObject(object, "revision", number);
        cJSON_AddStringToObject(object, "uid", pod->uid);
        cJSON_AddStringToObject(object, "specHash", pod->spec_hash);
        cJSON_AddStringToObject(object, "why", why);
        text = cJSON_PrintUnformatted(object);
        cJSON_Delete(object);
        if (text)
                r = file_write_atomic(path, text, strlen(text), FILE_MODE, 0, err);
        cJSON_free(text);
        return r < 0 ? r : 0;
}

bool revision_is_rejected(struct revisions *revisions, const struct pod *pod, char **ret_why)
{
        char *path CLEANUP_FREE = rejected_path(revisions, pod->namespace, pod->name);
        struct buf text CLEANUP_BUF = BUF_INIT(REJECTED_BYTES);
        cJSON *object CLEANUP_CJSON = NULL;
        struct err err = ERR_INIT;

        if (file_read(path, &text, &err) < 0)
                return false;
        object = cJSON_ParseWithLength(buf_str(&text), text.len);
        if (!str_eq(cjson_text(object, "uid", NULL), pod->uid) ||
            !str_eq(cjson_text(object, "specHash", NULL), pod->spec_hash))
                return false;
        *ret_why = xstrdup(cjson_text(object, "why", "it was not Ready in its time"));
        return true;
}

void revision_unreject(struct revisions *revisions, const char *namespace, const char *name)
{
        char *path CLEANUP_FREE = rejected_path(revisions, namespace, name);

        (void)unlink(path);
}
