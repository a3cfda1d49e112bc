/*
 * netfloor: the least that a host of a network can cost.
 *
 *     netfloor NET NAME PORT COMMAND [ARGUMENT...]
 *
 * One process makes, with as few system calls as there can be, what
 *
 *     netns new NAME --net NET -p PORT:80 -- COMMAND
 *
 * makes in the kernel: a network namespace, a pair of interfaces with one end at
 * the bridge, addresses and default routes of IPv4 and IPv6, an element of a map
 * of nftables, and a line in the hosts file; it waits for the command, and takes
 * back what does not go with the namespace. NAME may be "-" for none. Nothing is
 * checked but what the kernel answers. What netns costs above this is what its
 * options, its checks and its messages cost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINK_FAILED = 125, NOT_RUNNABLE = 126, NOT_FOUND = 127 };
enum { ETH0 = 2, INSIDE_PORT = 80, FIRST_HOST = 2, LAST_HOST = 254, HOSTS_SIZE = 1 << 16 };

static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "netfloor: cannot %s: %s\n", what, strerror(errno));
	exit(LINK_FAILED);
}

/* ---- messages ---- */

/* Messages on their way out. The last one is acknowledged; others only when refused. */
static struct {
	_Alignas(NLMSG_ALIGNTO) char bytes[4096];
	size_t length;
	struct nlmsghdr *message;
} out;

static void put(const void *data, size_t length)
{
	memcpy(out.bytes + out.length, data, length);
	out.length += NLMSG_ALIGN(length);
}

static void begin(int type, int flags, const void *header, size_t length)
{
	out.message = (struct nlmsghdr *)(out.bytes + out.length);
	struct nlmsghdr message = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };

	put(&message, sizeof message);
	put(header, length);
}

static void end(void)
{
	out.message->nlmsg_len = out.bytes + out.length - (char *)out.message;
}

static void attribute(int type, const void *data, size_t length)
{
	struct nlattr header = { .nla_len = NLA_HDRLEN + length, .nla_type = type };

	put(&header, sizeof header);
	put(data, length);
}

static void number(int type, uint32_t value)
{
	attribute(type, &value, sizeof value);
}

static void text(int type, const char *value)
{
	attribute(type, value, strlen(value) + 1);
}

static size_t open_nest(int type)
{
	size_t start = out.length;

	attribute(type | NLA_F_NESTED, NULL, 0);
	return start;
}

static void close_nest(size_t start)
{
	((struct nlattr *)(out.bytes + start))->nla_len = out.length - start;
}

static int connection(int protocol)
{
	return must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "open a netlink socket");
}

/* Sends all messages, and gives the length of what comes back; answers[] is the first of it. */
static _Alignas(NLMSG_ALIGNTO) char answers[8192];

static int exchange(int socket)
{
	must(send(socket, out.bytes, out.length, 0), "send");
	out.length = 0;
	return must(recv(socket, answers, sizeof answers, MSG_DONTWAIT), "receive");
}

/* The same for messages that are answered with yes or no: 0, or the error number. */
static int ask(int socket)
{
	exchange(socket);
	const struct nlmsghdr *answer = (struct nlmsghdr *)answers;

	if (answer->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
}

static void ask_surely(int socket, const char *what)
{
	errno = ask(socket);
	must(errno ? -1 : 0, what);
}

/* ---- the network ---- */

static struct {
	unsigned index, mtu;
	struct in_addr v4;
	struct in6_addr v6;
} network;

/* The alias of the bridge: "netns 10.210.0.0/24 fd00::/64 ...". */
static void read_subnets(const char *alias)
{
	char v4[INET_ADDRSTRLEN], v6[INET6_ADDRSTRLEN];

	if (sscanf(alias, "netns %15[0-9.]/24 %45[0-9a-f:]/64", v4, v6) != 2 ||
	    inet_pton(AF_INET, v4, &network.v4) != 1 || inet_pton(AF_INET6, v6, &network.v6) != 1) {
		errno = EINVAL;
		must(-1, "read the subnets, a /24 and a /64");
	}
}

static void find_network(int route, const char *name)
{
	struct ifinfomsg none = { .ifi_family = AF_UNSPEC };
	char bridge[IFNAMSIZ];

	snprintf(bridge, sizeof bridge, "nb-%s", name);
	begin(RTM_GETLINK, 0, &none, sizeof none);
	text(IFLA_IFNAME, bridge);
	end();
	exchange(route);
	struct nlmsghdr *answer = (struct nlmsghdr *)answers;

	if (answer->nlmsg_type != RTM_NEWLINK) {
		errno = ENODEV;
		must(-1, bridge);
	}
	struct ifinfomsg *link = NLMSG_DATA(answer);
	int length = IFLA_PAYLOAD(answer);

	network.index = link->ifi_index;
	for (struct rtattr *a = IFLA_RTA(link); RTA_OK(a, length); a = RTA_NEXT(a, length)) {
		if (a->rta_type == IFLA_MTU)
			memcpy(&network.mtu, RTA_DATA(a), sizeof network.mtu);
		if (a->rta_type == IFLA_IFALIAS)
			read_subnets(RTA_DATA(a));
	}
}

static struct in_addr v4(unsigned host)
{
	return (struct in_addr){ .s_addr = htonl(ntohl(network.v4.s_addr) + host) };
}

static struct in6_addr v6(unsigned host)
{
	struct in6_addr address = network.v6;

	address.s6_addr[15] = host;
	return address;
}

/* ---- the host ---- */

static struct {
	int netns, route;
	unsigned number;
	char port[IFNAMSIZ];
} host;

static void make_namespace(void)
{
	int home = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "open the namespace");

	must(unshare(CLONE_NEWNET), "make a namespace");
	host.netns = must(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "open the new namespace");
	host.route = connection(NETLINK_ROUTE);
	must(setns(home, CLONE_NEWNET), "come back");
	close(home);
}

