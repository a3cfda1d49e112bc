//! Pairs, bridges, addresses and routes, as iproute2 sees them. Each test has a network namespace of its own with
//! nothing but lo in it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod world;

use world::{USER, World, is_root, talk, text};

/// What is there, in the words of iproute2: in this namespace, and in a and b. Without what the kernel still finds out
/// a moment later.
const VIEW: &str = "view() {
    for at in '' '-n a' '-n b'; do
        ip $at -br link | awk '{ print $1, $NF ~ /[<,]UP[,>]/ }'; ip $at -o addr show scope global | awk '{ print $2, $4 }'
        ip $at route | sed 's/linkdown//'; ip $at -6 route | sed '/fe80/d; s/linkdown//'
    done
}";

fn world(script: &str) -> World {
    World::net(&format!("{VIEW}\n netns add a b; netns up lo; {script}"))
}

/// A line is an error for this reason, and changes nothing.
#[track_caller]
fn is_refused(prepare: &str, line: &str, reason: &str) {
    let script = format!("{prepare}; view >/run/before; netns {line} || echo $?; view | diff /run/before -");
    let output = world(&script).run();
    assert_eq!(text(&output.stdout), "125\n", "{line}: {}", talk(&output));
    assert!(talk(&output).contains(reason), "{line}: {}", talk(&output));
}

#[test]
fn the_walk_through_of_ip_netns_needs_no_iproute2() {
    if !is_root() {
        return;
    }
    let script = "
        netns veth host eth0@a; netns addr host 10.0.0.1/24 fd00::1/64
        netns addr eth0@a 10.0.0.2/24 fd00::2/64
        netns route a default via 10.0.0.1; netns route a default via fd00::1
        busybox ping -c1 -W2 10.0.0.2 >/dev/null; netns exec a busybox ping -c1 -W2 fd00::1 >/dev/null
        ip -n a -o addr show eth0 scope global | awk '{ print $4 }'; ip -n a route show default; ip -n a -6 route show default
        ip -o link show type veth | grep -c 'host@.* state UP'; ip -n a -o link show type veth | grep -c 'eth0@.* state UP'";
    let wanted = "10.0.0.2/24\nfd00::2/64\ndefault via 10.0.0.1 dev eth0 proto static \n\
                  default via fd00::1 dev eth0 proto static metric 1024 pref medium\n1\n1";
    assert_eq!(world(script).out(), wanted);
}

#[test]
fn each_line_with_rm_undoes_itself_and_both_may_be_said_twice() {
    if !is_root() {
        return;
    }
    for (before, line) in [
        ("", "veth x y"),
        ("", "veth x y@a"),
        ("", "veth x@a y@b"),
        ("", "veth x@a x"),
        ("", "bridge br0"),
        ("", "bridge br0@a"),
        ("netns veth x y; netns bridge br0", "bridge br0 x y"),
        ("", "link a b"),
        ("", "link . b 10.1.0.0/24"),
        ("netns veth x y@a", "addr y@a 10.0.0.1/24 10.0.0.1/16 fd00::1/64"),
        ("netns veth x y; netns addr x 10.0.0.1/24 fd00::1/64", "route . default via 10.0.0.2"),
        (
            "netns veth x y; netns addr x 10.0.0.1/24 fd00::1/64",
            "route . fd01::/64 via fd00::2 dev x metric 7",
        ),
        ("netns veth x y; netns addr x 10.0.0.1/24", "route . 10.9.9.9 dev x"),
    ] {
        let script = format!(
            "{before}\n view >/run/before; netns {line}; view >/run/made; netns {line}; view | cmp - /run/made
             ! cmp -s /run/before /run/made
             netns {line} --rm; view | diff /run/before -; netns {line} --rm; view | cmp - /run/before"
        );
        // Ports have been set up, as they had been before.
        assert_eq!(world(&script).out(), "", "{line}");
    }
}

#[test]
fn pairs_may_lie_anywhere() {
    if !is_root() {
        return;
    }
    let both = "netns exec a busybox ping -c1 -W2 10.0.0.2 | grep -c 'bytes from'";
    for (near, far) in [("x@a", "y@b"), ("y@b", "x@a"), ("x@a", "y@/run/netns/b"), ("x@/run/netns/a", "y@b")]
    {
        let script = format!(
            "netns veth {near} {far} --mtu 1400; netns addr x@a 10.0.0.1/24; netns addr y@b 10.0.0.2/24; {both}
             ip -n a -o link show x | grep -o 'mtu 1400'; ip -n b -o link show y | grep -o 'mtu 1400'; ip -br link | wc -l"
        );
        assert_eq!(world(&script).out(), "1\nmtu 1400\nmtu 1400\n1", "{near} {far}");
    }
    let by_pid = "sleep 60 & netns veth x y@$!; ip -br link | wc -l; kill $!";
    assert_eq!(world(by_pid).out(), "3");
    let down = "netns veth x y@a --down; ip -br link show x; ip -n a -br link show y";
    assert_eq!(world(down).out().matches("DOWN").count(), 2);
}

