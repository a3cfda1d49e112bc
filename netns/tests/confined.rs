//! Hosts of a network that may do less than the others, seen from them, from the others, and from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    HOST4, INTERNET4, INTERNET6, Tcp, Udp, address, ask, at, inside, on_a_host, refusal, serve, sh,
};
use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};
use std::thread;
use std::time::Duration;

/// Everybody serves at port 7000.
fn all_serve(names: &[&str]) {
    for name in names {
        serve(name, "::", 7000, "yes");
    }
    serve("inet", INTERNET4, 7000, "yes");
    serve("inet", INTERNET6, 7000, "yes");
}

/// All at once, because what is dropped takes its time.
#[track_caller]
fn reach(from: &'static str, to: &str, wanted: bool) {
    let ways = [(Tcp, 4), (Tcp, 6), (Udp, 4), (Udp, 6)].map(|(protocol, family)| {
        let ip = match (to, family) {
            ("inet", 4) => INTERNET4.to_owned(),
            ("inet", _) => INTERNET6.to_owned(),
            _ => address(to, family),
        };
        let server = at(&ip, 7000);
        (protocol, ip, thread::spawn(move || ask(from, protocol, server)))
    });
    for (protocol, ip, answer) in ways {
        assert_eq!(answer.join().unwrap().is_some(), wanted, "{from:?} to {to:?} at {ip} by {protocol:?}");
    }
}

/// How long is waited for what should not arrive, and for what should: a busy machine may take its time.
const NOTHING: Duration = Duration::from_millis(300);
const SOMETHING: Duration = Duration::from_secs(10);

/// Whether a packet arrives in time, without any answer; the interface of both is number 2.
fn arrives(from: &str, to: &str, ip: &str, limit: Duration) -> bool {
    let target = match ip.parse().unwrap() {
        IpAddr::V4(ip) => SocketAddr::from((ip, 7100)),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, 7100, 0, 2).into(),
    };
    let receiver = inside(to, || UdpSocket::bind("[::]:7100").unwrap());
    receiver.set_read_timeout(Some(limit)).unwrap();
    inside(from, move || {
        let sender = UdpSocket::bind(if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).unwrap();
        sender.send_to(b"!", target).unwrap();
    });
    receiver.recv(&mut [0]).is_ok()
}

/// What follows `nv` in the name of its interface at the bridge.
fn port(name: &str) -> String {
    sh(&format!("ip -o link | sed -n 's/.*: nv\\([^@]*\\)@.*link-netns {name}.*/\\1/p'"))
}

/// What root of a container may do about it: a default route of its own.
fn break_out(name: &str) {
    sh(&format!(
        "ip -n {name} route replace default via 10.9.0.1; ip -n {name} -6 route replace default via fd09::1"
    ));
}

