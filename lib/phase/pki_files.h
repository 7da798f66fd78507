#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and keys below certificatesDir: loading, with the texts of kubeadm (cmd/kubeadm/app/util/pkiutil and
 * phases/certs), and writing. A pair is known by its base name: "etcd/server" is etcd/server.crt and etcd/server.key.
 * Everything that needs GnuTLS stays behind this, certs.h, external_ca.h and kubeconfig_phase.h: programs that do not
 * call them do not load it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"
#include "pki/cert.h"
#include "pki/key.h"

struct err;
struct phase;

struct pki_files {
        struct phase *phase;
        int64_t now;         /* seconds since 1970: all times of one run are counted from here */
        struct strv checked; /* whose validity period was looked at: warned about once */
};

void pki_files_init(struct pki_files *files, struct phase *phase);
void pki_files_release(struct pki_files *files);
#define CLEANUP_PKI_FILES __attribute__((cleanup(pki_files_release)))

/* certificatesDir/BASE_NAME.crt or .key, for messages and phase_add_file. Free it. */
char *pki_files_path(const struct pki_files *files, const char *base_name, const char *suffix);
/* One of the two is there. */
bool pki_files_any(const struct pki_files *files, const char *base_name);

/* TryLoadCertChainFromDisk: "couldn't load the certificate file PATH: ..." */
int pki_files_load_certs(const struct pki_files *files, const char *base_name, struct pki_certs *ret, struct err *err);
/* TryLoadKeyFromDisk: "couldn't load the private key file PATH: ..." */
int pki_files_load_key(const struct pki_files *files, const char *base_name, struct pki_key **ret, struct err *err);
/* TryLoadCertAndKeyFromDisk: the two with "failed to load certificate: " and "failed to load key: " in front. */
int pki_files_load_pair(const struct pki_files *files, const char *base_name, struct pki_certs *ret_certs,
                        struct pki_key **ret_key, struct err *err);
/* LoadCertificateAuthority: the pair of a CA, whose period is looked at (pki_files_check_period). */
int pki_files_load_authority(struct pki_files *files, const char *base_name, struct pki_certs *ret_certs,
                             struct pki_key **ret_key, struct err *err);
/* keyutil.PrivateKeyFromFile of any file. 0; 1: it is missing; -ERR_UNSUPPORTED: a key of another kind. */
int pki_files_read_key(const struct pki_files *files, const char *path, struct pki_key **ret, struct err *err);

/* CheckCertificatePeriodValidity: warns where cert is not valid now, once for each `name`. */
void pki_files_check_period(struct pki_files *files, const char *name, const struct pki_cert *cert);

/* Takes certificate and key for phase_commit (WriteCertAndKey): 0644 and 0600, directories 0755. context: what a
 * failure to write them is wrapped in. */
int pki_files_add_pair(const struct pki_files *files, const char *base_name, const struct pki_cert *cert,
                       const struct pki_key *key, const char *context, struct err *err);

/* Ends a run whose result so far is r: writes what was taken, all or none. After a failure nothing is written, unless a
 * kubeadm version was asked for by name: that leaves what it made before. *ret_written (may be NULL): whether what was
 * taken is on disk. r, or the error of writing. */
int pki_files_finish(const struct pki_files *files, int r, bool *ret_written, struct err *err);

/* Certificate for key, signed by ca, or by itself where ca is NULL: fills in what the era and the configuration say
 * about all of them (validity, extensions). CA names in messages are those of ca_base_name's files. */
int pki_files_issue(const struct pki_files *files, struct pki_cert_spec *spec, const struct pki_key *key,
                    const struct pki_cert *ca, const struct pki_key *ca_key, const char *ca_base_name,
                    struct pki_cert **ret, struct err *err);

/* ClusterConfiguration.encryptionAlgorithm, and the feature gate PublicKeysECDSA that was there before it
 * (EncryptionAlgorithmType). */
int pki_files_algorithm(const struct pki_files *files, enum pki_algorithm *ret, struct err *err);
