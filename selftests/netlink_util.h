/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family, by libnl: requests, dumps and events. */
#ifndef NETLINK_UTIL_H
#define NETLINK_UTIL_H

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/genetlink.h>
#include <linux/mregion_netlink.h>
#include <linux/netlink.h>

#define NL_MAX_ATTRS	32

struct nl {
	struct nl_sock *sock;
	int family;
};

/* Messages that were received, and what an error said. */
struct replies {
	struct nlmsghdr **msgs;
	unsigned int nr;
	int err;		/* as the kernel gives it, or 0 */
	char why[128];
	uint16_t attr;		/* the attribute that it was about, or is missing */
	bool interrupted;
};

static inline int mr_nl_open(struct nl *nl)
{
	nl->family = -1;
	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		return -ENOMEM;
	nl_socket_disable_auto_ack(nl->sock);
	nl_socket_disable_seq_check(nl->sock);
	if (genl_connect(nl->sock))
		return -EIO;
	if (setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, NETLINK_EXT_ACK,
		       &(int){ 1 }, sizeof(int)))
		return -errno;
	nl->family = genl_ctrl_resolve(nl->sock, MREGION_FAMILY_NAME);
	return nl->family < 0 ? -ENOENT : 0;
}

static inline void mr_nl_close(struct nl *nl)
{
	nl_socket_free(nl->sock);
}

static inline void replies_free(struct replies *replies)
{
	unsigned int i;

	for (i = 0; i < replies->nr; i++)
		free(replies->msgs[i]);
	free(replies->msgs);
	memset(replies, 0, sizeof(*replies));
}

static inline void replies_add(struct replies *replies,
			       const struct nlmsghdr *msg)
{
	struct nlmsghdr *copy = malloc(msg->nlmsg_len);

	memcpy(copy, msg, msg->nlmsg_len);
	replies->msgs = realloc(replies->msgs,
				(replies->nr + 1) * sizeof(copy));
	replies->msgs[replies->nr++] = copy;
}

/* What a message of type NLMSG_ERROR, or NLMSG_DONE, says beside its number. */
static inline void replies_why(struct replies *replies, struct nlmsghdr *msg,
			       size_t skip, const struct nlattr *request)
{
	struct nlattr *attrs = nlmsg_data(msg) + NLMSG_ALIGN(skip), *attr;
	int left = (char *)msg + msg->nlmsg_len - (char *)attrs;

	nla_for_each_attr(attr, attrs, left, left) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(replies->why, sizeof(replies->why), "%s",
				 nla_get_string(attr));
		else if (nla_type(attr) == NLMSGERR_ATTR_OFFS && request)
			replies->attr = nla_type((struct nlattr *)
				((char *)request - NLMSG_HDRLEN - GENL_HDRLEN +
				 nla_get_u32(attr)));
		else if (nla_type(attr) == NLMSGERR_ATTR_MISS_TYPE)
			replies->attr = nla_get_u32(attr);
	}
}

/* Take in what was received; whether nothing more is to come. */
static inline bool replies_take(struct replies *replies, struct nlmsghdr *msg,
				int len, const struct nlattr *request)
{
	for (; nlmsg_ok(msg, len); msg = nlmsg_next(msg, &len)) {
		const struct nlmsgerr *err = nlmsg_data(msg);

		replies->interrupted |= !!(msg->nlmsg_flags & NLM_F_DUMP_INTR);
		if (msg->nlmsg_type == NLMSG_ERROR) {
			size_t skip = sizeof(*err);

			replies->err = err->error;
			if (err->error && !(msg->nlmsg_flags & NLM_F_CAPPED))
				skip += err->msg.nlmsg_len - NLMSG_HDRLEN;
			if (msg->nlmsg_flags & NLM_F_ACK_TLVS)
				replies_why(replies, msg, skip, request);
			return true;
		}
		if (msg->nlmsg_type == NLMSG_DONE) {
			replies->err = *(int *)nlmsg_data(msg);
			if (msg->nlmsg_flags & NLM_F_ACK_TLVS)
				replies_why(replies, msg, sizeof(int), request);
			return true;
		}
		replies_add(replies, msg);
		if (!(msg->nlmsg_flags & NLM_F_MULTI))
			return true;
	}
	return false;
}

