//! Each fault is produced, found, and put right by the lines that come with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod world;

use world::{World, is_root, talk, text};

/// Two containers on a bridge, behind a host with a way to the world: all well.
const WELL: &str = "
    ip link set lo up; mkdir -p /run/etc; echo nameserver 192.0.2.53 >/run/resolv.conf
    mount --bind /run/resolv.conf /etc/resolv.conf; mount -t tmpfs t /mnt; mkdir -p /mnt/up /mnt/work
    mount -t overlay -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work t /etc; mount --bind /run/resolv.conf /etc/resolv.conf
    set_() { echo $2 >/proc/sys/net/$1; }
    set_ bridge/bridge-nf-call-iptables 0
    ip link add nb0 type bridge; ip link set nb0 up; ip addr add 10.88.0.1/24 dev nb0
    for n in web:2 db:3; do
        ip netns add ${n%:*}; ip -n ${n%:*} link set lo up
        ip link add h${n#*:} master nb0 up type veth peer name eth0 netns ${n%:*}
        ip -n ${n%:*} addr add 10.88.0.${n#*:}/24 dev eth0; ip -n ${n%:*} link set eth0 up
        ip -n ${n%:*} route add default via 10.88.0.1
    done
    unshare -n sleep 60 & trap \"kill $!\" EXIT; WORLD=$!
    until [ \"$(cat /proc/$WORLD/comm)\" = sleep ]; do :; done
    ip link add up0 type veth peer name w netns $WORLD; ip addr add 192.0.2.1/24 dev up0; ip link set up0 up
    nsenter -n -t $WORLD sh -c 'ip addr add 192.0.2.2/24 dev w; ip link set w up'; ip route add default via 192.0.2.2
    set_ ipv4/conf/nb0/forwarding 1; set_ ipv4/conf/up0/forwarding 1
    nft 'table ip masq { chain post { type nat hook postrouting priority 100; oifname up0 masquerade; }; }'
    publish() {
        nft \"table ip pub { map ports { type inet_proto . inet_service : ipv4_addr . inet_service
            elements = { $1 : 10.88.0.2 . 80 }; }; }\"
    }
    cure() { for round in 1 2 3 4; do netns doctor ${1:-} && break; netns doctor --json ${1:-} | jq -r '.cures[]' | sh -eu; done; }
    cd /run
";

/// What the doctor says of web, and after its cures; the first line is the status.
fn examined(fault: &str) -> String {
    World::net(&format!(
        "{WELL} {fault}\n netns doctor web || echo $?; cure web >/run/after 2>&1; echo --; cat /run/after"
    ))
    .out()
}

#[track_caller]
fn is_found_and_cured(fault: &str, words: &str) {
    let out = examined(fault);
    let (before, after) = out.split_once("--\n").unwrap();
    assert!(before.contains(&format!("web: {words}\n")), "{words:?} is not found:\n{out}");
    assert!(before.ends_with("\n1\n") && before.contains("\n  cure: "), "{out}");
    assert!(after.ends_with("web: no fault found"), "it is not cured:\n{out}");
}

#[test]
fn what_is_well_is_told_so() {
    if !is_root() {
        return;
    }
    let out =
        World::net(&format!("{WELL} netns doctor; echo $?; netns doctor --json; netns doctor web")).out();
    assert_eq!(out, "db: no fault found\nweb: no fault found\n0\nweb: no fault found");
}

#[test]
fn faults_inside_are_found_and_cured() {
    if !is_root() {
        return;
    }
    for (fault, words) in [
        ("ip -n web link set lo down", "loopback: lo is down, so that nothing reaches 127.0.0.1"),
        ("ip -n web link set eth0 down", "down: eth0 is down"),
        ("ip -n web addr flush dev eth0 scope global", "address: eth0 has no address"),
        ("ip -n web route del default", "route: it has no default route of IPv4"),
        (
            "echo nameserver 127.0.0.53 >/run/resolv.conf",
            "resolver: /etc/resolv.conf sends it to the name server 127.0.0.53, where in this namespace nothing listens",
        ),
        (
            "echo search x >/run/resolv.conf",
            "resolver: /etc/resolv.conf names no name server, and none listens on 127.0.0.1 in this namespace",
        ),
    ] {
        is_found_and_cured(fault, words);
    }
}

#[test]
fn faults_of_the_link_are_found_and_cured() {
    if !is_root() {
        return;
    }
    for (fault, words) in [
        ("ip link set h2 down", "carrier: eth0 has no carrier: its other end, h2, is down"),
        ("ip link set h2 nomaster", "wiring: the other end of eth0, h2, is in no bridge and has no address"),
        ("ip link set nb0 down", "bridge: the bridge nb0 is down"),
        (
            "ip -n db addr add 10.88.0.2/24 dev eth0",
            "duplicate: eth0 and eth0@db have one address, 10.88.0.2",
        ),
        (
            "mac=02:00:00:00:00:09; ip -n web link set eth0 address $mac; ip -n db link set eth0 address $mac",
            "duplicate: eth0 and eth0@db have one Ethernet address, 02:00:00:00:00:09",
        ),
        (
            "ip addr del 10.88.0.1/24 dev nb0",
            "gateway: nobody on its link has the address of the router, 10.88.0.1",
        ),
        ("ip link set up0 mtu 1400", "mtu: eth0 sends packets of up to 1500 bytes, up0 takes 1400 at most"),
        ("ip link set h2 mtu 1300", "mtu: eth0 sends packets of up to 1500 bytes, h2 takes 1300 at most"),
    ] {
        is_found_and_cured(fault, words);
    }
}

#[test]
fn faults_of_the_host_are_found_and_cured() {
    if !is_root() {
        return;
    }
    let chain = "type filter hook forward priority 0";
    let drops = "drops what goes to and comes from nb0";
    for (fault, words) in [
        ("set_ ipv4/conf/nb0/forwarding 0", "forwarding: packets of IPv4 are not forwarded between nb0 and up0".to_owned()),
        ("set_ ipv4/conf/up0/forwarding 0", "forwarding: packets of IPv4 are not forwarded between nb0 and up0".to_owned()),
        (
            "nft delete table ip masq",
            "masquerade: packets leave by up0 as 10.88.0.2, which nobody there can answer".to_owned(),
        ),
        ("iptables-nft -P FORWARD DROP", format!("firewall: chain FORWARD of table ip filter {drops}")),
        (&format!("nft 'table inet f {{ chain c {{ {chain}; policy drop; }}; }}'"), format!("firewall: chain c of table inet f {drops}")),
        (&format!("nft 'table inet f {{ chain c {{ {chain}; tcp dport 1 accept; drop; }}; }}'"), format!("firewall: chain c of table inet f {drops}")),
        (
            "iptables-nft -P FORWARD DROP; set_ bridge/bridge-nf-call-iptables 1",
            "br_netfilter: br_netfilter has the firewall drop what goes from one port of nb0 to another".to_owned(),
        ),
        (
            "set_ ipv4/conf/nb0/rp_filter 1; ip route add 10.88.0.2/32 dev up0",
            "rp_filter: rp_filter drops packets from 10.88.0.2 that come in by nb0, because answers would go by up0".to_owned(),
        ),
    ] {
        is_found_and_cured(fault, &words);
    }
}

/// A network of netns in the place of that bridge.
const NETWORK: &str = "
    ip netns del web; ip netns del db; ip link del nb0; nft delete table ip masq
    netns net add app 10.88.0.0/24 fd58::/64 2>/dev/null
    netns new web --net app --ip 10.88.0.2 -p 8080:80; netns new db --net app --ip 10.88.0.3 -p 0.0.0.0:9090:90
    port=$(ip -br link | sed -n 's/^\\(nv[0-9]*-2\\)@.*/\\1/p'); all() { ip -br addr show scope global | grep -v ^up0; nft list table inet netns-app; }
    netns doctor; all >/run/well
";

#[test]
fn faults_of_a_network_are_found_and_cured_and_nothing_else_is_changed() {
    if !is_root() {
        return;
    }
    for (fault, words) in [
        ("ip -n web -4 addr flush dev eth0", "address: eth0 has no address of IPv4"),
        ("ip -n web -6 addr flush dev eth0", "address: eth0 has no address of IPv6"),
        (
            "ip -n web addr add 10.88.0.1/32 dev eth0",
            "duplicate: eth0 and nb-app have one address, 10.88.0.1",
        ),
        (
            "ip -n web route replace default via 10.88.0.200",
            "gateway: nobody on its link has the address of the router, 10.88.0.200",
        ),
        (
            "ip link set $port nomaster",
            "wiring: the other end of eth0, $port, is in no bridge and has no address",
        ),
        (
            "nft flush map inet netns-app pub4a",
            "table: table inet netns-app has nothing of its published port 127.0.0.1:8080:80/tcp",
        ),
        (
            "nft flush chain inet netns-app sources",
            "masquerade: packets leave by up0 as 10.88.0.2, which nobody there can answer",
        ),
    ] {
        let out = World::net(&format!(
            "{WELL}{NETWORK}{fault}\n echo \"web: {words}\"; netns doctor web || echo $?; cure web; all | diff /run/well -"
        ))
        .out();
        let lines: Vec<&str> = out.lines().skip_while(|line| line.ends_with("no fault found")).collect();
        let found: Vec<_> = lines[1..].iter().take_while(|line| **line != "1").collect();
        assert!(found.first() == lines.first().as_ref(), "{out}");
        assert!(found[1..].iter().all(|line| line.starts_with("  cure: ")), "{out}");
        assert_eq!(lines.last(), Some(&"web: no fault found"), "{out}");
    }
}

#[test]
fn faults_of_published_ports_are_found_and_cured() {
    if !is_root() {
        return;
    }
    for (fault, words) in [
        (
            "publish 'tcp . 8080'; set_ bridge/bridge-nf-call-iptables 1",
            "hairpin: it does not reach itself by its published port 8080/tcp",
        ),
        (
            "busybox nc -l -p 8080 </dev/null & S=$!; netns wait . 8080; publish 'tcp . 8080'; trap \"kill $WORLD; wait $S || :\" EXIT
             netns doctor web | sed \"s/process $S/process N/\"",
            "shadowed: busybox (process N) listens on [::]:8080/tcp, which 8080/tcp -> 10.88.0.2:80 takes away from it",
        ),
        (
            "conntrack -I -p udp -s 192.0.2.2 -d 192.0.2.1 --sport 5000 --dport 53 -r 10.88.0.3 -q 192.0.2.2 \\
                --reply-port-src 53 --reply-port-dst 5000 --timeout 100 2>&1; publish 'udp . 53'",
            "stale-flow: a flow of UDP to 192.0.2.1 port 53 still goes to 10.88.0.3:53, not to 10.88.0.2:80",
        ),
    ] {
        is_found_and_cured(fault, words);
    }
}

/// Who is root in a namespace gives its interfaces any name, and has any file in its root.
#[test]
fn what_is_looked_at_does_nothing_to_who_looks() {
    if !is_root() {
        return;
    }
    is_found_and_cured(
        "ip -n web link set eth0 down; ip -n web link set eth0 name '$(id>x)'; trap 'kill $WORLD; ! test -e x' EXIT",
        "down: $(id>x) is down",
    );
    let odd = "ip netns add 'a b'; netns doctor '/run/netns/a b' || netns doctor --json '/run/netns/a b' | jq -r .cures[] | sh -eu
        ip -n 'a b' -br link show lo | grep -o LOWER_UP";
    let out = World::net(odd).out();
    assert!(out.contains("  cure: netns up lo@'/run/netns/a b'") && out.ends_with("LOWER_UP"), "{out}");
    let script =
        "mkdir -p root/etc; cp $(command -v busybox) root/busybox; echo nameserver 127.0.0.9 >/run/mine
        netns exec web sleep 60 & S=$!; until [ \"$(cat /proc/$S/comm)\" = sleep ]; do :; done
        netns exec web chroot root /busybox sleep 60 & P=$!; trap \"kill $S $P $WORLD\" EXIT
        until [ \"$(cat /proc/$P/comm)\" = busybox ]; do :; done
        ln -s /run/mine root/etc/resolv.conf; netns doctor web; rm root/etc/resolv.conf
        mkfifo root/etc/resolv.conf; netns doctor web; rm root/etc/resolv.conf
        echo nameserver 127.0.0.8 >root/etc/resolv.conf; netns doctor web | sed s/$P/P/ || :";
    let out = World::net(&format!("{WELL}{script}")).out();
    let told = "web: no fault found
web: no fault found
web: resolver: /proc/P/root/etc/resolv.conf sends it to the name server 127.0.0.8, where in this namespace nothing listens
  cure: nsenter-rs -t P -a --toolbox /.toolbox/sh -c 'echo nameserver 192.0.2.53 >/etc/resolv.conf'";
    assert_eq!(out, told);
}

#[test]
fn a_namespace_without_interfaces_gets_one() {
    if !is_root() {
        return;
    }
    let out = World::net(&format!("{WELL} netns add bare; netns doctor bare || echo $?; cure bare")).out();
    let found = "bare: interface: it has no interface but lo\n  cure: netns link . bare 10.200.0.0/30\n1\n";
    assert!(out.starts_with(found) && out.ends_with("bare: no fault found"), "{out}");
}

#[test]
fn a_network_without_its_rules_is_told() {
    if !is_root() {
        return;
    }
    // As netns names and labels the bridge of a network.
    let script = "ip link set nb0 down; ip link set nb0 name nb-app alias 'netns 10.88.0.0/24' up
        nft delete table ip masq; netns doctor web || echo $?; nft 'add table inet netns-app'; netns doctor web || :";
    let out = World::net(&format!("{WELL} {script}")).out();
    let found = "web: table: the rules of the network app, table inet netns-app, are gone
  cure: netns net repair app\n1\nweb: masquerade: ";
    assert!(out.starts_with(found), "{out}");
}

#[test]
fn a_network_without_a_way_out_needs_none() {
    if !is_root() {
        return;
    }
    let script = "ip -n web route del default; set_ ipv4/conf/nb0/forwarding 0; nft delete table ip masq
        nft 'add table inet netns-app'
        ip link set nb0 down; ip link set nb0 name nb-app alias 'netns 10.88.0.0/24 internal' up; netns doctor web
        ip link set nb-app alias 'netns 10.88.0.0/24'; netns doctor web || echo $?";
    let out = World::net(&format!("{WELL} {script}")).out();
    assert!(out.starts_with("web: no fault found\nweb: route: ") && out.ends_with("\n1"), "{out}");
}

#[test]
fn a_full_bridge_is_told() {
    if !is_root() {
        return;
    }
    // h2, h3 and 1,020 more make one too few; both ends of each pair are ports.
    let script = "seq 510 | sed 's/.*/link add a& master nb0 type veth peer name b&\\nlink set b& master nb0/' | ip -batch -
        netns doctor web; ip link add one type veth peer name other; ip link set one master nb0; netns doctor web || :
        ip link set other master nb0 2>&1 || :";
    let out = World::net(&format!("{WELL} {script}")).out();
    let full =
        "web: bridge-ports: the bridge nb0 has 1023 ports, as many as there can be: the next one is refused";
    assert!(
        out.starts_with(&format!("web: no fault found\n{full}\n  cure: netns bridge --rm nb0 ")),
        "{out}"
    );
    assert!(out.ends_with("Exchange full"), "{out}");
}

#[test]
fn a_full_table_of_connections_is_told() {
    if !is_root() {
        return;
    }
    // The limit is one for the whole machine, so a file stands in for it. The kernel adds some of its own.
    let script = "echo 100 >max; mount --bind max /proc/sys/net/netfilter/nf_conntrack_max
        follow() { for p in $(seq $1 $2); do
            conntrack -I -p tcp -s 192.0.2.2 -d 192.0.2.1 --sport $p --dport 9 --state ESTABLISHED --timeout 100 2>/dev/null
        done; netns doctor web || echo $?; }
        follow 1 85; follow 86 100";
    let out = World::net(&format!("{WELL} {script}")).out();
    let full = " connections are followed, of 100 at most: new ones are dropped\n  cure: sysctl -w net/netfilter/nf_conntrack_max=200\n1";
    assert!(out.starts_with("web: no fault found\nweb: conntrack: 10") && out.ends_with(full), "{out}");
}

#[test]
fn a_table_that_a_process_holds_is_left_to_it() {
    if !is_root() {
        return;
    }
    let script = "mkfifo in; nft -i <in >/dev/null & exec 3>in
        echo 'add table inet f { flags owner; }' >&3
        echo 'add chain inet f c { type filter hook forward priority 0; policy drop; }' >&3
        until nft list chain inet f c >/dev/null 2>&1; do :; done; netns doctor web || :; exec 3>&-";
    let out = World::net(&format!("{WELL} {script}")).out();
    assert!(out.contains("\n  cure: firewall-cmd --zone=trusted --add-interface=nb0"), "{out}");
}

#[test]
fn what_cannot_be_examined_is_an_error() {
    if !is_root() {
        return;
    }
    for (line, words) in [
        ("none", "cannot find none: no such network namespace"),
        ("/etc/passwd", "it is no network namespace"),
    ] {
        let output = World::net(&format!("netns doctor {line} || echo $?")).run();
        assert_eq!(text(&output.stdout), "125\n", "{}", talk(&output));
        assert!(talk(&output).contains(words), "{}", talk(&output));
    }
}
