#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting a kept version of a manifest back into its file. podwatch then takes it as it takes any edit: prepared while
 * the other runs, and numbered anew.
 */
struct err;
struct revision_pod;
struct revisions;

/* number 0: what undoes the last edit; where the file holds what is not in force (it does not parse, say), the version
 * in force, else the one before it. The file is replaced whole, with the mode and owner that it has; a link is
 * followed. A version that podwatch would not take today is refused. 0: written; 1: the file holds it already.
 * *ret_number is what was chosen. */
int rollback(struct revisions *revisions, const struct revision_pod *pod, unsigned number, unsigned *ret_number,
             struct err *err);
