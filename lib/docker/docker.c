/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"

const char *docker_label(const struct docker_labels *labels, const char *key)
{
        for (size_t i = 0; i < labels->count; i++)
                if (str_eq(labels->items[i].key, key))
                        return labels->items[i].value;
        return NULL;
}

void docker_labels_add(struct docker_labels *labels, const char *key, const char *value)
{
        labels->items = xrealloc(labels->items, labels->count + 1, sizeof(*labels->items));
        labels->items[labels->count++] = (struct docker_label){.key = xstrdup(key), .value = xstrdup(value)};
}

void docker_labels_release(struct docker_labels *labels)
{
        for (size_t i = 0; i < labels->count; i++) {
                free(labels->items[i].key);
                free(labels->items[i].value);
        }
        free(labels->items);
        *labels = (struct docker_labels){0};
}

/* The strings that a container owns, for release and copy alike. */
static const size_t container_strings[] = {
        offsetof(struct docker_container, id),         offsetof(struct docker_container, name),
        offsetof(struct docker_container, image),      offsetof(struct docker_container, image_id),
        offsetof(struct docker_container, error),      offsetof(struct docker_container, ip),
        offsetof(struct docker_container, log_path),   offsetof(struct docker_container, resolv_conf),
        offsetof(struct docker_container, hosts_path), offsetof(struct docker_container, network_mode),
};

static char **container_string(struct docker_container *container, size_t i)
{
        return (char **)(void *)((char *)container + container_strings[i]);
}

void docker_container_release(struct docker_container *container)
{
        for (size_t i = 0; i < ARRAY_SIZE(container_strings); i++)
                free(*container_string(container, i));
        docker_labels_release(&container->labels);
        *container = (struct docker_container){0};
}

void docker_container_copy(struct docker_container *to, const struct docker_container *from)
{
        *to = *from;
        for (size_t i = 0; i < ARRAY_SIZE(container_strings); i++) {
                char **text = container_string(to, i);
                *text = *text ? xstrdup(*text) : NULL;
        }
        to->labels = (struct docker_labels){0};
        for (size_t i = 0; i < from->labels.count; i++)
                docker_labels_add(&to->labels, from->labels.items[i].key, from->labels.items[i].value);
}

void docker_image_release(struct docker_image *image)
{
        free(image->id);
        strv_release(&image->repo_tags);
        strv_release(&image->repo_digests);
        free(image->user);
        strv_release(&image->entrypoint);
        strv_release(&image->cmd);
        strv_release(&image->env);
        free(image->working_dir);
        free(image->stop_signal);
        *image = (struct docker_image){0};
}

static const char *const state_names[DOCKER_STATE_MAX] = {
        [DOCKER_STATE_CREATED] = "created",   [DOCKER_STATE_RUNNING] = "running",
        [DOCKER_STATE_PAUSED] = "paused",     [DOCKER_STATE_RESTARTING] = "restarting",
        [DOCKER_STATE_REMOVING] = "removing", [DOCKER_STATE_EXITED] = "exited",
        [DOCKER_STATE_DEAD] = "dead",
};

const char *docker_state_name(enum docker_state state)
{
        return state_names[state];
}

enum docker_state docker_state_from_name(const char *name)
{
        for (int i = 0; i < DOCKER_STATE_MAX; i++)
                if (str_eq(state_names[i], name))
                        return (enum docker_state)i;
        return DOCKER_STATE_MAX;
}
