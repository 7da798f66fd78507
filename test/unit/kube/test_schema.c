/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk by table: what each type takes, what becomes of each status, and the form that is left behind.
 */
#include "pod_test.h"

#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/field.h"
#include "kube/pod_schema.h"

static const struct schema_field inner_schema_fields[] = {
        SCHEMA_OPT("used", STRING, USED),
        SCHEMA_OPT("inert", BOOL, INERT, .harmless = "false"),
};
static SCHEMA_DEFINE(inner_schema, "Inner");

static const struct schema_field outer_schema_fields[] = {
        SCHEMA_OPT("string", STRING, USED),
        SCHEMA_SET("stringKept", STRING, USED),
        SCHEMA_OPT("bool", BOOL, USED),
        SCHEMA_SET("boolKept", BOOL, CARRIED),
        SCHEMA_OPT("small", INT32, USED),
        SCHEMA_SET("big", INT64, USED),
        SCHEMA_SET("quantity", QUANTITY, USED),
        SCHEMA_SET("port", INT_OR_STRING, USED),
        SCHEMA_SET("duration", DURATION, USED),
        SCHEMA_SET("any", ANY, USED),
        SCHEMA_OBJ("object", inner_schema, USED),
        SCHEMA_LIST("strings", STRING, USED),
        SCHEMA_LIST("ints", INT64, USED),
        SCHEMA_OBJ_LIST("objects", inner_schema, USED),
        SCHEMA_MAP("labels", STRING, USED),
        SCHEMA_MAP("resources", QUANTITY, USED),
        SCHEMA_SET("inertNote", STRING, INERT, .note = "the note", .harmless = "fine"),
        SCHEMA_SET("dropped", STRING, DROPPED, .harmless = "fine"),
        SCHEMA_SET("refused", STRING, REFUSED, .harmless = "fine"),
        SCHEMA_SET("refusedNote", INT32, REFUSED, .note = "why not", .harmless = "5"),
        SCHEMA_OPT("refusedZero", BOOL, REFUSED),
        SCHEMA_OBJ("refusedObject", inner_schema, REFUSED),
};
static SCHEMA_DEFINE(outer_schema, "Outer");

/* Reads the YAML by the table; findings one a line ("=>" fatal, "~>" warning), then the form that is left. */
static void run(const char *yaml, bool strict, struct buf *out)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct schema_check check CLEANUP(schema_check_release) = {
                .findings = &findings, .strict = strict, .refused_text = "not done", .no_effect_text = "no effect"};
        struct value *v CLEANUP_VALUE = NULL;
        struct err err = ERR_INIT;

        if (yaml_load_one("f", yaml, strlen(yaml), 0, &v, &err) < 0)
                fail_msg("%s", err.msg);
        struct field_path root = field_root(v);

        schema_check_object(&check, &outer_schema, &root, v);
        for (size_t i = 0; i < findings.count; i++)
                buf_addf(out, "%s %s\n", findings.items[i].fatal ? "=>" : "~>", findings.items[i].text);
        json_write(v, 0, out);
}

