//! What a bridge and the firewall of somebody else do to the hosts of a network, in each of their states; TCP and UDP,
//! IPv4 and IPv6.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{
    HOST4, HOST6, INTERNET4, INTERNET6, Protocol, Tcp, Udp, address, ask, at, on_a_host, refusal, serve, sh,
};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::thread;

/// Ways, each from a namespace to an address where somebody answers.
const OUT: &str = "to the internet";
const IN: &str = "from the internet to a published port";
const HAIRPIN: &str = "to itself by its published port";
const BY_PORT: &str = "to a sibling by its published port";
const DIRECT: &str = "to a sibling";
const LOCAL: &str = "from this host to a published port";
const ALL: [&str; 6] = [OUT, IN, HAIRPIN, BY_PORT, DIRECT, LOCAL];

/// Hosts `web`, which serves at port 80 and 8080 of this host, and `two`, and a server in the internet.
fn hosts() {
    sh("netns net add n; netns new two --net n
        netns new web --net n -p 0.0.0.0:8080:80 -p '[::]:8080:80' -p 0.0.0.0:8080:80/udp -p '[::]:8080:80/udp'");
    serve("web", "::", 80, "web");
    serve("inet", "::", 9000, "inet");
}

fn ends(way: &str, family: u8) -> (&'static str, SocketAddr) {
    let pick = |v4, v6| if family == 4 { v4 } else { v6 };
    let host = pick(HOST4, HOST6);
    match way {
        OUT => ("web", at(pick(INTERNET4, INTERNET6), 9000)),
        IN => ("inet", at(host, 8080)),
        HAIRPIN => ("web", at(host, 8080)),
        BY_PORT => ("two", at(host, 8080)),
        DIRECT => ("two", at(&address("web", family), 80)),
        _ => ("", at(host, 8080)),
    }
}

/// The ways that can be gone by each protocol of both families; of others it says by which. All at once, because
/// what does not work takes its time.
fn open_ways() -> BTreeSet<String> {
    let mut asking = Vec::new();
    for way in ALL {
        for (protocol, family) in [(Tcp, 4), (Tcp, 6), (Udp, 4), (Udp, 6)] {
            let (from, to) = ends(way, family);
            asking.push((way, protocol, family, thread::spawn(move || ask(from, protocol, to).is_some())));
        }
    }
    let answered: Vec<(&str, Protocol, u8, bool)> = asking
        .into_iter()
        .map(|(way, protocol, family, asked)| (way, protocol, family, asked.join().unwrap()))
        .collect();
    let is_open = |way: &str| answered.iter().filter(|answer| answer.0 == way).all(|answer| answer.3);
    let open = ALL.into_iter().filter(|way| is_open(way)).map(str::to_owned);
    let half = answered.iter().filter(|(way, _, _, works)| *works && !is_open(way));
    open.chain(half.map(|(way, protocol, family, _)| format!("{way}: {protocol:?} {family}"))).collect()
}

fn only<const N: usize>(ways: [&str; N]) -> BTreeSet<String> {
    ways.map(str::to_owned).into()
}

/// Whether the firewall is shown what goes from one port of a bridge to another.
fn br_netfilter(on: u8) {
    sh(&format!("for f in iptables ip6tables; do echo {on} >/proc/sys/net/bridge/bridge-nf-call-$f; done"));
}

#[test]
fn all_ways_are_open_with_and_without_br_netfilter() {
    on_a_host(|| {
        hosts();
        for on in [1, 0] {
            br_netfilter(on);
            assert_eq!(open_ways(), only(ALL), "bridge-nf-call-iptables={on}");
        }
        br_netfilter(1);
        sh(
            "ip -br link show master nb-n | cut -d@ -f1 | while read -r p; do bridge link set dev $p hairpin off; done",
        );
        assert!(!open_ways().contains(HAIRPIN), "it is not the port's setting that lets a host reach itself");
    });
}

#[test]
fn a_firewall_that_drops_leaves_published_ports_to_this_host_until_it_is_opened() {
    on_a_host(|| {
        hosts();
        sh("nft 'table inet f { chain c { type filter hook forward priority 0; policy drop; }; }'");
        br_netfilter(0);
        assert_eq!(open_ways(), only([DIRECT, LOCAL]));
        br_netfilter(1);
        assert_eq!(open_ways(), only([LOCAL]));
        sh("netns net repair --open-firewall");
        assert_eq!(open_ways(), only(ALL));
    });
}

#[test]
fn a_flushed_ruleset_is_repaired_for_all_protocols() {
    on_a_host(|| {
        hosts();
        sh("nft flush ruleset");
        assert_eq!(open_ways(), only([DIRECT]));
        sh("netns net repair");
        assert_eq!(open_ways(), only(ALL));
    });
}

#[test]
fn a_full_bridge_refuses_the_next_host() {
    on_a_host(|| {
        sh("netns net add n; netns new last --net n
            seq 511 | sed 's/.*/link add a& master nb-n type veth peer name b&\\nlink set b& master nb-n/' | ip -batch -");
        let no = refusal("netns new --net n -- true");
        assert!(no.contains("cannot join the network n: a bridge has 1023 ports at most"), "{no}");
        let no = refusal("netns new more --net n");
        assert!(no.contains("a bridge has 1023 ports at most"), "{no}");
        sh("netns del last; ! ip netns | grep more; until netns new more --net n; do sleep 0.01; done");
    });
}