/* Send @msg, which is freed, and receive all that is answered. */
static inline int nl_talk(struct nl *nl, struct nl_msg *msg,
			  struct replies *replies)
{
	struct nlattr *request = genlmsg_attrdata(nlmsg_data(nlmsg_hdr(msg)), 0);
	struct sockaddr_nl from;
	unsigned char *buf;
	bool done = false;
	int len;

	memset(replies, 0, sizeof(*replies));
	if (nl_send_auto(nl->sock, msg) < 0)
		replies->err = -EIO;
	while (!done && !replies->err) {
		len = nl_recv(nl->sock, &from, &buf, NULL);
		if (len <= 0) {
			replies->err = -EIO;
			break;
		}
		done = replies_take(replies, (struct nlmsghdr *)buf, len,
				    request);
		free(buf);
	}
	nlmsg_free(msg);
	return replies->err;
}

static inline struct nl_msg *nl_request(struct nl *nl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
		    NLM_F_REQUEST | flags, cmd, MREGION_FAMILY_VERSION);
	return msg;
}

/* An attribute of a request: a number of 4 bytes, or of 8 where it is wide. */
struct arg {
	int attr;
	uint64_t value;
	bool wide;
};

#define ARG(_attr, _value)	{ .attr = (_attr), .value = (_value) }
#define WIDE(_attr, _value)	{ .attr = (_attr), .value = (_value), .wide = true }

static inline int nl_ask_args(struct nl *nl, int cmd, int flags,
			      const struct arg *args, unsigned int nr,
			      struct replies *replies)
{
	struct nl_msg *msg = nl_request(nl, cmd, flags);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (args[i].wide)
			nla_put_u64(msg, args[i].attr, args[i].value);
		else
			nla_put_u32(msg, args[i].attr, args[i].value);
	}
	return nl_talk(nl, msg, replies);
}

#define NL_ASK(nl, cmd, flags, replies, ...) ({				\
	const struct arg __args[] = { __VA_ARGS__ };			\
									\
	nl_ask_args(nl, cmd, flags, __args,				\
		    sizeof(__args) / sizeof(__args[0]), replies);	\
})
#define NL_DO(nl, cmd, replies, ...)	NL_ASK(nl, cmd, 0, replies, __VA_ARGS__)
#define NL_DUMP(nl, cmd, replies, ...) \
	NL_ASK(nl, cmd, NLM_F_DUMP, replies, __VA_ARGS__)

static inline struct nlattr *nl_attr(const struct nlmsghdr *msg, int attr)
{
	struct genlmsghdr *head = nlmsg_data(msg);

	return nla_find(genlmsg_attrdata(head, 0), genlmsg_attrlen(head, 0),
			attr);
}

static inline int nl_cmd(const struct nlmsghdr *msg)
{
	return ((struct genlmsghdr *)nlmsg_data(msg))->cmd;
}

/* A number that a message has, or 0 if it has none. */
static inline uint64_t nl_number(const struct nlmsghdr *msg, int attr)
{
	struct nlattr *found = nl_attr(msg, attr);

	if (!found)
		return 0;
	return nla_len(found) == 8 ? nla_get_u64(found) : nla_get_u32(found);
}

static inline uint64_t nla_number(struct nlattr *nest, int attr)
{
	struct nlattr *found = nla_find(nla_data(nest), nla_len(nest), attr);

	if (!found)
		return 0;
	return nla_len(found) == 8 ? nla_get_u64(found) : nla_get_u32(found);
}

static inline int nl_join(struct nl *nl)
{
	int group = genl_ctrl_resolve_grp(nl->sock, MREGION_FAMILY_NAME,
					  MREGION_MCGRP_EVENTS);

	if (group < 0)
		return -ENOENT;
	return setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK,
			  NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ?
	       -errno : 0;
}

/*
 * The next event, to be freed, or NULL when none comes within the time. What
 * was lost is counted in @lost.
 */
static inline struct nlmsghdr *nl_event(struct nl *nl, int timeout_ms,
					unsigned int *lost)
{
	int fd = nl_socket_get_fd(nl->sock), len;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char buf[32768];
	struct nlmsghdr *copy;

	for (;;) {
		if (poll(&poll_fd, 1, timeout_ms) != 1)
			return NULL;
		len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len > 0)
			break;
		if (errno != ENOBUFS)
			return NULL;
		++*lost;
	}
	copy = malloc(len);
	memcpy(copy, buf, len);
	return copy;
}

#endif /* NETLINK_UTIL_H */
