/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "node/pod_find.h"

/* name is word, a dash and the node. */
static bool is_short_of(const char *word, const char *name, const char *node)
{
        const char *rest = str_after(name, word);

        return rest && *rest == '-' && str_eq(rest + 1, node);
}

enum pod_find pod_find_match(const char *word, const char *namespace, const char *name, const char *node)
{
        const char *slash = strchr(word, '/');
        size_t len = slash ? (size_t)(slash - word) : 0;

        if (slash && (strncmp(word, namespace, len) != 0 || namespace[len]))
                return POD_FIND_NO;
        if (str_eq(slash ? slash + 1 : word, name))
                return slash ? POD_FIND_KEY : POD_FIND_NAME;
        return is_short_of(slash ? slash + 1 : word, name, node) ? POD_FIND_SHORT : POD_FIND_NO;
}

void pod_search_offer(struct pod_search *search, const char *namespace, const char *name, const char *node,
                      size_t index)
{
        enum pod_find match = pod_find_match(search->word, namespace, name, node);
        char *names;

        if (match == POD_FIND_NO || match < search->best)
                return;
        if (match > search->best) {
                free(TAKE_PTR(search->names));
                search->equal = 0;
                search->best = match;
                search->index = index;
        }
        names = xasprintf("%s%s%s/%s", search->names ? search->names : "", search->names ? ", " : "", namespace, name);
        free(search->names);
        search->names = names;
        search->equal++;
}

int pod_search_end(struct pod_search *search, size_t *ret_index, struct err *err)
{
        char *names CLEANUP_FREE = TAKE_PTR(search->names);

        if (search->equal == 0)
                return err_set(err, ENOENT, "there is no pod %s", search->word);
        if (search->equal > 1)
                return err_set(err, ERR_USAGE, "pod %s may be any of %s", search->word, names);
        *ret_index = search->index;
        return 0;
}
