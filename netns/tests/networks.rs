//! Networks and hosts in them: what is made, what is refused, what is left.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Tcp, address, ask, at, command, inside, on_a_host, output, refusal, serve, sh};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::Instant;

/// All that a network leaves anywhere: interfaces, rules, switches.
fn traces() -> String {
    sh("ip -br link | cut -d' ' -f1; nft list ruleset; ls -A /run/netns-net || true
        grep -H . /proc/sys/net/ipv[46]/conf/*/*forwarding")
}

#[test]
fn a_network_goes_without_a_trace() {
    on_a_host(|| {
        sh("netns gc");
        let before = traces();
        sh("netns net add a; netns net add b 10.9.0.0/16 fd09::/64; netns new web --net a -p 8080:80");
        let forwarding = "cat /proc/sys/net/ipv4/conf/up0/forwarding";
        assert_eq!(sh(forwarding), "1");
        let no = refusal("netns net rm a");
        assert!(no.contains("one host is in it"), "{no}");
        sh("netns net rm --force a");
        assert_eq!(sh(forwarding), "1", "the other network needs it");
        sh("netns net rm b");
        assert_eq!(traces(), before);
    });
}

#[test]
fn what_was_on_before_stays_on() {
    on_a_host(|| {
        sh("echo 1 >/proc/sys/net/ipv4/conf/up0/forwarding; netns net add a; netns net rm a");
        assert_eq!(sh("cat /proc/sys/net/ipv4/conf/up0/forwarding"), "1");
    });
}

#[test]
fn subnets_are_free_ones() {
    on_a_host(|| {
        sh("ip route add 10.210.0.0/23 via 192.0.2.1; netns net add a; netns net add b");
        let list = sh("netns net ls");
        assert!(list.contains("10.210.2.0/24") && list.contains("10.210.3.0/24"), "{list}");
        for (line, why) in [
            ("c 10.210.2.128/25", "uses or reaches 10.210.2.0/24"),
            ("c 10.5.0.1/24", "the bits of the host are not zero"),
            ("c 10.5.0.0/24 10.6.0.0/24", "one subnet of IPv4"),
            ("c 127.0.0.0/24", "no host can have such addresses"),
            ("c ::ffff:10.5.0.0/112", "no host can have such addresses"),
            ("a", "the interface nb-a exists"),
            ("thirteen-long", "at most 12 characters"),
        ] {
            let no = refusal(&format!("netns net add {line}"));
            assert!(no.contains(why), "{line}: {no}");
        }
        assert_eq!(sh("netns net ls | wc -l"), "3");
    });
}

/// As with two providers, and as a VPN has it that leaves the default route in place.
#[test]
fn every_way_out_is_one_and_takes_no_subnet() {
    on_a_host(|| {
        sh(
            "ip link add up1 type veth peer name far; ip link set up1 up; ip link set far up; ip addr add 198.51.100.1/24 dev up1",
        );
        for ways in [
            "ip route replace default nexthop via 192.0.2.1 nexthop via 198.51.100.2",
            "ip route replace default via 192.0.2.1; ip route add 0.0.0.0/1 via 198.51.100.2; ip route add 128.0.0.0/1 via 198.51.100.2",
        ] {
            sh(&format!("{ways}; netns net add a; netns new web --net a"));
            assert!(sh("netns net ls").contains("10.210.0.0/24"));
            let forwarding = "cd /proc/sys/net/ipv4/conf; cat up0/forwarding up1/forwarding";
            assert_eq!(sh(forwarding), "1\n1", "{ways}");
            assert_eq!(sh("netns doctor web"), "web: no fault found");
            let off =
                "echo 0 >/proc/sys/net/ipv4/conf/up1/forwarding; netns doctor web || :; netns net repair";
            assert!(ways.contains("nexthop") || sh(off).contains("not forwarded between nb-a and up1"));
            sh("netns del web; netns net rm -f a");
            assert_eq!(sh(forwarding), "0\n0", "{ways}");
        }
    });
}

#[test]
fn a_network_is_told_as_json() {
    on_a_host(|| {
        sh(
            "netns net add a 10.9.0.0/24 fd09::/64 --mtu 1400; netns new web --net a --ip 10.9.0.7 -p 8080-8081:80-81",
        );
        let all = sh("netns net ls --json");
        let port = r#""ports":["127.0.0.1:8080-8081:80-81/tcp"]"#;
        for part in [r#""name":"a""#, r#""addresses":["10.9.0.7","fd09::7"]"#, r#""mtu":1400"#, port] {
            assert!(all.contains(part), "{part}: {all}");
        }
    });
}

#[test]
fn the_same_name_has_the_same_address_each_time() {
    on_a_host(|| {
        sh("netns net add a");
        let show = "netns new web --net a -- ip -o addr show dev eth0 scope global";
        let first = sh(show);
        assert!(first.contains("inet 10.210.0.") && first.contains("inet6 fd"), "{first}");
        let again = || sh("until ! ip -br link | grep -q ^nv; do sleep 0.01; done") + &sh(show);
        assert!((0..3).all(|_| again() == first));
    });
}

#[test]
fn an_address_is_one_hosts() {
    on_a_host(|| {
        sh("netns net add a 10.9.0.0/28; netns new web --net a --ip 10.9.0.7");
        let no = refusal("netns new other --net a --ip 10.9.0.7");
        assert!(no.contains("web has the address 10.9.0.7"), "{no}");
        let no = refusal("netns new web --net a -- true");
        assert!(no.contains("there is a web already, at 10.9.0.7"), "{no}");
        for (ip, why) in [
            ("10.9.0.1", "from 10.9.0.2 to 10.9.0.14"),
            ("10.9.0.15", "from"),
            ("10.8.0.1", "is 10.9.0.0/28"),
        ] {
            let no = refusal(&format!("netns new x --net a --ip {ip}"));
            assert!(no.contains(why), "{no}");
        }
        sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do netns new h$i --net a; done");
        let no = refusal("netns new more --net a");
        assert!(no.contains("all its addresses are in use"), "{no}");
        assert_eq!(
            sh(
                "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ip -n h$i -4 -o addr show dev eth0; done | sort -u | wc -l"
            ),
            "12"
        );
        assert_eq!(sh("ip netns | grep -c more || true"), "0", "a name was left");
    });
}

#[test]
fn the_link_waits_and_gives_the_status_of_the_command() {
    on_a_host(|| {
        sh("netns net add a");
        for (command, status) in
            [("true", 0), ("sh -c 'exit 7'", 7), ("sh -c 'kill -9 $$'", 137), ("no-such", 127), ("/", 126)]
        {
            let output = output(&format!("netns new --net a -p 8080:80 -- {command}"));
            assert_eq!(output.status.code(), Some(status), "{command}");
        }
        assert_eq!(sh("nft list ruleset | grep -c elements || true"), "0");
    });
}

#[test]
fn a_port_that_is_in_use_is_refused() {
    on_a_host(|| {
        sh("netns net add a; netns net add b; netns new web --net a -p 0.0.0.0:8080-8089:80-89");
        for spec in ["8080:80", "0.0.0.0:8085:1", "192.0.2.2:8089:1", "8000-8080:8000-8080"] {
            let no = refusal(&format!("netns new --net b -p {spec} -- true"));
            assert!(no.contains("is published already, for web of the network a"), "{spec}: {no}");
        }
        sh("netns new --net b -p 8080:80/udp -p '[::]:8080:80' -- true");
        serve("", "127.0.0.1", 9999, "host");
        for spec in ["9999:1", "0.0.0.0:9999:1", "9990-9999:1-10/udp"] {
            let no = refusal(&format!("netns new --net a -p {spec} -- true"));
            assert!(no.contains("a program of this host listens on 9999/"), "{spec}: {no}");
        }
        let no = refusal("netns new --net a -p 203.0.113.1:80:80 -- true");
        assert!(no.contains("203.0.113.1 is no address of this host"), "{no}");
        let no = refusal("netns new --net a -p 81:80 -p 80-90:80-90 -- true");
        assert!(no.contains("port 81 is given twice"), "{no}");
    });
}

#[test]
fn ranges_of_any_size_are_published_whole() {
    on_a_host(|| {
        sh("netns net add a; netns new web --net a -p 10000-14999:20000-24999");
        assert_eq!(sh("nft list map inet netns-a pub4a | grep -c 'comment \"web\"'"), "5000");
        for port in [20000, 20400, 24999] {
            serve("web", "0.0.0.0", port, "web");
            assert!(ask("", Tcp, at("127.0.0.1", port - 10000)).is_some(), "{port}");
        }
    });
}

#[test]
fn after_a_kill_gc_leaves_nothing() {
    on_a_host(|| {
        sh("netns net add a; netns new stays --net a -p 8081:81");
        let before = sh("nft list ruleset; cat /run/netns-net/a/*; ip -br link | cut -d' ' -f1");
        let start = || {
            let line = "exec netns new web --net a -p 8080:80 -p 8080:80/udp --dns 192.0.2.53 -- sh -c 'echo up; exec sleep 60'";
            let mut child = command(line).stdout(Stdio::piped()).spawn().unwrap();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
            let timeout = child.id();
            sh(&format!("kill -9 $(cat /proc/{timeout}/task/{timeout}/children)"));
            child.wait().unwrap();
            sh("until [ $(ip -br link | grep -c ^nv) = 1 ]; do sleep 0.01; done");
        };
        start();
        assert!(sh("nft list ruleset").contains("8080"), "nothing was left that gc could remove");
        sh("netns new web --net a -p 8080:80 -- true");
        start();
        // At once after a kill, while the kernel is still busy with what was killed.
        sh("for i in 1 2 3 4 5; do
                netns new web --net a --ip 10.210.0.9 -p 8080:80 -- sh -c 'kill -9 $PPID' || [ $? = 137 ]
            done");
        start();
        sh("netns gc");
        assert_eq!(sh("nft list ruleset; cat /run/netns-net/a/*; ip -br link | cut -d' ' -f1"), before);
    });
}

#[test]
fn names_are_seen_by_those_who_are_there_already() {
    on_a_host(|| {
        sh("netns net add a; netns new one --net a");
        let script = "netns new two --net a -- sh -euc '
            grep -q \" one one.netns$\" $CHAIN_HOSTS; i=$(stat -c %i $CHAIN_HOSTS)
            nsenter -t $PPID -n netns new three --net a
            grep -c \" three \" $CHAIN_HOSTS; [ $i = $(stat -c %i $CHAIN_HOSTS) ]
            grep -q nameserver $CHAIN_RESOLV_CONF; ! grep -q 127. $CHAIN_RESOLV_CONF'";
        sh("mkdir /run/etc; cp /etc/resolv.conf /run/etc; echo 'nameserver 127.0.0.53
nameserver 192.0.2.53' >/run/etc/resolv.conf; mount --bind /run/etc/resolv.conf /etc/resolv.conf");
        assert_eq!(sh(script), "2");
        assert_eq!(sh("grep -c ' two ' /run/netns-net/a/hosts || true"), "0");
        let address = address("one", 4);
        assert_eq!(sh("grep -c ' one ' /run/netns-net/a/hosts"), "2");
        assert!(sh("cat /run/netns-net/a/hosts").contains(&format!("{address} one one.netns")));
        assert_eq!(
            sh("netns new --net a --dns 192.0.2.1 --dns 2001:db8::1 -- sh -c 'cat $CHAIN_RESOLV_CONF'"),
            "nameserver 192.0.2.1\nnameserver 2001:db8::1"
        );
        assert_eq!(sh("ls /run/netns-net/a"), "hosts\nresolv.conf");
        for (name, why) in
            [("one.netns", "there is a one.netns already"), ("localhost", "every host calls itself so")]
        {
            let no = refusal(&format!("netns new {name} --net a -- true"));
            assert!(no.contains(why), "{name}: {no}");
        }
    });
}

#[test]
fn the_interface_inside_is_as_asked() {
    on_a_host(|| {
        sh("netns net add a");
        let link = sh("netns new --net a --mac 02:00:00:00:00:0a --mtu 1300 -- ip -o link show eth0");
        assert!(link.contains("mtu 1300") && link.contains("02:00:00:00:00:0a"), "{link}");
        assert!(sh("ip link show nb-a").contains("mtu 1500"), "the others have smaller packets too");
        let no = refusal("netns new --net a --mtu 9000 -- true");
        assert!(no.contains("the network a takes 1500 at most"), "{no}");
    });
}

/// A MiB takes this many seconds from one host to another. A busy machine may need longer, but not each time.
#[track_caller]
fn send_within(from: &str, to: &str, least: f64, most: f64) {
    let in_time = |_| {
        let seconds = seconds_to_send(from, to, 1 << 20);
        assert!(seconds >= least, "from {from} to {to}: {seconds}");
        seconds < most
    };
    assert!((0..5).any(in_time), "from {from} to {to}: {most} s and more, each time");
}

/// How long a host takes to send this many bytes to another one, in seconds.
fn seconds_to_send(from: &str, to: &str, bytes: usize) -> f64 {
    let at = at(&address(to, 4), 7777);
    let listener = inside(to, move || TcpListener::bind(at).unwrap());
    let started = Instant::now();
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
        all.len()
    });
    inside(from, move || TcpStream::connect(at).unwrap().write_all(&vec![0; bytes]).unwrap());
    assert_eq!(reader.join().unwrap(), bytes);
    started.elapsed().as_secs_f64()
}

#[test]
fn rates_are_kept_in_both_directions() {
    on_a_host(|| {
        sh("netns net add a; netns new slow --net a --down 8m --up 16m; netns new fast --net a");
        // 8 million bits in a second are 1 MB.
        send_within("fast", "slow", 0.9, 2.5);
        send_within("slow", "fast", 0.4, 0.9);
    });
}

#[test]
fn a_removed_host_leaves_nothing_for_gc() {
    on_a_host(|| {
        sh("netns net add a; netns new stays --net a -p 8081:81");
        let state = "nft list ruleset; cat /run/netns-net/a/*; ls /run/netns-net/a";
        let before = sh(state);
        sh("netns new web --net a -p 0.0.0.0:8080:80 -p '[::]:8080:80' -p 53:53/udp --dns 192.0.2.53");
        serve("web", "0.0.0.0", 80, "web");
        assert!(ask("inet", Tcp, at(common::HOST4, 8080)).is_some());
        let web = address("web", 4);
        let flows = format!("conntrack -L 2>/dev/null | grep -c 'src={web} ' || true");
        assert_ne!(sh(&flows), "0", "there is no flow that could be forgotten");
        // Another name of it is not what the network knows it by.
        sh("netns attach also /run/netns/web; netns del also");
        assert!(ask("inet", Tcp, at(common::HOST4, 8080)).is_some());
        sh("netns del web");
        assert_eq!((sh(state), sh(&flows)), (before, "0".to_owned()));
        // Nor does its interface keep the network, which the kernel removes a moment later.
        sh("for i in 1 2 3 4 5; do netns net add b; netns new x --net b; netns del x; netns net rm b; done");
        // And of a network that is gone, or was never there, nothing.
        sh("netns net rm --force a; netns del stays; netns add plain; netns del plain");
    });
}

/// They are taken out of a network some at a time, and several may do that at once.
#[test]
fn hosts_that_are_removed_together_leave_nothing_for_gc() {
    on_a_host(|| {
        sh("for net in a b; do netns net add $net; netns new x --net $net; netns del x; done");
        let state = "nft list ruleset; cat /run/netns-net/?/*; ls /run/netns-net/?";
        let before = sh(state);
        let all =
            ["netns del --all", "(ulimit -n 24; netns del --all)", "netns del --all & netns del --all; wait"];
        for all in all {
            sh("netns add other; port=8000; for net in a b; do for host in 1 2 3 4 5 6 7 8; do
                netns new $net$host --net $net -p $((port += 1)):80 -p $port:53/udp --dns 192.0.2.53; done; done");
            assert_ne!(sh(state), before);
            sh(all);
            assert_eq!((sh(state), sh("netns ls")), (before.clone(), String::new()));
        }
    });
}

#[test]
fn of_two_who_want_a_port_at_once_one_gets_it() {
    on_a_host(|| {
        sh("for n in a b c d; do netns net add $n; done");
        for round in 0..10 {
            let script = format!("
                for n in a b c d; do (netns new $n-{round} --net $n -p 8080:80 2>$n.err && echo >won.$n) & done; wait
                ls won.* | wc -l; grep -l 'is published already' ?.err | wc -l; rm -f won.* ?.err
                nft list ruleset | grep -c '8080 comment'; for n in a b c d; do netns del $n-{round} 2>/dev/null || true; done");
            assert_eq!(sh(&format!("cd /run; {script}")), "1\n3\n1", "round {round}");
        }
    });
}

#[test]
fn without_nft_nothing_is_made() {
    on_a_host(|| {
        let no =
            refusal("mkdir /run/bin; ln -s $(command -v netns) /run/bin; PATH=/run/bin; netns net add a");
        assert!(no.contains("cannot load the rules of the network a: nft is not installed\n"), "{no}");
        assert!(no.contains("hint: it is of the package nftables"), "{no}");
        assert_eq!(sh("ip -br link | grep -c nb- || true"), "0");
    });
}

#[test]
fn root_of_a_user_namespace_does_the_same() {
    on_a_host(|| {
        let script = "
            mount -t tmpfs t /run; ip link set lo up
            netns net add a; netns new web --net a -p 8080:80
            nft list map inet netns-a pub4a | grep -c 8080
            netns new --net a -- ip -4 -o addr show dev eth0 | grep -c 10.210.0.; netns net rm -f a";
        assert_eq!(sh(&format!("unshare -Urnm sh -euc '{script}'")), "1\n1");
        assert_eq!(
            sh(&format!(
                "setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urnm sh -euc '{script}'"
            )),
            "1\n1"
        );
        let no = refusal("setpriv --reuid 65534 --regid 65534 --clear-groups netns net add b");
        assert!(no.contains("hint: run it as root, or as root of a user and a network namespace"), "{no}");
    });
}
