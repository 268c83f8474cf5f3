/* SPDX-License-Identifier: MIT */
/* A virtio entropy device: the host's random numbers; virtio 1.0, section 5.4 */
#ifndef VMM_VIRTIO_RNG_H
#define VMM_VIRTIO_RNG_H

#include "virtio.h"

extern const struct virtio_type virtio_rng_type;

#endif /* VMM_VIRTIO_RNG_H */
