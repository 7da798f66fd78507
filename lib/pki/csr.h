#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate signing requests (PKCS #10) as kubeadm makes them (pkiutil.NewCSR on Go's x509.CreateCertificateRequest):
 * subject, public key, alternative names. What the certificate may be used for is left to who signs it.
 */
struct buf;
struct err;
struct pki_cert_spec;
struct pki_key;

/* Appends the request as PEM ("CERTIFICATE REQUEST"). Of spec the names count: common_name, organizations, dns_names,
 * addresses. */
int pki_csr_write(const struct pki_cert_spec *spec, const struct pki_key *key, struct buf *out, struct err *err);
