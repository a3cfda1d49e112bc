//! Kernels that can forward IPv6 for all interfaces or for none: before Linux 6.17. The switches of single interfaces
//! are hidden here, which netns then cannot turn; the global one is the kernel's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{HOST6, INTERNET6, Tcp, ask, at, on_a_host, output, serve, sh};

/// Everything below /proc/sys/net as it is but for `force_forwarding`, also of bridges to come. On a newer kernel the
/// files that a network needs are links to the true ones.
const HIDE: &str = r"
    mkdir /run/true; mount --bind /proc/sys/net /run/true; mount -t tmpfs t /proc/sys/net
    for dir in bridge core ipv4; do ln -s /run/true/$dir /proc/sys/net/$dir; done
    for name in all default lo up0 up1 nb-a nb-b nb-in; do
        mkdir -p /proc/sys/net/ipv6/conf/$name
        for file in accept_dad accept_ra disable_ipv6 forwarding; do
            ln -s /run/true/ipv6/conf/$name/$file /proc/sys/net/ipv6/conf/$name/$file
        done
    done";
/// What a network may change, of interfaces that were there before.
const SWITCHES: &str = "cd /run/true; grep -H . ipv6/conf/*/forwarding ipv6/conf/*/accept_ra";
const RA: &str = "cat /run/true/ipv6/conf/up0/accept_ra";

#[test]
fn all_of_ipv6_is_forwarded_for_as_long_as_there_is_a_network() {
    on_a_host(|| {
        sh(HIDE);
        sh("ip link add up1 type bridge; ip link set up1 up; echo 1 >/run/true/ipv6/conf/up1/forwarding");
        let before = sh(SWITCHES);
        assert!(before.contains("up0/accept_ra:1") && before.contains("all/forwarding:0"), "{before}");
        let made = output("netns net add a");
        assert_eq!(
            String::from_utf8(made.stderr).unwrap(),
            "netns: warning: up0 still learns its routes of IPv6 from routers, although it forwards now: net/ipv6/conf/up0/accept_ra=2, until the last network goes
netns: warning: this kernel can forward IPv6 for all interfaces or for none, and does now for all: net/ipv6/conf/all/forwarding=1, until the last network goes\n"
        );
        sh("netns new web --net a -p '[::]:8080:80'");
        serve("web", "::", 80, "web");
        serve("inet", INTERNET6, 9000, "inet");
        assert_eq!(ask("inet", Tcp, at(HOST6, 8080)).as_deref(), Some("web 2001:db8::1"));
        assert!(ask("web", Tcp, at(INTERNET6, 9000)).is_some());
        let again = output("netns net repair a; netns net add b; netns net add in --internal");
        assert_eq!(String::from_utf8(again.stderr).unwrap(), "");
        sh("netns net rm --force a");
        assert_eq!((sh(RA), sh("cat /run/true/ipv6/conf/all/forwarding")), ("2".to_owned(), "1".to_owned()));
        sh("netns net rm b");
        let after = sh(&format!("netns net rm in; {SWITCHES}"));
        assert_eq!(after, before);
    });
}

#[test]
fn a_host_that_is_a_router_stays_as_it_is() {
    on_a_host(|| {
        sh(HIDE);
        sh("echo 1 >/run/true/ipv6/conf/all/forwarding");
        let before = sh(SWITCHES);
        assert_eq!(output("netns net add a").stderr, b"");
        assert_eq!(sh(RA), "1");
        sh("netns net rm a");
        assert_eq!(sh(SWITCHES), before);
    });
}

#[test]
fn a_new_way_out_is_repaired() {
    on_a_host(|| {
        sh(HIDE);
        sh("netns net add a; ip link add up1 type veth peer name far; ip link set up1 up; ip link set far up
            ip -6 route add default dev up1 metric 2000");
        sh("netns net repair");
        let ra = "cat /run/true/ipv6/conf/up1/accept_ra";
        assert_eq!(sh(ra), "2");
        sh("netns net rm a");
        assert_eq!(sh(ra), "1");
    });
}

#[test]
fn what_cannot_be_turned_is_an_error_and_leaves_nothing() {
    on_a_host(|| {
        sh(HIDE);
        let before = sh(SWITCHES);
        sh("rm /proc/sys/net/ipv6/conf/all/forwarding; mkdir /proc/sys/net/ipv6/conf/all/forwarding");
        let no = common::refusal("netns net add a");
        assert!(no.contains("cannot read /proc/sys/net/ipv6/conf/all/forwarding: Is a directory"), "{no}");
        assert_eq!(sh(SWITCHES), before);
        // Not before others have been turned.
        sh("rmdir /proc/sys/net/ipv6/conf/all/forwarding; cd /run; echo 0 >zero; touch /proc/sys/net/ipv6/conf/all/forwarding
            mount --bind zero /proc/sys/net/ipv6/conf/all/forwarding; mount -o remount,ro,bind /proc/sys/net/ipv6/conf/all/forwarding");
        let no = common::refusal("netns net add a");
        assert!(
            no.contains("cannot write 1 to /proc/sys/net/ipv6/conf/all/forwarding: Read-only file system"),
            "{no}"
        );
        assert_eq!(sh(SWITCHES), before);
        assert_eq!(sh("ip -br link | grep -c nb- || true"), "0");
    });
}

/// Not hidden: with the switches of single interfaces the host goes on learning from routers.
#[test]
fn routes_that_routers_have_advertised_stay() {
    on_a_host(|| {
        // A router advertisement, as radvd(8) sends it: lifetime 1800 s, with the checksum that the kernel fills in.
        let advertise = "ip netns exec inet python3 -c \"
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('e0'))
s.sendto(bytes([134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]), ('ff02::1', 0))\"";
        let learned = "ip -6 route show default proto ra | grep -c . || true";
        sh(&format!("{advertise}; until [ $({learned}) = 1 ]; do sleep 0.01; done"));
        sh("netns net add a; netns new --net a -- true");
        assert_eq!(sh(learned), "1");
        sh("netns net rm --force a");
        assert_eq!(sh(learned), "1");
    });
}
