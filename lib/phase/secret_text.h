#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets that are random text: bootstrap tokens (k8s.io/cluster-bootstrap/token/util) and the key that certificates
 * are uploaded under (kubeadm: phases/copycerts). From the kernel's generator.
 */
struct err;

#define SECRET_TOKEN_MAX 24           /* 6 characters, a dot, 16 characters, NUL */
#define SECRET_CERTIFICATE_KEY_MAX 65 /* 32 bytes in hexadecimal, NUL */

/* "abcdef.0123456789abcdef": characters of [a-z0-9], all as likely. */
int secret_token(char ret[SECRET_TOKEN_MAX], struct err *err);
int secret_certificate_key(char ret[SECRET_CERTIFICATE_KEY_MAX], struct err *err);
