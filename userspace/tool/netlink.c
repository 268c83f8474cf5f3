// SPDX-License-Identifier: MIT
/* Requests to the generic netlink family of mregion. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include <linux/mregion_netlink.h>

#include "netlink.h"
#include "tool.h"

/* How often a dump is begun anew before that is an error. */
#define MAX_DUMPS	16

/* A reply may be as long as the kernel makes any. */
#define RECEIVE_SIZE	(1 << 20)

/* Room for events that come faster than they are read. */
#define EVENTS_SIZE	(8 << 20)

#define NO_FAMILY \
	"no generic netlink family \"" MREGION_FAMILY_NAME \
	"\": is the module loaded? (modprobe mregion)"

/* libnl has errors of its own, which few errnos come through unchanged. */
static int errno_of(int nl_err)
{
	switch (-nl_err) {
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_PERM:
		return EPERM;
	case NLE_NOACCESS:
		return EACCES;
	case NLE_OBJ_NOTFOUND:
		return ENOENT;
	case NLE_MSG_TRUNC:
	case NLE_MSG_TOOSHORT:
		return EBADMSG;
	case NLE_AF_NOSUPPORT:
		return EAFNOSUPPORT;
	case NLE_PROTO_MISMATCH:
		return EPROTONOSUPPORT;
	case NLE_NOADDR:
		return EADDRNOTAVAIL;
	default:
		return EIO;
	}
}

static void say_more(struct nl_sock *sock)
{
	int fd = nl_socket_get_fd(sock), one = 1;

	/* Kernels without these say less, and that is all. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
}

bool netlink_open(struct netlink *nl)
{
	int ret;

	memset(nl, 0, sizeof(*nl));
	nl->sock = nl_socket_alloc();
	if (!nl->sock) {
		tool_error("out of memory");
		return false;
	}
	ret = genl_connect(nl->sock);
	if (ret) {
		tool_error("generic netlink: %s", nl_geterror(ret));
		goto fail;
	}
	nl_socket_set_buffer_size(nl->sock, RECEIVE_SIZE, 0);
	say_more(nl->sock);
	nl->family = genl_ctrl_resolve(nl->sock, MREGION_FAMILY_NAME);
	if (nl->family == -NLE_OBJ_NOTFOUND) {
		tool_error(NO_FAMILY);
		goto fail;
	}
	if (nl->family < 0) {
		tool_error("generic netlink family \"%s\": %s",
			   MREGION_FAMILY_NAME, nl_geterror(nl->family));
		goto fail;
	}
	return true;
fail:
	netlink_close(nl);
	return false;
}

void netlink_close(struct netlink *nl)
{
	nl_socket_free(nl->sock);
	nl->sock = NULL;
}

/* An answer that is being read; a late one comes after an error. */
struct answer {
	struct netlink *nl;
	void (*read)(const struct nlmsghdr *message, void *arg);
	void *arg;
	int err;
	bool is_late;
	bool ended;
	bool interrupted;
};

/* What the kernel says of an error is in attributes behind what it answers. */
static void take_message(const struct answer *answer,
			 const struct nlmsghdr *message, size_t offset)
{
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	struct netlink *nl = answer->nl;
	const char *text;

	if (answer->is_late || !(message->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    message->nlmsg_len < NLMSG_HDRLEN + offset)
		return;
	if (nla_parse(attrs, NLMSGERR_ATTR_MAX,
		      (struct nlattr *)((char *)nlmsg_data(message) + offset),
		      message->nlmsg_len - NLMSG_HDRLEN - offset, NULL))
		return;
	if (!attrs[NLMSGERR_ATTR_MSG])
		return;
	text = nla_data(attrs[NLMSGERR_ATTR_MSG]);
	snprintf(nl->message, sizeof(nl->message), "%.*s",
		 (int)strnlen(text, nla_len(attrs[NLMSGERR_ATTR_MSG])), text);
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	answer->read(nlmsg_hdr(msg), answer->arg);
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	answer->ended = true;
	return NL_STOP;
}

/* The end of a dump says whether it is one. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *message = nlmsg_hdr(msg);
	struct answer *answer = arg;
	int err;

	answer->ended = true;
	if (message->nlmsg_len < NLMSG_HDRLEN + sizeof(err))
		return NL_STOP;
	memcpy(&err, nlmsg_data(message), sizeof(err));
	if (err < 0) {
		answer->err = err;
		take_message(answer, message, NLMSG_ALIGN(sizeof(err)));
	}
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	const struct nlmsghdr *message;
	struct answer *answer = arg;
	size_t offset = sizeof(*error);

	(void)from;
	message = (const struct nlmsghdr *)((char *)error - NLMSG_HDRLEN);
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
	answer->ended = true;
	answer->err = error->error;
	take_message(answer, message, offset);
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	answer->interrupted = true;
	return NL_OK;
}

/* Return: the request as a message, or NULL: out of memory. */
static struct nl_msg *make_message(struct netlink *nl,
				   const struct netlink_request *request)
{
	struct nl_msg *msg = nlmsg_alloc();
	unsigned int i;
	int ret;

	if (!msg)
		return NULL;
	ret = genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
			  request->dump ? NLM_F_DUMP : 0, request->command,
			  MREGION_FAMILY_VERSION) ? 0 : -NLE_NOMEM;
	for (i = 0; i < request->nr && !ret; i++) {
		const struct netlink_number *number = &request->numbers[i];

		ret = number->is_u64 ?
			nla_put_u64(msg, number->type, number->value) :
			nla_put_u32(msg, number->type, number->value);
	}
	if (!ret) {
		nl_complete_msg(nl->sock, msg);
		return msg;
	}
	nlmsg_free(msg);
	return NULL;
}

/* What is sent at once the kernel deals with before it returns. */
static int send_requests(struct netlink *nl,
			 const struct netlink_question *questions,
			 unsigned int nr)
{
	size_t size = 0, len;
	char *buffer = NULL;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		struct nl_msg *msg = make_message(nl, &questions[i].request);

		if (!msg) {
			free(buffer);
			return -ENOMEM;
		}
		len = nlmsg_hdr(msg)->nlmsg_len;
		buffer = tool_grow(buffer, size + NLMSG_ALIGN(len), 1);
		memset(buffer + size, 0, NLMSG_ALIGN(len));
		memcpy(buffer + size, nlmsg_hdr(msg), len);
		size += NLMSG_ALIGN(len);
		nlmsg_free(msg);
	}
	ret = nl_sendto(nl->sock, buffer, size);
	free(buffer);
	return ret < 0 ? -errno_of(ret) : 0;
}

