//! One namespace is looked at: whoami, wait and pcap.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod world;

use world::{World, is_root, talk, text};

/// A container on a bridge.
const WEB: &str = "
    ip link set lo up; ip link add nb0 type bridge; ip link set nb0 up; ip addr add 10.88.0.1/24 dev nb0
    ip netns add web; ip link add h2 master nb0 up type veth peer name eth0 netns web
    ip -n web addr add 10.88.0.2/24 dev eth0; ip -n web link set eth0 up; ip -n web link set lo up
    ip -n web route add default via 10.88.0.1; cd /run
    serve() { nsenter --net=/run/netns/web busybox nc -l \"$@\" </dev/null >/dev/null & SERVER=$!; }
";

#[test]
fn a_namespace_is_told_as_others_see_it() {
    if !is_root() {
        return;
    }
    let script = "ln -s web /run/netns/also; nsenter --net=/run/netns/web sleep 60 & trap \"kill $!\" EXIT
        until [ \"$(cat /proc/$!/comm)\" = sleep ]; do :; done
        nft 'table ip t { map m { type inet_proto . inet_service : ipv4_addr . inet_service
            elements = { tcp . 8080 : 10.88.0.2 . 80, tcp . 81 : 10.88.0.3 . 80 }; }; }'
        netns whoami web; netns whoami $! | head -1; netns exec web netns whoami | head -1
        netns whoami --json web | jq -r '.names[1], .reached[0].netns, .reached[0].to.port, (.reached | length)'
        echo $!; stat -Lc %i /run/netns/web";
    let out = World::alone(&format!("{WEB} {script}")).out();
    let lines: Vec<&str> = out.lines().collect();
    let (pid, inode) = (lines[lines.len() - 2], lines[lines.len() - 1]);
    let expected = format!(
        "name also\nname web\ninode {inode}\nprocess {pid} sleep\ninterface lo up\naddress lo 127.0.0.1/8\n\
         address lo ::1/128\ninterface eth0 up\naddress eth0 10.88.0.2/24\npeer eth0 h2 of bridge nb0\n\
         route default via 10.88.0.1\nport 8080/tcp -> 10.88.0.2:80 of .\nname also\nname also\nweb\n.\n80\n1\n"
    );
    assert!(out.starts_with(&expected), "{out}\ninstead of\n{expected}");
}

#[test]
fn waiting_ends_when_something_listens() {
    if !is_root() {
        return;
    }
    let script = "
        netns wait --timeout 0.05 web 80 || echo $?
        netns wait web 80 & A=$!; netns wait --timeout 30 --udp /run/netns/web 53 & B=$!
        netns exec web netns wait . 80 & C=$!; netns wait 1 80 2>err || echo $?
        serve -p 80; wait $A; wait $C; kill $SERVER; echo tcp
        netns wait --timeout 0.05 --udp web 80 || echo $?
        nsenter --net=/run/netns/web python3 -c '
from socket import *
s = socket(AF_INET, SOCK_DGRAM); s.bind((\"\", 53)); s.recv(1)' & SERVER=$!; wait $B; kill $SERVER; echo udp; cat err";
    let out =
        World::net(&format!("{WEB} {}", script.replace("netns wait 1 80", "netns wait 4194304 80"))).out();
    let start = "1\n125\ntcp\n1\nudp\nnetns: cannot find 4194304: no such network namespace\n";
    assert!(out.starts_with(start), "{out}");
}

#[test]
fn waiting_for_a_process_ends_with_it() {
    if !is_root() {
        return;
    }
    let script = "cd /run; unshare -n sleep 60 & P=$!; until [ \"$(cat /proc/$P/comm)\" = sleep ]; do :; done
        netns wait $P 80 2>err & W=$!; until ls -l /proc/$W/fd | grep -q socket; do :; done
        kill $P; wait $P || :; wait $W || echo $?; cat err";
    let out = World::net(script).out();
    assert!(out.starts_with("125\nnetns: cannot wait for port 80 of process "), "{out}");
    assert!(out.ends_with(": the process has ended or left the namespace"), "{out}");
}

/// Frames as python reads them: number of the interface, kind of packet, and the bytes.
const READ: &str = r#"python3 -c '
import struct, sys
d = open(sys.argv[1], "rb").read()
magic, major, minor, _, _, snap, link = struct.unpack("=IHHiIII", d[:24])
print(hex(magic), major, minor, snap, link)
at = 24
while at < len(d):
    s, ns, kept, whole = struct.unpack("=IIII", d[at:at+16])
    p = d[at+16:at+16+kept]
    assert len(p) == kept and s > 1e9 and ns < 1e9
    protocol, zero, index, hatype, kind, halen = struct.unpack(">HHIHBB", p[:12])
    print(hex(protocol), zero, index, hatype, kind, halen, kept, whole, p[20:24].hex())
    at += 16 + kept
' "#;

#[test]
fn packets_are_written_as_programs_read_them() {
    if !is_root() {
        return;
    }
    let script = "
        netns pcap -w a.pcap web & A=$!; netns pcap --write b.pcap --interface lo --count 2 --snap 24 web & B=$!
        until [ -s a.pcap ] && [ -s b.pcap ]; do :; done
        ip -n web neigh add 10.88.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
        netns exec web busybox ping -c 1 127.0.0.1 >/dev/null
        netns exec web busybox ping -c 1 -W 1 10.88.0.9 >/dev/null || :
        wait $B; kill -INT $A; wait $A; echo $?; ip -n web -o link | sed -n 's/^\\([0-9]*\\): eth0.*/\\1/p'";
    let out = World::net(&format!("{WEB} {script}; {READ} b.pcap; {READ} a.pcap")).out();
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("0"), "{out}");
    let eth0 = lines.next().unwrap();
    assert_eq!(lines.next(), Some("0xa1b23c4d 2 4 24 276"), "{out}");
    // IPv4 on lo: sent, then received; the rest of each is not kept.
    assert_eq!(lines.next(), Some("0x800 0 1 772 4 6 24 104 45000054"), "{out}");
    assert_eq!(lines.next(), Some("0x800 0 1 772 0 6 24 104 45000054"), "{out}");
    assert_eq!(lines.next(), Some("0xa1b23c4d 2 4 262144 276"), "{out}");
    let sent = format!("0x800 0 {eth0} 1 4 6 104 104 45000054");
    assert!(lines.any(|line| line == sent), "{sent} is missing:\n{out}");
}

#[test]
fn packets_go_to_programs_and_to_no_wrong_place() {
    if !is_root() {
        return;
    }
    let script = "netns pcap -w - -c 1 -i lo web | wc -c & W=$!
        netns exec web busybox ping -i 0.1 127.0.0.1 >/dev/null & P=$!
        wait $W; kill $P; wait $P || :
        netns pcap -w /no/such/dir web || echo $?; netns pcap -w x -i none web || echo $?; ls
        netns pcap -w /dev/full web || echo $?";
    let output = World::net(&format!("{WEB} {script}")).run();
    assert_eq!(text(&output.stdout), "144\n125\n125\nnetns\n125\n", "{}", talk(&output));
    for words in
        ["cannot write /no/such/dir: ", "cannot find none: ", "cannot write /dev/full: No space left"]
    {
        assert!(talk(&output).contains(words), "{words}: {}", talk(&output));
    }
}
