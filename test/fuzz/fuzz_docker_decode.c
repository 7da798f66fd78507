/* SPDX-License-Identifier: Apache-2.0
 *
 * Any body may come for any request: a decoder either fails with a code, or gives a struct whose strings are all there
 * and which is released without a trace. Also config.json with credentials and the head of a program.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "docker/docker_auth.h"
#include "docker/docker_decode.h"
#include "docker/elf_file.h"
#include "fuzz.h"

#define OUT_MAX (1024 * 1024)

static void check(int r, const struct err *err)
{
        MUST(r <= 0 && (r < 0) == (err->code != 0));
}

static void containers(const char *json, size_t size)
{
        struct docker_containers list = {0};
        struct docker_container container = {0}, copy;
        struct err err = ERR_INIT;

        int r = docker_decode_containers(json, size, &list, &err);
        check(r, &err);
        for (size_t i = 0; i < list.count; i++)
                MUST(*list.items[i].id && list.items[i].name && list.items[i].image &&
                     docker_state_name(list.items[i].state));
        docker_containers_release(&list);
        err = ERR_INIT;
        r = docker_decode_container(json, size, &container, &err);
        check(r, &err);
        if (r == 0) {
                MUST(*container.id && container.ip && container.error && container.log_path && container.network_mode);
                docker_container_copy(&copy, &container);
                MUST(strcmp(copy.id, container.id) == 0 && copy.labels.count == container.labels.count);
                docker_container_release(&copy);
                docker_container_release(&container);
        }
}

static void daemon_answers(const char *json, size_t size)
{
        struct docker_version version;
        struct docker_info info;
        struct err err = ERR_INIT;

        char *least CLEANUP_FREE = NULL;
        check(docker_decode_version_min(json, size, &least, &err), &err);
        err = ERR_INIT;
        int r = docker_decode_version(json, size, &version, &err);
        check(r, &err);
        if (r == 0)
                docker_version_release(&version);
        err = ERR_INIT;
        r = docker_decode_info(json, size, &info, &err);
        check(r, &err);
        if (r == 0) {
                MUST(info.cgroup_version == 1 || info.cgroup_version == 2);
                docker_info_release(&info);
        }
}

static void images(const char *json, size_t size)
{
        struct docker_image image;
        struct docker_images list = {0};
        struct err err = ERR_INIT;

        int r = docker_decode_image(json, size, &image, &err);
        check(r, &err);
        if (r == 0)
                docker_image_release(&image);
        err = ERR_INIT;
        check(docker_decode_images(json, size, &list, &err), &err);
        docker_images_release(&list);
}

static void small_ones(const char *json, size_t size)
{
        struct buf text CLEANUP_BUF = BUF_INIT(OUT_MAX);
        struct docker_event_owned event;
        struct err err = ERR_INIT;
        char *id CLEANUP_FREE = NULL;
        int exit_code = 0;

        check(docker_decode_id(json, size, &id, &err), &err);
        MUST(!id || *id);
        err = ERR_INIT;
        int r = docker_decode_exec(json, size, &exit_code, &err);
        MUST(r == -EAGAIN || (r < 0) == (err.code != 0));
        err = ERR_INIT;
        r = docker_decode_event(json, size, &event, &err);
        check(r, &err);
        if (r == 0) {
                MUST(*event.event.type && *event.event.action && event.event.id && event.event.name);
                docker_event_owned_release(&event);
        }
        err = ERR_INIT;
        check(docker_decode_progress(json, size, &text, &err), &err);
        docker_decode_message(json, size, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *json CLEANUP_FREE = xstrndup((const char *)data, size);
        char *auth CLEANUP_FREE = NULL;
        struct elf_file elf;
        struct err err = ERR_INIT;
        size_t len = strlen(json);

        containers(json, len);
        daemon_answers(json, len);
        images(json, len);
        small_ones(json, len);
        int r = docker_auth_lookup("f", json, len, "registry.example.com:5000/team/x:1", &auth, &err);
        MUST((r == 0) == (auth != NULL) && (r < 0) == (err.code != 0));
        err = ERR_INIT;
        r = elf_file_parse("f", data, size, &elf, &err);
        check(r, &err);
        if (r == 0)
                elf_file_release(&elf);
        return 0;
}