static int make_pair(int route)
{
	struct ifinfomsg near = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, far = { .ifi_family = AF_UNSPEC };
	unsigned char mac[6] = { 0x06, 0, 0, 0, 0, host.number };

	snprintf(host.port, sizeof host.port, "nv%u-%x", network.index, host.number);
	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &near, sizeof near);
	text(IFLA_IFNAME, host.port);
	number(IFLA_MTU, network.mtu);
	number(IFLA_MASTER, network.index);
	size_t info = open_nest(IFLA_LINKINFO);
	text(IFLA_INFO_KIND, "veth");
	size_t data = open_nest(IFLA_INFO_DATA), peer = open_nest(VETH_INFO_PEER);
	put(&far, sizeof far);
	text(IFLA_IFNAME, "eth0");
	number(IFLA_MTU, network.mtu);
	attribute(IFLA_ADDRESS, mac, sizeof mac);
	number(IFLA_NET_NS_FD, host.netns);
	close_nest(peer);
	close_nest(data);
	close_nest(info);
	end();
	return ask(route);
}

/* The kernel, which has each name once, hands out the addresses. */
static void join_network(int route)
{
	for (unsigned i = 0; i <= LAST_HOST - FIRST_HOST; i++) {
		host.number = FIRST_HOST + (getpid() + i) % (LAST_HOST - FIRST_HOST + 1);
		errno = make_pair(route);
		if (errno != EEXIST)
			break;
	}
	must(errno ? -1 : 0, "make a pair of interfaces");
}

static void add_up(int index)
{
	struct ifinfomsg link = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	begin(RTM_NEWLINK, 0, &link, sizeof link);
	end();
}

static void add_address(int family, int prefix, const void *address, size_t length)
{
	struct ifaddrmsg header = {
		.ifa_family = family, .ifa_prefixlen = prefix, .ifa_flags = IFA_F_NODAD, .ifa_index = ETH0,
	};

	begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
	attribute(IFA_LOCAL, address, length);
	attribute(IFA_ADDRESS, address, length);
	end();
}

static void add_default_route(int family, const void *router, size_t length, int flags)
{
	struct rtmsg header = {
		.rtm_family = family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST,
	};

	begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | flags, &header, sizeof header);
	attribute(RTA_GATEWAY, router, length);
	number(RTA_OIF, ETH0);
	end();
}

static void set_up_inside(void)
{
	struct in_addr own4 = v4(host.number), router4 = v4(1);
	struct in6_addr own6 = v6(host.number), router6 = v6(1);

	add_up(1);
	add_up(ETH0);
	add_address(AF_INET, 24, &own4, sizeof own4);
	add_address(AF_INET6, 64, &own6, sizeof own6);
	add_default_route(AF_INET, &router4, sizeof router4, 0);
	add_default_route(AF_INET6, &router6, sizeof router6, NLM_F_ACK);
	ask_surely(host.route, "set up the interfaces inside");
}

/* Whose it is, and that it takes back what it has sent: hosts reach themselves by their published ports. */
static void label_port(int route, const char *name, unsigned port)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	char alias[64];
	uint8_t on = 1;

	snprintf(alias, sizeof alias, "netns %s 127.0.0.1:%u:%u/tcp", name, port, INSIDE_PORT);
	begin(RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
	text(IFLA_IFNAME, host.port);
	text(IFLA_IFALIAS, alias);
	size_t info = open_nest(IFLA_LINKINFO);
	text(IFLA_INFO_SLAVE_KIND, "bridge");
	size_t data = open_nest(IFLA_INFO_SLAVE_DATA);
	attribute(IFLA_BRPORT_MODE, &on, sizeof on);
	close_nest(data);
	close_nest(info);
	end();
	ask_surely(route, "label the port of the bridge");
}

