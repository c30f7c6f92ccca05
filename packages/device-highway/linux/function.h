/* SPDX-License-Identifier: GPL-2.0 */
/* How the PCI driver tells of functions that come and go. */
#ifndef HIGHWAY_FUNCTION_H
#define HIGHWAY_FUNCTION_H

struct highway_function;

int highway_nodes_add_function(struct highway_function *function);
void highway_nodes_remove_function(struct highway_function *function);

#endif
