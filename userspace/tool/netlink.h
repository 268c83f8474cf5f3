/* SPDX-License-Identifier: MIT */
/* Requests to the generic netlink family of mregion. */
#ifndef MREGION_TOOL_NETLINK_H
#define MREGION_TOOL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

struct nl_sock;

#define NETLINK_MESSAGE_SIZE	256

/**
 * struct netlink - a socket that requests are made on
 * @sock: the socket
 * @family: number of the family
 * @message: what the kernel said of the last error; "" if it said nothing
 */
struct netlink {
	struct nl_sock *sock;
	int family;
	char message[NETLINK_MESSAGE_SIZE];
};

/**
 * struct netlink_number - an attribute of a request
 * @type: its type
 * @is_u64: it has 64 bits, not 32
 * @value: its value
 */
struct netlink_number {
	int type;
	bool is_u64;
	uint64_t value;
};

/**
 * struct netlink_request - a request
 * @command: enum mregion_cmd
 * @dump: for all objects, not for one
 * @nr: how many attributes it has
 * @numbers: its attributes
 */
struct netlink_request {
	uint8_t command;
	bool dump;
	unsigned int nr;
	struct netlink_number numbers[4];
};

/**
 * netlink_open() - open a socket
 *
 * Return: false after a complaint.
 */
bool netlink_open(struct netlink *nl);

void netlink_close(struct netlink *nl);

/**
 * struct netlink_question - a request, and what becomes of its answer
 * @request: the request
 * @begin: called before the first message; again if the kernel says that a dump
 *	is not of one piece, and all of it comes once more
 * @read: called for each message
 * @arg: passed to both
 */
struct netlink_question {
	struct netlink_request request;
	void (*begin)(void *arg);
	void (*read)(const struct nlmsghdr *message, void *arg);
	void *arg;
};

/**
 * netlink_ask_all() - make requests and read what is answered
 * @nl: the socket
 * @questions: the requests; the last one alone may be a dump
 * @nr: how many
 *
 * The kernel answers all in one system call, so that next to nothing happens
 * between them. Return: 0, or a negative errno: of the first that failed.
 */
int netlink_ask_all(struct netlink *nl,
		    const struct netlink_question *questions, unsigned int nr);

/**
 * netlink_join() - open a socket that receives the family's events
 * @nl: a socket for requests
 * @size: bytes that it has room for; 0: many
 *
 * The socket does not block. Return: NULL after a complaint.
 */
struct nl_sock *netlink_join(struct netlink *nl, int size);

/**
 * netlink_complain() - say what went wrong, and what may help
 * @nl: the socket
 * @err: positive errno
 * @fmt: what it is about, as for printf()
 */
__attribute__((format(printf, 3, 4)))
void netlink_complain(const struct netlink *nl, int err, const char *fmt, ...);

#endif