#[test]
fn a_host_without_a_way_out_has_none() {
    on_a_host(|| {
        sh(
            "netns net add a 10.9.0.0/24 fd09::/64; netns new in --net a --internal -p 8080:7000; netns new out --net a",
        );
        all_serve(&["in", "out"]);
        assert_eq!(sh("ip -n in route show default; ip -n in -6 route show default"), "");
        break_out("in");
        reach("in", "inet", false);
        reach("out", "inet", true);
        reach("in", "out", true);
        reach("out", "in", true);
        reach("", "in", true);
        assert!(ask("", Tcp, at("127.0.0.1", 8080)).is_some());
        // By way of a sibling that would pass its packets on.
        let out = address("out", 4);
        sh(&format!(
            "ip netns exec out sysctl -qw net.ipv4.ip_forward=1; ip -n in route replace default via {out}"
        ));
        assert!(ask("in", Udp, at(INTERNET4, 7000)).is_none());
        // Nor with an address of another one.
        sh(
            "ip -n in addr add 10.9.0.200/24 dev eth0; ip -n in route replace default via 10.9.0.1 src 10.9.0.200",
        );
        assert!(ask("in", Tcp, at(INTERNET4, 7000)).is_none());
        assert!(ask("in", Tcp, at(HOST4, 7000)).is_none());
        let list = sh("netns net ls --json");
        for (name, internal) in [("in", "true"), ("out", "false")] {
            let host =
                format!(r#""icc":true,"interface":"nv{}","internal":{internal},"name":"{name}""#, port(name));
            assert!(list.contains(&host), "{host}: {list}");
        }
        sh("netns doctor in");
    });
}

#[test]
fn a_host_apart_does_not_reach_the_others_nor_they_it() {
    on_a_host(|| {
        sh("netns net add a 10.9.0.0/24 fd09::/64; netns new apart --net a --no-icc -p 0.0.0.0:8080:7000
            netns new one --net a; netns new two --net a --no-icc --internal");
        // With 1 the rules of the other table see what the bridge passes on, and would keep hosts apart all alone.
        sh("echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
            echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables");
        all_serve(&["apart", "one", "two"]);
        reach("apart", "one", false);
        reach("one", "apart", false);
        reach("apart", "two", false);
        reach("apart", "inet", true);
        reach("two", "inet", false);
        reach("", "apart", true);
        assert!(ask("inet", Tcp, at(HOST4, 8080)).is_some());
        // What everybody may, siblings may too.
        assert!(ask("one", Tcp, at(HOST4, 8080)).is_some());
        let (one, apart) = (address("one", 4), address("apart", 4));
        let mac = |name: &str| sh(&format!("ip netns exec {name} cat /sys/class/net/eth0/address"));
        sh(&format!("ip -n one neigh replace {apart} lladdr {} dev eth0", mac("apart")));
        sh(&format!("ip -n apart neigh replace {one} lladdr {} dev eth0", mac("one")));
        let ways = |limit| {
            let pair = |one_to_apart: &str, apart_to_one: &str| {
                [arrives("one", "apart", one_to_apart, limit), arrives("apart", "one", apart_to_one, limit)]
            };
            // What is meant for all of the link, and what is meant for the other.
            let direct = [pair("ff02::1", "ff02::1"), pair(&apart, &one)];
            // By way of the router, which sends it back to the bridge.
            sh(&format!(
                "ip -n apart route add {one} via 10.9.0.1; ip -n one route add {apart} via 10.9.0.1"
            ));
            let routed = pair(&apart, &one);
            sh(&format!("ip -n apart route del {one}; ip -n one route del {apart}"));
            [direct[0], direct[1], routed].concat()
        };
        assert_eq!(ways(NOTHING), [false; 6]);
        sh("nft delete table bridge netns-a");
        assert_eq!(ways(SOMETHING), [true; 6], "it is not this table that keeps them apart");
    });
}

#[test]
fn what_is_confined_stays_so_through_repair() {
    on_a_host(|| {
        sh("netns net add a 10.9.0.0/24 fd09::/64; netns new in --net a --internal");
        serve("inet", INTERNET4, 7000, "yes");
        break_out("in");
        sh("nft delete table bridge netns-a");
        assert!(ask("in", Tcp, at(INTERNET4, 7000)).is_some(), "it is not this table that confines it");
        let found = sh("netns doctor in || true");
        assert!(
            found.contains("in: table: the rules of the network a, table bridge netns-a, are gone"),
            "{found}"
        );
        sh("netns net repair a; netns doctor in");
        assert!(ask("in", Tcp, at(INTERNET4, 7000)).is_none());
        sh("netns net rm --force a");
        assert_eq!(sh("nft list tables"), "");
    });
}

#[test]
fn what_contradicts_itself_is_refused() {
    on_a_host(|| {
        sh("netns net add a");
        let no = refusal("netns new --net a --internal -p 0.0.0.0:8080:80 -- true");
        assert!(no.contains("cannot publish 0.0.0.0:8080:80/tcp: it is to be --internal"), "{no}");
        assert!(no.contains("hint: its ports can be published on 127.0.0.1 only"), "{no}");
        for option in ["--internal", "--no-icc", "--open-firewall"] {
            assert!(refusal(&format!("netns new {option} -- true")).contains("--net"), "{option}");
        }
        sh("netns net add b --internal --no-icc; netns new --net b --internal --no-icc -- true");
        assert_eq!(
            sh("nft list tables bridge"),
            "table bridge netns-b",
            "the refused one has left something"
        );
    });
}
