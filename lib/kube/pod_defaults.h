#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The defaults of core/v1 for a pod (pkg/apis/core/v1/defaults.go of Kubernetes 1.36), written into the value, so that
 * it is the object that the API would show. The value has been through schema_check_object: no nulls, no unknown
 * fields. What is of a wrong kind is left alone.
 */
struct value;

void pod_defaults_apply(struct value *pod);
