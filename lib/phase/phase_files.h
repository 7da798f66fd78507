#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a phase has rendered and not yet written. phase.h has what phases use.
 */
struct phase_files;

struct phase_files *phase_files_new(void);
struct phase_files *phase_files_free(struct phase_files *files);