#[test]
fn what_is_anothers_is_not_taken_for_ones_own() {
    if !is_root() {
        return;
    }
    for (line, reason) in [
        ("veth x y@b", "cannot make the pair x and y@b: there is another interface x"),
        ("veth z y@a", "cannot make the pair z and y@a: there is another interface y@a"),
        ("veth x z@a", "there is another interface x"),
        ("veth x y@b --rm", "cannot remove the pair x and y@b: there is another interface x"),
        ("veth br0 q@a --rm", "cannot remove the pair br0 and q@a: there is another interface br0"),
        ("veth x w@b", "cannot make the pair x and w@b: there is another interface x"),
        ("veth q q", "the ends have one name"),
        ("veth q all@b", "no interface can be called so"),
        ("veth q q@gone", "cannot find gone: no such network namespace"),
        ("bridge x", "cannot make the bridge x: x is an interface of another kind"),
        ("bridge x --rm", "cannot remove the bridge x: x is an interface of another kind"),
        ("bridge br0 none", "cannot make the bridge br0: there is no interface none"),
        ("bridge br1 x none", "cannot make the bridge br1: there is no interface none"),
        ("bridge br1 lo", "cannot put lo into br1: Invalid argument"),
        ("bridge br1 x lo", "cannot put lo into br1"),
        ("bridge br1 x v", "cannot put v into br1: it is a port of br0"),
        ("link a a", "cannot link a and a: it is one namespace"),
        ("link b again", "cannot link b and again: it is one namespace"),
        ("route . --json --rm", "it does not go with --rm"),
        ("link a b 10.0.0.1/32", "10.0.0.1/32 has no two addresses"),
        ("link a /run/netns/b", "a file gives no name for an interface"),
        ("up none@a", "cannot set none@a up: there is no interface none in a"),
    ] {
        let prepare = "netns attach again /run/netns/b; netns veth x y@a; netns veth v w@b; netns bridge br0 v; netns addr x 10.0.0.1/24";
        is_refused(prepare, line, reason);
    }
}

#[test]
fn ends_with_the_same_numbers_are_told_apart_by_their_namespaces() {
    if !is_root() {
        return;
    }
    let script = "netns add c d; netns veth p@a q@b; netns veth r@c s@d
        ip -n a -br link show p; ip -n d -br link show s; netns veth p@a s@d || echo $?";
    let output = world(script).run();
    let out = text(&output.stdout);
    assert!(
        out.contains("p@if2") && out.contains("s@if2"),
        "the numbers differ: this test tells nothing: {out}"
    );
    assert!(out.ends_with("125\n"), "{out}");
    assert!(talk(&output).contains("there is another interface p@a"), "{}", talk(&output));
}

#[test]
fn a_user_is_told_who_may() {
    if !is_root() {
        return;
    }
    let user = USER.join(" ");
    for line in ["veth x z", "addr x 10.0.0.1/24", "route . default dev x", "bridge br0", "set a 3"] {
        let output = world(&format!("netns veth x y; {user} netns {line} || echo $?")).run();
        assert_eq!(text(&output.stdout), "125\n", "{line}");
        let hint = "run it as root, or as root of a user and a network namespace";
        assert!(talk(&output).contains(hint), "{line}: {}", talk(&output));
    }
}

#[test]
fn addresses_and_routes_are_refused_in_the_kernels_words_and_as_a_whole() {
    if !is_root() {
        return;
    }
    for (line, reason) in [
        (
            "addr x 10.1.0.1/24 fd00::9/64 ff02::1/64",
            "cannot give x the address ff02::1/64: ipv6: Cannot assign multicast",
        ),
        ("addr x 10.1.0.1/24 0.0.0.0/8", "cannot give x the address 0.0.0.0/8: no host has that"),
        (
            "addr x 10.1.0.1/24 fd00::9/64 fd00::9/128",
            "cannot give x the address fd00::9/128: it has fd00::9/64",
        ),
        ("addr none 10.1.0.1/24", "cannot give none an address: there is no interface none"),
        ("addr x 10.1.0.1", "the length of the prefix is missing, as in 10.0.0.1/24"),
        ("addr x 10.1.0.1/33", "the prefix is longer than the address"),
        ("addr x nonsense/3", "it is no address of IPv4 or IPv6"),
        ("route . default", "cannot add the route default: it needs a router or an interface"),
        (
            "route . default via 9.9.9.9",
            "cannot add the route default via 9.9.9.9: Nexthop has invalid gateway",
        ),
        ("route . default via fd00::1 dev none", "there is no interface none"),
        ("route . 10.0.0.1/8 dev x", "the network is 10.0.0.0/8"),
        ("route . 10.0.0.0/8 via fd00::1", "it mixes IPv4 and IPv6"),
        ("route . 10.7.0.0/16 via 10.0.0.9", "there is another route to it"),
        ("route . nowhere via 10.0.0.2", "it is neither an address nor `default`"),
        ("route . 10.8.0.0/16 via 10.0.0.2 via 10.0.0.3", "cannot use via: it was given twice"),
        ("route . 10.8.0.0/16 through 10.0.0.2", "the words are via, dev, src, metric"),
        ("route . 10.8.0.0/16 via 10.0.0.2 metric x", "it is no number"),
        ("route . 10.8.0.0/16 via 10.0.0.2 metric 4294967296", "it is no number from 0 to 4294967295"),
    ] {
        let prepare = "netns veth x y; netns addr x 10.0.0.1/24; netns route . 10.7.0.0/16 via 10.0.0.2";
        is_refused(prepare, line, reason);
    }
}

