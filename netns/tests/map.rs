//! What is there is drawn: every namespace, pair, bridge, address, port and process, whoever made it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod world;

use world::{World, is_root, talk, text};

/// Three containers on a bridge, with nothing but iproute2; one namespace has no name in /run/netns.
const TOPOLOGY: &str = "
    ip link set lo up; ip link add nb0 type bridge; ip link set nb0 up; ip addr add 10.88.0.1/24 dev nb0
    for n in web:2 db:3; do
        ip netns add ${n%:*}; ip link add h${n#*:} master nb0 up type veth peer name eth0 netns ${n%:*}
        ip -n ${n%:*} addr add 10.88.0.${n#*:}/24 dev eth0; ip -n ${n%:*} link set eth0 up
        ip -n ${n%:*} route add default via 10.88.0.1
    done
    mkdir /run/engine; : >/run/engine/cache
    unshare -n mount --bind /proc/self/ns/net /run/engine/cache
    nsenter --net=/run/engine/cache sleep 60 & SLEEPER=$!
    trap 'kill $SLEEPER' EXIT
    until [ /proc/$SLEEPER/ns/net -ef /run/engine/cache ] && [ $(cat /proc/$SLEEPER/comm) = sleep ]; do :; done
    ip link add h4 master nb0 up type veth peer name eth0 netns $SLEEPER
    nft 'table inet t {
        map m { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
            elements = { 127.0.0.1 . tcp . 8080 comment \"web\" : 10.88.0.2 . 80 }; }
        map m6 { type inet_proto . inet_service : ipv6_addr . inet_service
            elements = { udp . 8080 : fd58::2 . 80 }; }
        map other { type ipv4_addr : ipv4_addr; elements = { 10.0.0.1 : 10.0.0.2 }; }; }'
";

#[test]
fn people_see_what_is_connected_to_what() {
    if !is_root() {
        return;
    }
    let map = World::net(&format!("{TOPOLOGY} netns map | sed -E 's/([^ ]) +/\\1 /g'")).out();
    for line in [
        "\n  nb0 bridge 10.88.0.1/24\n    h2 veth -> eth0@web\n    h3 veth -> eth0@db\n    h4 veth -> eth0@",
        "\n  publishes 127.0.0.1:8080/tcp -> 10.88.0.2:80 (eth0@web)\n",
        "\n  publishes 8080/udp -> [fd58::2]:80\n",
        "\n  eth0 veth -> h2 10.88.0.2/24\n  route default via 10.88.0.1 dev eth0\n",
        " sleep\n",
        "/run/engine/cache: namespace ",
        "  eth0 veth -> h4 down",
    ] {
        assert!(map.contains(line), "{line:?} is missing in\n{map}");
    }
    let at = |text: &str| map.find(text).unwrap();
    assert!(map.starts_with(".: namespace ") && at("\ndb: ") < at("\nweb: "), "{map}");
}

#[test]
fn networks_are_told_by_their_names_and_lines_are_short() {
    if !is_root() {
        return;
    }
    let script = "
        ip link set lo up; netns net add shop --internal; netns new web --net shop -p 8080:80
        ip link set $(ip -br link show type veth | cut -d@ -f1) mtu 1400
        unshare -npf --kill-child sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; echo; wait' >ready &
        trap \"kill -9 $!\" EXIT; until [ -s ready ]; do :; done; netns map | sed -E 's/([^ ]) +/\\1 /g'";
    let map = World::net(&format!("cd /run; {script}")).out();
    let of_shop = map.lines().find(|line| line.starts_with("  nb-shop ")).unwrap();
    assert!(of_shop.starts_with("  nb-shop bridge of network shop, internal 10.210.0.1/24 fd"), "{map}");
    assert!(!of_shop.contains('\''), "{map}");
    let own = map.split("\n\n").next().unwrap();
    assert!(own.contains(" veth -> eth0@web mtu 1400\n") && !own.contains("\n  lo"), "{map}");
    let crowd = map.lines().find(|line| line.contains(" unshare, ")).unwrap_or_else(|| panic!("{map}"));
    assert!(crowd.len() <= 80 && crowd.ends_with(" more"), "{crowd}");
}

#[test]
fn a_host_without_a_name_is_called_what_its_network_calls_it() {
    if !is_root() {
        return;
    }
    let script = r#"
        ip link set lo up; netns net add shop --internal; netns new kept --net shop; pids=; trap 'kill $pids' EXIT
        for name in web ''; do
            netns new $name --net shop -- sh -c 'echo $$; exec sleep 60' >pid & pids="$pids $!"
            until [ -s pid ] && [ "$(cat /proc/$(cat pid)/comm)" = sleep ]; do :; done; read pid <pid; : >pid
            netns map | grep "process $pid sleep" | sed "s/$pid/PID/g; s/namespace [0-9]*/namespace N/"
            netns map --dot | grep "label=.$pid" | sed "s/$pid/PID/g; s/^ *//"
            netns map --json | jq -c "select(.processes[0].pid == $pid) | .networks"
            netns whoami $pid | grep ^host || echo no host
        done
        netns map --json | jq -c 'select(.names == ["kept"]) | .networks'; netns map | grep -o '^kept: namespace'"#;
    let out = World::net(&format!("cd /run; {script}")).out();
    let expected = r#"PID (web of network shop): namespace N, process PID sleep
label="PID\nweb of network shop\nsleep"
[{"host":"web","name":"shop"}]
host web of network shop
PID: namespace N, process PID sleep
label="PID\nsleep"
[{"host":null,"name":"shop"}]
no host
[{"host":"kept","name":"shop"}]
kept: namespace"#;
    assert_eq!(out, expected);
}

/// As the first networks of two users have.
#[test]
fn namespaces_with_the_same_addresses_are_told_apart() {
    if !is_root() {
        return;
    }
    let net = "ip link set lo up; netns net add twin 10.99.0.0/24; netns new web --net twin -p 8080:80";
    let script = format!(
        "unshare -nm sh -euc 'mount -t tmpfs t /run; {net}; echo >&3; exec sleep 60' 3>ready & trap \"kill $!\" EXIT
        until [ -s ready ]; do :; done; {net}
        netns whoami web | grep ^port; netns map | grep 10.99.0.148:80; netns map --json | jq -r 'select(.own) | .publishes[].netns'"
    );
    let out = World::net(&format!("cd /run; {script}")).out();
    let port = "127.0.0.1:8080/tcp -> 10.99.0.148:80";
    assert!(out.starts_with(&format!("port {port} of .\n  publishes {port} (eth0@web)\n")), "{out}");
    // Only its own names lead to the other's namespace, which no process is in.
    let others = out.lines().skip(2).filter(|line| *line == format!("  publishes {port}")).count();
    assert!(others > 0 && out.matches("web").count() == 2 && out.ends_with("\nweb"), "{out}");
}

#[test]
fn programs_see_the_same() {
    if !is_root() {
        return;
    }
    let ask = r#"
        jq -r 'select(.own) | (.interfaces[] | select(.bridge == "nb0") | [.name, .kind, .peer.interface, .peer.netns]),
            (.publishes[] | [.protocol, .address, .port, .to.address, .to.port, .netns, .comment]) | @csv' <map
        jq -r 'select(.names == ["web"]) | .inode, (.interfaces[] | select(.name == "eth0") | .peer.interface, .bridge,
            .addresses[0], .up, .carrier, .mtu), (.routes[] | select(.via) | .to, .via, .interface)' <map
        jq -r 'select(.files == ["/run/engine/cache"]) | .processes[].command, .own' <map
        stat -Lc %i /run/netns/web"#;
    let out = World::net(&format!("{TOPOLOGY} cd /run; netns map --json >map; {ask}")).out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], r#""h2","veth","eth0","web""#, "{out}");
    assert_eq!(lines[1], r#""h3","veth","eth0","db""#, "{out}");
    assert!(lines[2].starts_with(r#""h4","veth","eth0","#), "{out}");
    assert_eq!(lines[3], r#""tcp","127.0.0.1",8080,"10.88.0.2",80,"web","web""#, "{out}");
    assert_eq!(lines[4], r#""udp",,8080,"fd58::2",80,,"#, "{out}");
    assert_eq!(lines[5], *lines.last().unwrap(), "the inode: {out}");
    let web = ["h2", "null", "10.88.0.2/24", "true", "true", "1500", "0.0.0.0/0", "10.88.0.1", "eth0"];
    assert_eq!(lines[6..15], web, "{out}");
    assert_eq!(lines[15..17], ["sleep", "false"], "{out}");
}

#[test]
fn a_drawing_has_a_box_for_each_namespace_and_a_line_for_each_pair() {
    if !is_root() {
        return;
    }
    let dot = World::net(&format!("{TOPOLOGY} netns map --dot")).out();
    assert!(dot.starts_with("graph netns {\n") && dot.ends_with('}'), "{dot}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count(), "{dot}");
    assert!(dot.contains(r#"label="web""#) && dot.contains(r#"[label="eth0\n10.88.0.2/24""#), "{dot}");
    // There may be pairs of others, who run at the same time.
    let own = dot.split_once("cluster_").unwrap().1.split_once(' ').unwrap().0;
    let pairs = dot.lines().filter(|line| line.contains("style=bold") && line.contains(&format!("n{own}_")));
    assert_eq!(pairs.count(), 3, "{dot}");
    assert!(dot.contains(r#"label="127.0.0.1:8080/tcp -> 10.88.0.2:80""#), "{dot}");
}

#[test]
fn ports_of_iptables_are_seen_too() {
    if !is_root() {
        return;
    }
    let script = "
        nat() { $1 -t nat -A PREROUTING -p $2 ${5:-} -m $2 --dport $3 -j DNAT --to-destination $4; }
        nat iptables-nft tcp 8081 10.88.0.3:81 '! -i nb0'; nat iptables-nft udp 53 10.88.0.4 '-d 192.0.2.1'
        nat ip6tables-nft tcp 8083 [fd58::3]:83
        nft 'add table ip t; add chain ip t c; add rule ip t c udp dport 99 counter dnat to 10.88.0.4:98'
        netns map | awk -v RS= '/^[.]:/' | grep publishes";
    let expected = "  publishes 8081/tcp -> 10.88.0.3:81
  publishes 8083/tcp -> [fd58::3]:83
  publishes 99/udp -> 10.88.0.4:98
  publishes 192.0.2.1:53/udp -> 10.88.0.4:53";
    assert_eq!(World::net(script).out().trim(), expected.trim());
}

#[test]
fn the_right_one_of_interfaces_with_the_same_numbers_is_the_other_end() {
    if !is_root() {
        return;
    }
    // Three pairs of eth0 and eth0, all with number 2.
    let script = "
        for p in a:b c:d e:f; do
            ip netns add ${p%:*}; ip netns add ${p#*:}
            ip -n ${p%:*} link add eth0 index 2 type veth peer name eth0 index 2 netns ${p#*:}
        done
        ip -n e link add mv link eth0 index 7 type macvlan; ip -n e link set mv netns f
        netns map | awk -v RS= '/^[a-f]: /' | grep -E '^[a-f]:|->' | sed -E 's/ +/ /g; s/ down.*//; s/ namespace.*//'";
    let out = World::net(script).out();
    let words: Vec<&str> =
        out.split_whitespace().filter(|word| !["eth0", "veth", "->", "macvlan"].contains(word)).collect();
    assert_eq!(
        words,
        [
            "a:", "eth0@b", "b:", "eth0@a", "c:", "eth0@d", "d:", "eth0@c", "e:", "eth0@f", "f:", "eth0@e",
            "mv", "eth0@e"
        ],
        "{out}"
    );
}

#[test]
fn what_cannot_be_looked_into_is_told_as_such() {
    if !is_root() {
        return;
    }
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    let output = World::new(&user, "netns map; netns map --json | head -1").run();
    assert!(output.status.success(), "{}", talk(&output));
    let map = text(&output.stdout);
    assert!(map.starts_with(".: namespace ") && map.contains("\n  "), "{map}");
    assert!(talk(&output).is_empty(), "{}", talk(&output));
}

#[test]
fn names_cannot_write_on_the_terminal() {
    if !is_root() {
        return;
    }
    let script = "ip netns add \"$(printf 'a\\033[2Jb')\"; ip link add br0 type bridge
        ip link set br0 alias \"$(printf 'x\\ny\\033')\"; netns map; netns map --dot";
    let out = World::net(script).out();
    assert!(!out.contains('\u{1b}') && out.contains("a\\x1b[2Jb") && out.contains("x\\x0ay\\x1b"), "{out}");
}
