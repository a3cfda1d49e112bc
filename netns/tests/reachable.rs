//! Who reaches whom: the outside, the host, hosts of a network and of another one; TCP and UDP, IPv4 and IPv6.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    HOST4, HOST6, INTERNET4, INTERNET6, Tcp, Udp, address, ask, ask_udp, at, inside, on_a_host, serve, sh,
};
use std::net::UdpSocket;
use std::time::Duration;

/// A network with a host `web` that is published on all addresses, port 8080, and serves at port 80.
fn web() {
    sh("netns net add n
        netns new web --net n -p 0.0.0.0:8080:80 -p '[::]:8080:80' -p 0.0.0.0:8080:80/udp -p '[::]:8080:80/udp'");
    serve("web", "::", 80, "web");
}

/// Each protocol, with the addresses of one family or the other.
fn each(mut check: impl FnMut(common::Protocol, u8)) {
    for protocol in [Tcp, Udp] {
        for family in [4, 6] {
            check(protocol, family);
        }
    }
}

fn of<'a>(family: u8, v4: &'a str, v6: &'a str) -> &'a str {
    if family == 4 { v4 } else { v6 }
}

fn router(family: u8) -> String {
    sh(&format!("ip -{family} -o addr show dev nb-n scope global | sed 's/.*inet6* //; s,/.*,,'"))
}

#[test]
fn a_host_of_a_network_reaches_the_internet_in_the_name_of_this_host() {
    on_a_host(|| {
        web();
        serve("inet", "::", 9000, "inet");
        each(|protocol, family| {
            let answer = ask("web", protocol, at(of(family, INTERNET4, INTERNET6), 9000));
            assert_eq!(answer, Some(format!("inet {}", of(family, HOST4, HOST6))), "{protocol:?} {family}");
        });
        assert_eq!(sh("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"), "0\n0");
    });
}

#[test]
fn a_published_port_is_reached_from_outside_and_sees_who_asks() {
    on_a_host(|| {
        web();
        each(|protocol, family| {
            let answer = ask("inet", protocol, at(of(family, HOST4, HOST6), 8080));
            assert_eq!(
                answer,
                Some(format!("web {}", of(family, INTERNET4, INTERNET6))),
                "{protocol:?} {family}"
            );
        });
    });
}

#[test]
fn a_published_port_is_reached_from_this_host() {
    on_a_host(|| {
        web();
        each(|protocol, family| {
            for to in [of(family, "127.0.0.1", HOST6), of(family, HOST4, HOST6), &router(family)] {
                let answer = ask("", protocol, at(to, 8080)).unwrap_or_default();
                assert!(answer.starts_with("web "), "{protocol:?} {to}: {answer}");
            }
        });
    });
}

#[test]
fn a_port_of_the_loopback_is_for_this_host() {
    on_a_host(|| {
        sh("netns net add n; netns new web --net n -p 8082:80 -p 8082:80/udp");
        serve("web", "::", 80, "web");
        // Such as somebody on the LAN makes who wants in: 127.0.0.1 is sent to this host.
        sh("ip -n inet addr del 127.0.0.1/8 dev lo; ip -n inet route add 127.0.0.1 via 192.0.2.2
            ip netns exec inet sh -c 'echo 1 >/proc/sys/net/ipv4/conf/e0/route_localnet'");
        for protocol in [Tcp, Udp] {
            let reach = |from, to| ask(from, protocol, at(to, 8082));
            assert!(reach("", "127.0.0.1").is_some(), "{protocol:?}");
            assert_eq!(reach("inet", HOST4), None, "{protocol:?}");
            assert_eq!(reach("inet", "127.0.0.1"), None, "{protocol:?}");
        }
        sh("nft flush chain inet netns-n spoofed");
        assert!(ask("inet", Tcp, at("127.0.0.1", 8082)).is_some(), "it is not the rule that kept it out");
    });
}

#[test]
fn a_host_of_a_network_does_not_reach_the_loopback_of_this_host() {
    on_a_host(|| {
        web();
        serve("", "127.0.0.1", 9999, "host");
        let router = router(4);
        sh(&format!(
            "ip -n web addr del 127.0.0.1/8 dev lo; ip -n web route add 127.0.0.1 via {router}
             ip netns exec web sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'"
        ));
        assert_eq!(ask("web", Tcp, at("127.0.0.1", 9999)), None);
        sh("nft flush chain inet netns-n spoofed");
        assert!(ask("web", Tcp, at("127.0.0.1", 9999)).is_some(), "it is not the rule that kept it out");
    });
}

#[test]
fn a_host_reaches_its_own_published_port() {
    on_a_host(|| {
        web();
        each(|protocol, family| {
            let answer = ask("web", protocol, at(of(family, HOST4, HOST6), 8080)).unwrap_or_default();
            assert!(answer.starts_with("web "), "{protocol:?} {family}: {answer}");
        });
    });
}

#[test]
fn siblings_reach_each_other_directly_and_by_the_published_port() {
    on_a_host(|| {
        web();
        sh("netns new two --net n");
        each(|protocol, family| {
            let direct = ask("two", protocol, at(&address("web", family), 80));
            assert_eq!(direct, Some(format!("web {}", address("two", family))), "{protocol:?} {family}");
            let published = ask("two", protocol, at(of(family, HOST4, HOST6), 8080)).unwrap_or_default();
            assert!(published.starts_with("web "), "{protocol:?} {family}: {published}");
        });
    });
}

#[test]
fn another_network_reaches_published_ports_and_nothing_else() {
    on_a_host(|| {
        web();
        sh("netns net add m; netns new other --net m");
        each(|protocol, family| {
            assert_eq!(
                ask("other", protocol, at(&address("web", family), 80)),
                None,
                "{protocol:?} {family}"
            );
            let published = ask("other", protocol, at(of(family, HOST4, HOST6), 8080)).unwrap_or_default();
            assert!(published.starts_with("web "), "{protocol:?} {family}: {published}");
        });
    });
}

#[test]
fn who_routes_straight_to_a_host_of_a_network_is_dropped() {
    on_a_host(|| {
        web();
        sh("ip -n inet route add 10.0.0.0/8 via 192.0.2.2; ip -n inet -6 route add fd00::/8 via 2001:db8::2");
        each(|protocol, family| {
            assert_eq!(ask("inet", protocol, at(&address("web", family), 80)), None, "{protocol:?} {family}");
        });
        sh("nft flush chain inet netns-n forwarded");
        assert!(
            ask("inet", Tcp, at(&address("web", 4), 80)).is_some(),
            "it is not the rule that kept it out"
        );
    });
}

/// Whether a packet comes to the internet in time, from where no answer would find back.
fn gets_out(name: &str, limit: Duration) -> bool {
    let receiver = inside("inet", || UdpSocket::bind("0.0.0.0:9001").unwrap());
    inside(name, || UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"!", at(INTERNET4, 9001)).unwrap());
    receiver.set_read_timeout(Some(limit)).unwrap();
    receiver.recv(&mut [0; 4]).is_ok()
}

#[test]
fn an_internal_network_has_no_way_out_and_only_this_host_gets_in() {
    on_a_host(|| {
        sh("netns net add n --internal; netns new web --net n -p 8080:80; netns new two --net n");
        serve("web", "::", 80, "web");
        serve("inet", "::", 9000, "inet");
        sh("ip -n web route add default via $(ip -4 -o addr show dev nb-n | sed 's/.*inet //; s,/.*,,')");
        assert_eq!(ask("web", Tcp, at(INTERNET4, 9000)), None);
        assert!(!gets_out("web", Duration::from_millis(500)));
        for family in [4, 6] {
            assert!(ask("two", Tcp, at(&address("web", family), 80)).is_some(), "{family}");
        }
        assert!(ask("", Tcp, at("127.0.0.1", 8080)).is_some());
        let no = common::refusal("netns new --net n -p 0.0.0.0:81:81 -- true");
        assert!(no.contains("the network n is internal"), "{no}");
        sh("nft flush chain inet netns-n forwarded");
        assert!(gets_out("web", Duration::from_secs(10)), "it is not the rule that kept it in");
    });
}

#[test]
fn without_icc_siblings_meet_at_published_ports_only() {
    on_a_host(|| {
        sh("netns net add n --no-icc; netns new web --net n -p 0.0.0.0:8080:80; netns new two --net n");
        serve("web", "::", 80, "web");
        serve("inet", "::", 9000, "inet");
        // With 1 the rules see what the bridge passes on, and would keep hosts apart all alone.
        sh("echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
            echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables");
        for family in [4, 6] {
            let web = address("web", family);
            assert_eq!(ask("two", Tcp, at(&web, 80)), None, "{family}");
            assert!(ask("two", Tcp, at(of(family, INTERNET4, INTERNET6), 9000)).is_some(), "{family}");
        }
        assert!(ask("two", Tcp, at(HOST4, 8080)).is_some());
        for family in [4, 6] {
            // By way of the router, past the bridge.
            let (web, two, router) = (address("web", family), address("two", family), router(family));
            sh(&format!(
                "ip -n two -{family} route add {web} via {router}; ip -n web -{family} route add {two} via {router}"
            ));
            assert_eq!(ask("two", Tcp, at(&web, 80)), None, "{family}, routed");
        }
        sh("nft flush chain inet netns-n forwarded");
        assert!(ask("two", Tcp, at(&address("web", 4), 80)).is_some(), "it is not the rule that kept it out");
    });
}

#[test]
fn a_flow_of_udp_follows_when_its_port_is_published() {
    on_a_host(|| {
        sh("netns net add n");
        let to = at(HOST4, 5300);
        let client = inside("inet", || UdpSocket::bind("0.0.0.0:0").unwrap());
        // The kernel remembers that this led nowhere.
        assert_eq!(ask_udp(&client, to), None);
        sh("netns new b --net n -p 0.0.0.0:5300:53/udp");
        serve("b", "::", 53, "b");
        assert_eq!(ask_udp(&client, to).as_deref(), Some("b 192.0.2.1"));
    });
}

#[test]
fn rules_that_another_has_flushed_are_repaired() {
    on_a_host(|| {
        web();
        sh("nft flush ruleset");
        let to = at(HOST4, 8080);
        assert_eq!(ask("inet", Tcp, to), None);
        let no = common::refusal("netns new --net n -p 81:81 -- true");
        assert!(no.contains("netns: hint: the rules of the network are gone: `netns net repair n`"), "{no}");
        sh("netns net repair");
        assert_eq!(ask("inet", Tcp, to).as_deref(), Some("web 192.0.2.1"));
        assert_eq!(ask("inet", Udp, to).as_deref(), Some("web 192.0.2.1"));
    });
}