#[test]
fn each_router_of_a_shared_route_is_told() {
    if !is_root() {
        return;
    }
    let script = "netns veth x y; netns addr x 10.0.0.1/24 fd00::1/64; ip route add blackhole 10.6.0.0/16
        ip route add 10.7.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3
        ip route add 10.8.0.0/16 via inet6 fd00::2; netns route . | grep '^10.[678]'";
    let all = "10.7.0.0/16 via 10.0.0.2 dev x\n10.7.0.0/16 via 10.0.0.3 dev x\n10.8.0.0/16 via fd00::2 dev x";
    assert_eq!(world(script).out(), all);
}

#[test]
fn lists_say_what_ip_says() {
    if !is_root() {
        return;
    }
    let script = "
        netns veth x y@a; netns addr x 10.0.0.1/24; netns addr y@a 10.0.0.2/24 fd00::2/64
        netns route a default via 10.0.0.1 src 10.0.0.2 metric 9
        netns addr x | grep -v fe80; netns addr x --json | grep -v fe80; netns route a | grep -v :; netns route a --json | head -1";
    let wanted = r#"10.0.0.1/24
{"address":"10.0.0.1/24","interface":"x","tentative":false}
default via 10.0.0.1 dev y src 10.0.0.2 metric 9
10.0.0.0/24 dev y src 10.0.0.2
{"from":"10.0.0.2","interface":"y","metric":9,"to":"default","via":"10.0.0.1"}"#;
    assert_eq!(world(script).out(), wanted);
}

#[test]
fn a_bridge_joins_its_ports_and_keeps_its_address() {
    if !is_root() {
        return;
    }
    let script = "
        netns bridge br0; ip -o link show br0 | grep -o 'ether [^ ]*' >/run/mac
        netns veth pa eth0@a; netns veth pb eth0@b; netns bridge br0 pa pb
        netns addr eth0@a 10.0.0.1/24; netns addr eth0@b 10.0.0.2/24
        netns exec a busybox ping -c1 -W2 10.0.0.2 | grep -c 'bytes from'
        ip -o link show br0 | grep -o 'ether [^ ]*' | cmp - /run/mac
        ip -o link show master br0 | wc -l; netns bridge br0 pa none --rm; ip -o link show master br0 | wc -l";
    assert_eq!(world(script).out(), "1\n2\n1");
}

#[test]
fn a_link_gives_both_ends_an_address() {
    if !is_root() {
        return;
    }
    let script = "
        netns link a b 10.0.0.0/30 fd00::/127; netns exec a busybox ping -c1 -W2 10.0.0.2 >/dev/null
        netns exec b busybox ping -c1 -W2 fd00:: >/dev/null
        netns addr b@a | grep -v fe80; netns addr a@b | grep -v fe80
        netns link . a 10.1.0.0/24; busybox ping -c1 -W2 10.1.0.2 >/dev/null; netns addr host@a | grep -v :";
    assert_eq!(world(script).out(), "10.0.0.1/30\nfd00::/127\n10.0.0.2/30\nfd00::1/127\n10.1.0.2/24");
}

#[test]
fn up_and_down_go_on_past_what_is_not_there() {
    if !is_root() {
        return;
    }
    let script = "
        netns veth x y@a; netns down x none y@a || echo $?; ip -br link show x | awk '{ print $2 }'
        netns up x none y@a || echo $?; ip -n a -br link show y | awk '{ print $2 }'";
    let output = world(script).run();
    assert_eq!(text(&output.stdout), "125\nDOWN\n125\nUP\n", "{}", talk(&output));
    assert_eq!(talk(&output).matches("there is no interface none").count(), 2);
}

#[test]
fn a_user_plumbs_in_a_user_namespace() {
    if !is_root() {
        return;
    }
    let head: Vec<&str> = USER.into_iter().chain(["unshare", "-Urnm"]).collect();
    let script = "
        mount -t tmpfs t /run; netns add a b; netns link a b 10.0.0.0/30; netns veth x y@a; netns bridge br0@b a
        netns exec a busybox ping -c1 -W2 10.0.0.2 2>&1 | grep -c 'bytes from' || true; netns addr b@a | head -1";
    assert!(World::new(&head, script).out().ends_with("10.0.0.1/30"));
    let head: Vec<&str> = USER.into_iter().chain(["unshare", "-Urm"]).collect();
    let output = World::new(&head, "mount -t tmpfs t /run; netns add a; netns up lo@a || echo $?").run();
    assert_eq!(text(&output.stdout), "125\n", "{}", talk(&output));
    assert!(talk(&output).contains("`unshare-rs -Urn` gives both"), "{}", talk(&output));
}