/* Return: 0, or a negative errno, after which no other answer can be read. */
static int receive(struct netlink *nl, struct answer *answer)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, answer);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, answer);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, answer);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, answer);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, answer);
	while (!ret && !answer->ended) {
		ret = nl_recvmsgs(nl->sock, cb);
		ret = ret < 0 ? -errno_of(ret) : 0;
	}
	nl_cb_put(cb);
	return ret;
}

static int ask_once(struct netlink *nl,
		    const struct netlink_question *questions, unsigned int nr,
		    bool *interrupted)
{
	int ret = send_requests(nl, questions, nr), err = 0;
	unsigned int i;

	nl->message[0] = '\0';
	for (i = 0; i < nr && !ret; i++) {
		struct answer answer = {
			.nl = nl,
			.read = questions[i].read,
			.arg = questions[i].arg,
			.is_late = err,
		};

		questions[i].begin(questions[i].arg);
		ret = receive(nl, &answer);
		*interrupted |= answer.interrupted;
		err = err ? err : answer.err;
	}
	return ret ? ret : err;
}

int netlink_ask_all(struct netlink *nl,
		    const struct netlink_question *questions, unsigned int nr)
{
	unsigned int dumps;

	for (dumps = 0; dumps < MAX_DUMPS; dumps++) {
		bool interrupted = false;
		int ret = ask_once(nl, questions, nr, &interrupted);

		if (ret || !interrupted)
			return ret;
	}
	return -EAGAIN;
}

struct nl_sock *netlink_join(struct netlink *nl, int size)
{
	struct nl_sock *sock;
	int group, ret;

	size = size ? size : EVENTS_SIZE;
	group = genl_ctrl_resolve_grp(nl->sock, MREGION_FAMILY_NAME,
				      MREGION_MCGRP_EVENTS);
	if (group < 0) {
		netlink_complain(nl, errno_of(group), "group \"%s\"",
				 MREGION_MCGRP_EVENTS);
		return NULL;
	}
	sock = nl_socket_alloc();
	if (!sock) {
		tool_error("out of memory");
		return NULL;
	}
	nl_socket_disable_seq_check(sock);
	ret = genl_connect(sock);
	/* More than users can have, where this one may. */
	if (!ret && setsockopt(nl_socket_get_fd(sock), SOL_SOCKET,
			       SO_RCVBUFFORCE, &size, sizeof(size)))
		nl_socket_set_buffer_size(sock, size, 0);
	if (!ret)
		ret = nl_socket_add_membership(sock, group);
	if (!ret)
		ret = nl_socket_set_nonblocking(sock);
	if (ret) {
		netlink_complain(nl, errno_of(ret), "cannot receive events");
		nl_socket_free(sock);
		return NULL;
	}
	return sock;
}

void netlink_complain(const struct netlink *nl, int err, const char *fmt, ...)
{
	const char *reason = nl->message[0] ? nl->message : strerror(err);
	const char *hint = "";
	va_list args;
	char *what;

	va_start(args, fmt);
	if (vasprintf(&what, fmt, args) < 0)
		what = NULL;
	va_end(args);
	if (err == EPERM)
		hint = ": it takes CAP_NET_ADMIN in the user namespace that owns this network namespace";
	tool_error("%s: %s%s", what ? what : "mregion", reason, hint);
	free(what);
}