/* ---- the published port ---- */

static void batch(int type)
{
	struct nfgenmsg header = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	begin(type, 0, &header, sizeof header);
	end();
}

static void value(int type, const void *data, size_t length)
{
	size_t nest = open_nest(type);

	attribute(NFTA_DATA_VALUE, data, length);
	close_nest(nest);
}

/* The parts of a key and of a value are four bytes wide each. */
static void change_element(int nft, int type, int flags, const char *net, unsigned port)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET };
	struct { struct in_addr at; uint8_t protocol[4]; uint16_t port[2]; } key = {
		.at.s_addr = htonl(INADDR_LOOPBACK), .protocol = { IPPROTO_TCP }, .port = { htons(port) },
	};
	struct { struct in_addr to; uint16_t port[2]; } target = { v4(host.number), { htons(INSIDE_PORT) } };
	char table[32];

	snprintf(table, sizeof table, "netns-%s", net);
	batch(NFNL_MSG_BATCH_BEGIN);
	begin(NFNL_SUBSYS_NFTABLES << 8 | type, flags | NLM_F_ACK, &header, sizeof header);
	text(NFTA_SET_ELEM_LIST_TABLE, table);
	text(NFTA_SET_ELEM_LIST_SET, "pub4a");
	size_t list = open_nest(NFTA_SET_ELEM_LIST_ELEMENTS), element = open_nest(NFTA_LIST_ELEM);
	value(NFTA_SET_ELEM_KEY, &key, sizeof key);
	if (type == NFT_MSG_NEWSETELEM)
		value(NFTA_SET_ELEM_DATA, &target, sizeof target);
	close_nest(element);
	close_nest(list);
	end();
	batch(NFNL_MSG_BATCH_END);
	ask_surely(nft, "change the published ports");
}

/* ---- the hosts file ---- */

static void change_hosts(const char *net, const char *name, int is_there)
{
	static char before[HOSTS_SIZE];
	char path[64], lines[256], a4[INET_ADDRSTRLEN], a6[INET6_ADDRSTRLEN];
	struct in_addr own4 = v4(host.number);
	struct in6_addr own6 = v6(host.number);

	if (strcmp(name, "-") == 0)
		return;
	snprintf(path, sizeof path, "/run/netns-net/%s/hosts", net);
	int file = must(open(path, O_RDWR | O_CLOEXEC), path);
	must(flock(file, LOCK_EX), "lock the hosts file");
	size_t length = must(read(file, before, sizeof before - 1), "read the hosts file");
	int added = snprintf(lines, sizeof lines, "%s %s %s.netns\n%s %s %s.netns\n",
			     inet_ntop(AF_INET, &own4, a4, sizeof a4), name, name,
			     inet_ntop(AF_INET6, &own6, a6, sizeof a6), name, name);

	if (is_there) {
		must(pwrite(file, lines, added, length), "write the hosts file");
	} else {
		before[length] = '\0';
		char *start = strstr(before, lines);
		size_t tail = start ? length - (start - before) - added : 0;

		if (start && tail)
			must(pwrite(file, start + added, tail, start - before), "write the hosts file");
		if (start)
			must(ftruncate(file, length - added), "cut the hosts file");
	}
	close(file);
}

/* ---- the command ---- */

static int run(char **command)
{
	int status;
	pid_t child = must(vfork(), "start the command");

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(host.netns, CLONE_NEWNET) == 0)
			execvp(command[0], command);
		_exit(errno == ENOENT ? NOT_FOUND : NOT_RUNNABLE);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return LINK_FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Closing a connection that has removed something waits for every processor: somebody else does it. */
static void leave_behind(int nft)
{
	pid_t parent = getpid();

	if (fork() == 0) {
		for (int i = 0; i < 3; i++)
			dup2(nft, i);
		close_range(3, ~0u, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			sleep(1);
		_exit(0);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: netfloor NET NAME PORT COMMAND [ARGUMENT...]\n");
		return LINK_FAILED;
	}
	const char *net = argv[1], *name = argv[2];
	unsigned port = atoi(argv[3]);
	int route = connection(NETLINK_ROUTE);

	find_network(route, net);
	make_namespace();
	join_network(route);
	set_up_inside();
	label_port(route, name, port);
	int nft = connection(NETLINK_NETFILTER);
	change_element(nft, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, net, port);
	change_hosts(net, name, 1);
	int status = run(argv + 4);
	change_hosts(net, name, 0);
	change_element(nft, NFT_MSG_DELSETELEM, 0, net, port);
	leave_behind(nft);
	return status;
}
