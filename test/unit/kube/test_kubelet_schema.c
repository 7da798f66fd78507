/* SPDX-License-Identifier: Apache-2.0
 *
 * What the table of KubeletConfiguration says has no effect, the page of differences says too, and no more.
 */
#include "pod_test.h"

#include "base/file.h"
#include "kube/kubelet_schema.h"

#define PAGE "docs/kubelet-differences.md"
#define CHAPTER "\n## Keys of KubeletConfiguration without effect\n"

/* How many keys have no effect; each must stand in the chapter in its code marks. */
static size_t look_up(const struct schema *schema, const char *chapter)
{
        size_t count = 0;

        for (size_t i = 0; i < schema->count; i++) {
                const struct schema_field *field = &schema->fields[i];
                char *marked CLEANUP_FREE = xasprintf("`%s`", field->name);

                if (field->status == SCHEMA_INERT && !strstr(chapter, marked))
                        fail_msg(PAGE " does not name %s", field->name);
                count += field->status == SCHEMA_INERT;
                if (field->status == SCHEMA_USED && field->object)
                        count += look_up(field->object, chapter);
        }
        return count;
}

/* The code marks in the first cells of a chapter's table. */
static size_t marked_in(const char *chapter)
{
        size_t count = 0;

        for (const char *line = chapter; line; line = strchr(line + 1, '\n')) {
                const char *end = str_starts(line, "\n| `") ? strstr(line, "` | ") : NULL;

                for (const char *s = line; end && s <= end; s++)
                        count += *s == '`';
        }
        return count / 2;
}

static void every_key_without_effect_is_in_the_page(void **state)
{
        (void)state;
        char *path CLEANUP_FREE = file_join(getenv("PROJECT_ROOT"), PAGE);
        struct buf text CLEANUP_BUF = BUF_INIT(1 << 20);

        assert_int_equal(file_read(path, &text, NULL), 0);
        const char *chapter = strstr(buf_str(&text), CHAPTER);
        assert_non_null(chapter);
        chapter += strlen(CHAPTER) - 1;
        char *end = strstr(chapter, "\n## ");
        assert_non_null(end);
        *end = '\0';
        assert_int_equal(look_up(&kubelet_configuration_schema, chapter), marked_in(chapter));
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(every_key_without_effect_is_in_the_page)};

        return cmocka_run_group_tests_name("kube/kubelet_schema", tests, NULL, NULL);
}
