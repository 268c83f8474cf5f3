// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include <linux/mregion.h>

#include "model.h"

/* Whether @goal is @id, or mapped somewhere below it. What aliases show is not. */
static bool model_holds(const struct model *m, int id, int goal)
{
	int i;

	if (id == goal)
		return true;
	for (i = 0; i < MODEL_REGIONS; i++)
		if (m->region[i].used && m->region[i].parent == id &&
		    model_holds(m, i, goal))
			return true;
	return false;
}

/**
 * model_map_error() - whether a region can be mapped into another
 * @m: the hierarchy
 * @parent: index of the region that is to hold it
 * @id: index of the region
 *
 * Return: 0 or a negative errno, see MREGION_OP_MAP.
 */
int model_map_error(const struct model *m, int parent, int id)
{
	if (m->region[parent].kind == MREGION_ALIAS)
		return -EINVAL;
	if (m->region[id].parent >= 0)
		return -EBUSY;
	return model_holds(m, id, parent) ? -ELOOP : 0;
}

/**
 * model_map() - map a region into another
 * @m: the hierarchy
 * @parent: index of the region that is to hold it
 * @id: index of the region
 * @addr: offset in @parent
 * @priority: among siblings
 */
void model_map(struct model *m, int parent, int id, u64 addr, int priority)
{
	m->region[id].parent = parent;
	m->region[id].addr = addr;
	m->region[id].priority = priority;
	m->mapped[m->nr_mapped++] = id;
}

/**
 * model_unmap() - take a region out of its parent
 * @m: the hierarchy
 * @id: index of the region
 */
void model_unmap(struct model *m, int id)
{
	int i, nr = 0;

	m->region[id].parent = -1;
	for (i = 0; i < m->nr_mapped; i++)
		if (m->mapped[i] != id)
			m->mapped[nr++] = m->mapped[i];
	m->nr_mapped = nr;
}

/**
 * model_busy() - whether a region is mapped, or holds or is shown by others
 * @m: the hierarchy
 * @id: index of the region
 */
bool model_busy(const struct model *m, int id)
{
	int i;

	for (i = 0; i < MODEL_REGIONS; i++)
		if (m->region[i].used &&
		    (m->region[i].parent == id || m->region[i].target == id))
			return true;
	return m->region[id].parent >= 0;
}

/**
 * model_in_way() - whether a region is where another one may not be mapped over it
 * @m: the hierarchy
 * @parent: index of the region that is to hold the other one
 * @id: index of the region
 * @addr: offset in @parent of the other one
 * @last: its length less one
 * @priority: its priority
 */
bool model_in_way(const struct model *m, int parent, int id, u64 addr, u64 last,
		  int priority)
{
	const struct model_region *r = &m->region[id];

	if (!r->used || r->parent != parent || r->priority != priority ||
	    r->flags & MREGION_REGION_DISABLED)
		return false;
	return r->addr < addr ? addr - r->addr <= r->last :
				r->addr - addr <= last;
}

/**
 * model_shows() - find all regions that show one of some regions
 * @m: the hierarchy
 * @shown: by index: in: those regions; out: those, and all above them
 */
void model_shows(const struct model *m, bool *shown)
{
	bool more;
	int i;

	do {
		more = false;
		for (i = 0; i < MODEL_REGIONS; i++) {
			const struct model_region *r = &m->region[i];

			if (!r->used)
				continue;
			if (r->target >= 0 && shown[r->target] && !shown[i])
				shown[i] = more = true;
			if (r->parent >= 0 && shown[i] && !shown[r->parent])
				shown[r->parent] = more = true;
		}
	} while (more);
}

/**
 * model_sort() - find out the order of all subregions
 * @m: the hierarchy
 *
 * Descending priority; among equals the one mapped later is on top.
 */
void model_sort(struct model *m)
{
	int parent, i, nr = 0;

	for (parent = 0; parent < MODEL_REGIONS; parent++) {
		m->first[parent] = nr;
		if (!m->region[parent].used)
			continue;
		for (i = m->nr_mapped - 1; i >= 0; i--) {
			int id = m->mapped[i], at = nr;

			if (m->region[id].parent != parent)
				continue;
			while (at > m->first[parent] &&
			       m->region[m->children[at - 1]].priority <
			       m->region[id].priority) {
				m->children[at] = m->children[at - 1];
				at--;
			}
			m->children[at] = id;
			nr++;
		}
	}
	m->first[MODEL_REGIONS] = nr;
}