static void test_rows(void **state)
{
        static const struct {
                const char *yaml, *want;
        } rows[] = {
                /* zero values: kept where the API has a pointer */
                {"{string: '', stringKept: '', bool: false, boolKept: false, small: 0, big: 0, strings: [], labels: "
                 "{}}",
                 "{\"stringKept\":\"\",\"boolKept\":false,\"big\":0}"},
                {"{string: , object: , strings: ~, labels: null}", "{}"},
                {"object: {}", "{\"object\":{}}"},
                /* types */
                {"{string: 5}",
                 "=> f:1:10: string: Invalid value: 5: must be a string, not a number (put it in quotes)\n"
                 "{\"string\":5}"},
                {"{string: [a]}", "=> f:1:10: string: Invalid value: [\"a\"]: must be a string, not a list\n"
                                  "{\"string\":[\"a\"]}"},
                {"{string: \"a\\0b\"}",
                 "=> f:1:10: string: Invalid value: \"a\\u0000b\": must not contain a NUL character\n"
                 "{\"string\":\"a\\u0000b\"}"},
                {"{bool: 'true'}",
                 "=> f:1:8: bool: Invalid value: \"true\": must be true or false, not a string\n{\"bool\":\"true\"}"},
                {"{bool: ''}",
                 "=> f:1:8: bool: Invalid value: \"\": must be true or false, not a string\n{\"bool\":\"\"}"},
                {"{small: 2147483647, big: -9223372036854775808}",
                 "{\"small\":2147483647,\"big\":-9223372036854775808}"},
                {"{small: 2147483648}",
                 "=> f:1:9: small: Invalid value: 2147483648: must fit in 32 bits\n{\"small\":2147483648}"},
                {"{small: '5'}", "=> f:1:9: small: Invalid value: \"5\": must be an integer, not a string\n"
                                 "{\"small\":\"5\"}"},
                {"{quantity: 0.5}", "{\"quantity\":\"500m\"}"},
                {"{quantity: 1024Ki}", "{\"quantity\":\"1Mi\"}"},
                {"{quantity: true}", "=> f:1:12: quantity: Invalid value: true: must be a quantity (as \"100m\" or "
                                     "\"1Gi\"), not a boolean\n{\"quantity\":true}"},
                {"{port: 80}", "{\"port\":80}"},
                {"{port: http}", "{\"port\":\"http\"}"},
                {"{port: 8000000000}",
                 "=> f:1:8: port: Invalid value: 8000000000: must fit in 32 bits\n{\"port\":8000000000}"},
                {"{port: [1]}", "=> f:1:8: port: Invalid value: [1]: must be an integer, not a list\n{\"port\":[1]}"},
                {"{duration: 1m30s}", "{\"duration\":\"1m30s\"}"},
                {"{duration: 5}", "=> f:1:12: duration: Invalid value: 5: must be a string, not a number (put it in "
                                  "quotes)\n{\"duration\":5}"},
                {"{duration: 5x}", "=> f:1:12: duration: Invalid value: \"5x\": time: unknown unit \"x\" in duration "
                                   "\"5x\"\n{\"duration\":\"5x\"}"},
                {"{any: {x: [1, {k: z}]}}", "{\"any\":{\"x\":[1,{\"k\":\"z\"}]}}"},
                {"{object: 5}", "=> f:1:10: object: Invalid value: 5: must be a map, not a number\n{\"object\":5}"},
                {"{strings: a}", "=> f:1:11: strings: Invalid value: \"a\": must be a list, not a string\n"
                                 "{\"strings\":\"a\"}"},
                {"{strings: [a, 5, ~]}",
                 "=> f:1:15: strings[1]: Invalid value: 5: must be a string, not a number (put it in quotes)\n"
                 "=> f:1:18: strings[2]: Invalid value: null: must be a string, not a null\n"
                 "{\"strings\":[\"a\",5,null]}"},
                {"{ints: [1, 2.5]}", "=> f:1:12: ints[1]: Invalid value: 2.5: must be an integer, not a fraction\n"
                                     "{\"ints\":[1,2.5]}"},
                {"{labels: {a: b, c: }}", "{\"labels\":{\"a\":\"b\",\"c\":\"\"}}"},
                {"{labels: {a: 5}}",
                 "=> f:1:14: labels[a]: Invalid value: 5: must be a string, not a number (put it in "
                 "quotes)\n{\"labels\":{\"a\":5}}"},
                {"{resources: {cpu: 0.1}}", "{\"resources\":{\"cpu\":\"100m\"}}"},
                /* unknown fields are taken out, wherever they are */
                {"{strin: a, object: {usde: b, used: c}, objects: [{x: y}]}",
                 "~> f:1:2: strin: unknown field (did you mean \"string\"?)\n~> f:1:21: object.usde: unknown field\n"
                 "~> f:1:51: objects[0].x: unknown field\n{\"object\":{\"used\":\"c\"},\"objects\":[{}]}"},
                /* what has no effect is said once a field, not once an occurrence */
                {"{objects: [{inert: true}, {inert: true}, {inert: false}], object: {inert: true}}",
                 "~> f:1:20: objects[0].inert: no effect\n"
                 "{\"objects\":[{\"inert\":true},{\"inert\":true},{}],\"object\":{\"inert\":true}}"},
                {"{inertNote: x}", "~> f:1:13: inertNote: the note\n{\"inertNote\":\"x\"}"},
                {"{inertNote: fine, dropped: fine, refused: fine, refusedNote: 5}",
                 "{\"inertNote\":\"fine\",\"refused\":\"fine\",\"refusedNote\":5}"},
                {"{dropped: x}", "~> f:1:11: dropped: no effect\n{}"},
                {"{refused: x, refusedNote: 6}", "=> f:1:11: refused: Forbidden: not done\n"
                                                 "=> f:1:27: refusedNote: Forbidden: why not\n"
                                                 "{\"refused\":\"x\",\"refusedNote\":6}"},
                {"{refusedZero: false}", "{}"},
                {"{refusedObject: {x: b}}", "=> f:1:17: refusedObject: Forbidden: not done\n"
                                            "{\"refusedObject\":{\"x\":\"b\"}}"}, /* not looked into */
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(1 << 16);

                run(rows[i].yaml, false, &out);
                if (!str_eq(buf_str(&out), rows[i].want))
                        fail_msg("%s\ngot:    %s\nwanted: %s", rows[i].yaml, buf_str(&out), rows[i].want);
        }
}

static void test_strict(void **state)
{
        struct buf out CLEANUP_BUF = BUF_INIT(1 << 16);

        (void)state;
        run("{strin: a, object: {inert: true}}", true, &out);
        assert_string_equal(buf_str(&out), "=> f:1:2: strin: unknown field (did you mean \"string\"?)\n"
                                           "~> f:1:28: object.inert: no effect\n{\"object\":{\"inert\":true}}");
}

/* Tables have no field twice, and an object where its type says so. */
static void check_table(const struct schema *schema, int depth)
{
        assert_true(depth < 20);
        for (size_t i = 0; i < schema->count; i++) {
                const struct schema_field *f = &schema->fields[i];

                assert_ptr_equal(schema_find(schema, f->name), f);
                assert_int_equal(f->type == SCHEMA_OBJECT, f->object != NULL);
                if (f->object)
                        check_table(f->object, depth + 1);
        }
}

static void test_tables(void **state)
{
        (void)state;
        check_table(&pod_schema, 0);
        assert_null(schema_find(&pod_schema, "Spec"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_strict),
                cmocka_unit_test(test_tables),
        };

        return cmocka_run_group_tests_name("kube/schema", tests, NULL, NULL);
}
