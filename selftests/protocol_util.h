/* SPDX-License-Identifier: GPL-2.0 */
/* A machine with a server, which a test plays by hand. */
#ifndef PROTOCOL_UTIL_H
#define PROTOCOL_UTIL_H

#include "ask_util.h"

#define SERVER	1

FIXTURE(protocol) {
	struct mr_server server;
	struct vm vm;
	int fd;
};

/* Two regions of MMIO, 3 at address 0 and 4 behind it; the first is served. */
FIXTURE_SETUP(protocol)
{
	catch_signals();
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0),
			    mr_ram(2, 0x1000), dev_create(3, 0x1000),
			    dev_create(4, 0x1000), mr_map(3, 1, 0, 0),
			    mr_map(4, 1, 0x1000, 0),
			    mr_space(DEV_MEMORY, 1)));
	ASSERT_EQ(0, mr_server_create(self->fd, SERVER, 4, 0, 0,
				      &self->server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, SERVER)));
	ASSERT_EQ(0, vm_create(&self->vm, 0));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, DEV_MEMORY, 0, NULL));
	ask_vm_fd = self->vm.fd;
}

FIXTURE_TEARDOWN(protocol)
{
	mr_server_close(&self->server);
	if (self->fd >= 0)
		close(self->fd);
	vm_free(&self->vm);
}

#endif /* PROTOCOL_UTIL_H */
