//! What killed makers and removers of networks leave is removed by `gc`, and nothing that is somebody else's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{on_a_host, output, refusal, sh};

fn interfaces() -> String {
    sh("ip -br link | cut -d' ' -f1 | cut -d@ -f1 | sort | tr '\\n' ' '")
}

#[test]
fn a_network_that_nobody_finishes_is_removed() {
    on_a_host(|| {
        let before = interfaces();
        let forwarding = "cat /proc/sys/net/ipv4/conf/up0/forwarding";
        sh("netns net add a; netns new web --net a -p 8080:80 -p 8080:80/udp; netns net add b");
        // As far as a remover has come that was killed early.
        sh(
            "ip link set nb-a alias \"$(ip -j link show nb-a | jq -r '.[].ifalias' | sed 's/ on=/ half on=/')\"",
        );
        assert_eq!(sh("netns net ls --json | jq -r .name"), "b");
        let no = refusal("netns new --net a -- true");
        assert!(no.contains("cannot find the network a: ") && no.contains("half made"), "{no}");
        sh("netns gc; netns del web");
        assert_eq!(sh("nft list tables; ls /run/netns-net"), "table inet netns-b\nb");
        assert_eq!(sh(forwarding), "1", "the other network needs it");
        sh("netns net rm b");
        assert_eq!((interfaces(), sh(forwarding).as_str()), (before, "0"));
    });
}

#[test]
fn what_is_no_networks_is_left_alone() {
    on_a_host(|| {
        // A maker that was killed at once has left just the bridge, told by its address.
        sh("netns net add a; a=$(cat /sys/class/net/nb-a/address 2>/dev/null || ip -j link show nb-a | jq -r '.[].address')
            netns net rm a; ip link add nb-a address $a type bridge
            ip link add nb-b type bridge; ip link add nb-c type bridge; ip link set nb-c alias 'for the office'
            nft add table inet netns-gone; nft add table ip netns-gone; nft add table inet netns
            ip netns add other; : >/run/netns/bound-elsewhere; chmod 0 /run/netns/bound-elsewhere
            : >/run/netns/killed; chmod 200 /run/netns/killed");
        assert!(interfaces().contains(" nb-a nb-b nb-c "));
        assert!(output("netns gc").status.success());
        let left = interfaces();
        assert!(left.contains(" nb-b nb-c ") && !left.contains("nb-a"), "{left}");
        assert_eq!(sh("nft list tables"), "table ip netns-gone\ntable inet netns");
        assert_eq!(sh("ls /run/netns"), "bound-elsewhere\ninet\nother");
    });
}

#[test]
fn the_interfaces_of_a_network_go_with_it_and_no_others() {
    on_a_host(|| {
        sh("ip link add mine type veth peer name other; ip link set mine group 7");
        let before = interfaces();
        sh(
            "netns net add a; netns net add b; for i in 1 2 3; do netns new a$i --net a; done; netns new b1 --net b",
        );
        sh("netns net rm --force a");
        assert_eq!(sh("ip -br link show type veth | grep -c ^nv"), "1");
        assert_eq!(sh("netns doctor b1"), "b1: no fault found");
        sh("netns net rm --force b");
        assert_eq!(interfaces(), before);
    });
}
