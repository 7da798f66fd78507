/* SPDX-License-Identifier: Apache-2.0
 *
 * When a container is run again: restartPolicy and restartPolicyRules of one container beside the pod's policy
 * (k8s.io/kubernetes/pkg/api/v1/pod ContainerShouldRestart).
 */
#include "base/alloc.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/pod.h"
#include "kube/pod_decode.h"
#include "kube/pod_names.h"
#include "kube/pod_validate.h"

#define CODES 256
#define RULES_MAX 20
#define VALUES_MAX 255
#define ACTION_RESTART "Restart"
#define ACTION_RESTART_ALL "RestartAllContainers"

/* --- reading -------------------------------------------------------------------------------------------------- */

static bool listed(const struct value *values, int code)
{
        int64_t n;

        for (size_t i = 0; i < field_count(values); i++)
                if (value_int(values->list.items[i], &n) == 0 && n == code)
                        return true;
        return false;
}

static bool rule_matches(const struct value *rule, int code)
{
        const struct value *codes = value_map_get(rule, "exitCodes");
        bool in = listed(value_map_get(codes, "values"), code);

        return str_eq(field_string(codes, "operator", NULL), pod_restart_operator_names.names[0]) ? in : !in;
}

static void decode_codes(const struct value *rules, char codes[POD_RESTART_CODES_MAX])
{
        static const char digits[] = "0123456789abcdef";

        for (int code = 0; code < CODES; code += 4) {
                unsigned bits = 0;

                for (int k = 0; k < 4; k++)
                        for (size_t i = 0; i < field_count(rules); i++)
                                bits |= rule_matches(rules->list.items[i], code + k) ? 1U << k : 0;
                codes[code / 4] = digits[bits];
        }
}

void pod_decode_restart(const struct value *value, struct pod_container *c)
{
        const struct value *rules = value_map_get(value, "restartPolicyRules");
        int policy = pod_names_find(&pod_restart_policy_names, field_string(value, "restartPolicy", NULL));

        c->has_restart_policy = policy >= 0;
        c->restart_policy = policy < 0 ? POD_RESTART_ALWAYS : (enum pod_restart_policy)policy;
        c->sidecar = c->init && c->has_restart_policy && c->restart_policy == POD_RESTART_ALWAYS;
        if (field_count(rules) > 0)
                decode_codes(rules, c->restart_codes);
}

/* --- the rule ------------------------------------------------------------------------------------------------- */

static bool code_set(const char codes[POD_RESTART_CODES_MAX], int code)
{
        char c = codes[code / 4];
        unsigned digit = (unsigned)(c >= 'a' ? c - 'a' + 10 : c - '0');

        return digit >> (code % 4) & 1;
}

static enum pod_restart_policy policy_of(const struct pod *pod, const struct pod_container *c)
{
        return c->has_restart_policy ? c->restart_policy : pod->restart_policy;
}

bool pod_container_restarts(const struct pod *pod, const struct pod_container *c, int exit_code)
{
        if (c->restart_codes[0] && exit_code >= 0 && exit_code < CODES && code_set(c->restart_codes, exit_code))
                return true;
        switch (policy_of(pod, c)) {
        case POD_RESTART_ALWAYS:
                return true;
        case POD_RESTART_ON_FAILURE:
                return exit_code != 0;
        case POD_RESTART_NEVER:
        case POD_RESTART_MAX:
                break;
        }
        return false;
}

bool pod_container_may_restart(const struct pod *pod, const struct pod_container *c)
{
        return policy_of(pod, c) != POD_RESTART_NEVER || strspn(c->restart_codes, "0") != strlen(c->restart_codes);
}

/* --- checking ------------------------------------------------------------------------------------------------- */

static void validate_exit_codes(struct pod_findings *findings, const struct field_path *rule)
{
        struct field_path codes = field_child(rule, "exitCodes");
        struct field_path op = field_child(&codes, "operator"), values = field_child(&codes, "values");

        if (!codes.value) {
                field_required(findings, &codes, "must be specified");
                return;
        }
        if (!value_is(codes.value, VALUE_MAP))
                return;
        if (!op.value)
                field_required(findings, &op, NULL);
        else if (pod_names_find(&pod_restart_operator_names, value_string(op.value, NULL)) < 0)
                field_not_supported(findings, &op, pod_restart_operator_names.names, pod_restart_operator_names.count);
        if (field_count(values.value) > VALUES_MAX)
                field_too_many(findings, &values, field_count(values.value), VALUES_MAX);
}

static void validate_rule(struct pod_findings *findings, const struct field_path *rule)
{
        static const char *const actions[] = {ACTION_RESTART};
        struct field_path action = field_child(rule, "action");
        const char *text = value_string(action.value, NULL);

        if (!action.value)
                field_required(findings, &action, NULL);
        else if (str_eq(text, ACTION_RESTART_ALL))
                field_forbidden(findings, &action, ACTION_RESTART_ALL " is " POD_UNSUPPORTED);
        else if (!str_eq(text, ACTION_RESTART))
                field_not_supported(findings, &action, actions, ARRAY_SIZE(actions));
        validate_exit_codes(findings, rule);
}

void pod_validate_restart(struct pod_findings *findings, const struct field_path *container)
{
        struct field_path policy = field_child(container, "restartPolicy");
        struct field_path rules = field_child(container, "restartPolicyRules");

        if (!policy.value && field_count(rules.value) > 0)
                field_required(findings, &policy, "must specify restartPolicy when restart rules are used");
        else if (value_is(policy.value, VALUE_STRING) &&
                 pod_names_find(&pod_restart_policy_names, policy.value->text) < 0)
                field_not_supported(findings, &policy, pod_restart_policy_names.names, pod_restart_policy_names.count);
        if (field_count(rules.value) > RULES_MAX)
                field_too_many(findings, &rules, field_count(rules.value), RULES_MAX);
        for (size_t i = 0; i < field_count(rules.value); i++) {
                struct field_path rule = field_index(&rules, i);

                if (value_is(rule.value, VALUE_MAP))
                        validate_rule(findings, &rule);
        }
}
