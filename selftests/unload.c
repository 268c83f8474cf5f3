// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever holds the module keeps it: servers, shadow memory, and guests whose
 * device is a server's. And afterwards it can be unloaded.
 */
#include "kselftest_harness.h"
#include "ask_util.h"

#define SERVER	1
#define SPIN	50	/* us */

FIXTURE(module) {
	const char *path;
	bool skip;
};

FIXTURE_SETUP(module)
{
	struct rig rig;

	catch_signals();
	self->path = getenv("MREGION_KO");
	self->skip = !self->path || mr_module_references();
	if (self->skip)
		return;
	ASSERT_EQ(0, rig_open(&rig, 0));
	self->skip = !mr_module_can_unload();
	rig_close(&rig);
}

/* Afterwards it can be unloaded, and comes back. */
FIXTURE_TEARDOWN(module)
{
	int err = -EAGAIN;

	if (self->skip)
		return;
	mr_until(err != -EAGAIN || (err = mr_module_unload()) != -EAGAIN);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, mr_module_load(self->path));
}

#define SKIP_MAYBE()							\
	do {								\
		if (self->skip)						\
			SKIP(return, "the module cannot be unloaded, or MREGION_KO does not name its file");		\
	} while (0)

/* A server's descriptor, or its mapping, with the machine closed. */
TEST_F(module, has_a_server)
{
	struct mr_server server;
	int fd;

	SKIP_MAYBE();
	fd = mr_open();
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	ASSERT_EQ(0, mr_server_create(fd, SERVER, 4, 0, 0, &server));
	close(fd);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	close(server.fd);
	server.fd = -1;
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	EXPECT_EQ(4, server.header->nr_slots);
	mr_server_close(&server);
}

TEST_F(module, has_a_server_without_mapping)
{
	struct mr_server server;
	struct waiter waiter;
	int fd;

	SKIP_MAYBE();
	fd = mr_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, mr_server_create(fd, SERVER, 4, 0, 0, &server));
	munmap(server.header, server.bytes);
	server.header = NULL;
	ASSERT_EQ(0, start_waiter(&waiter, &server));
	usleep(10000);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	close(fd);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	close(server.fd);
}

/* Shadow memory is the same in this. */
TEST_F(module, has_shadow_memory)
{
	struct mr_shadow shadow;
	int fd;

	SKIP_MAYBE();
	fd = mr_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, mr_shadow_create(fd, 1, 64, &shadow));
	close(fd);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	close(shadow.fd);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	shadow.memory[0] = 1;
	munmap(shadow.memory, shadow.len);
}

/* A vCPU waits for a server in another process; each goes in turn. */
TEST_F(module, goes_last)
{
	struct serving serving = {};
	struct device *device;
	struct client client;
	bool stop = false;
	struct rig rig;

	SKIP_MAYBE();
	device = device_new();
	ASSERT_NE(NULL, device);
	device->delay = 100;
	ASSERT_EQ(0, rig_open(&rig, 1));
	serving.device = device;
	ASSERT_EQ(0, mr_server_create(rig.fd, SERVER, 2, SPIN, 0,
				      &serving.server));
	ASSERT_EQ(0, bind_devices(&rig, SERVER));
	ASSERT_EQ(0, serving_process(&serving, &rig, 1, NULL));
	client = (struct client){
		.rig = &rig, .vcpu = &rig.vm.vcpus[0], .device = device,
		.stop = &stop,
	};
	ASSERT_EQ(0, pthread_create(&client.thread, NULL, client_thread,
				    &client));
	while (!counted(&client.numbers)) {
		EXPECT_EQ(-EAGAIN, mr_module_unload());
		usleep(1000);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(client.thread, NULL);
	EXPECT_EQ(0, client.err);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	vm_free(&rig.vm);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	close(rig.fd);
	/* The server's process sees the end of it by itself. */
	EXPECT_EQ(serving.child, waitpid(serving.child, NULL, 0));
	munmap(device, sizeof(*device));
}

TEST_HARNESS_MAIN
