//! Firewalls of others: told, opened on request, and left as they were.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Tcp, address, ask, at, on_a_host, output, refusal, serve, sh};
use std::process::Command;

const CLOSED: &str = "nft add table ip filter
    nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'";

/// What a command that succeeds says on standard error.
#[track_caller]
fn talk(script: &str) -> String {
    let output = output(script);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{script}: {talk}");
    talk
}

fn has(program: &str) -> bool {
    let has = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    let must = std::env::var_os("CHAIN_TESTS_MUST_RUN").is_some_and(|value| value == "1");
    assert!(has || !must, "this test must run, but there is no {program}");
    if !has {
        eprintln!("skipped: it needs {program}");
    }
    has
}

fn reaches(word: &'static str) -> bool {
    ask("inet", Tcp, at(common::HOST4, 8080)).is_some_and(|answer| answer.starts_with(word))
}

#[test]
fn a_firewall_that_drops_is_told_with_the_cure() {
    on_a_host(|| {
        sh(CLOSED);
        let talk = talk("netns net add a");
        assert!(talk.contains("netns: warning: chain FORWARD of table ip filter drops"), "{talk}");
        assert_eq!(self::talk("netns new web --net a -p 0.0.0.0:8080:80"), talk);
        serve("web", "0.0.0.0", 80, "web");
        assert!(!reaches("web"));
        let cures = talk.lines().filter_map(|line| line.strip_prefix("netns: hint: "));
        sh(&cures.collect::<Vec<_>>().join("\n"));
        assert!(reaches("web"));
        assert_eq!(self::talk("netns new --net a -- true"), "");
    });
}

#[test]
fn a_firewall_is_opened_on_request_and_left_as_it_was() {
    on_a_host(|| {
        if !has("iptables-nft") {
            return;
        }
        sh("iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; iptables-nft -A FORWARD -j DOCKER-USER
            iptables-nft -A FORWARD -i docker0 -j ACCEPT; iptables-nft -A FORWARD -j REJECT
            nft 'table inet other { chain last { reject; }
                chain c { type filter hook forward priority 5; tcp dport 1 accept; jump last; }; }'");
        let before = sh("nft -s list ruleset");
        let in_docker = "-A DOCKER-USER -i nb-a -m comment --comment \"netns nb-a\" -j ACCEPT
-A DOCKER-USER -o nb-a -m comment --comment \"netns nb-a\" -j ACCEPT";
        let rules =
            || sh("iptables-nft -S DOCKER-USER | grep nb-a; nft list chain inet other c | grep -c nb-a");
        let opened = format!("{in_docker}\n2");
        assert_eq!(talk("netns net add a --open-firewall"), "");
        assert_eq!(rules(), opened);
        assert_eq!(talk("netns new web --net a -p 0.0.0.0:8080:80 --open-firewall"), "");
        serve("web", "0.0.0.0", 80, "web");
        assert!(reaches("web"));
        assert_eq!(sh("netns doctor web"), "web: no fault found");
        // Somebody takes one of the two away, and all of the other table.
        sh("iptables-nft -D DOCKER-USER -i nb-a -m comment --comment 'netns nb-a' -j ACCEPT; nft flush chain inet other c
            nft 'add rule inet other c tcp dport 1 accept; add rule inet other c jump last'");
        assert!(!reaches("web"));
        let found = sh("netns doctor web || true");
        assert!(found.contains("firewall: chain FORWARD of table ip filter drops"), "{found}");
        assert!(found.contains("cure: netns net repair a"), "{found}");
        assert_eq!(talk("netns net repair; netns net repair a --open-firewall"), "");
        assert_eq!(rules(), opened);
        assert!(reaches("web"));
        assert!(sh("netns net ls --json").contains("\"open_firewall\":true"));
        sh("netns net rm --force a");
        assert_eq!(sh("nft -s list ruleset"), before);
    });
}

#[test]
fn a_network_can_be_let_through_later() {
    on_a_host(|| {
        sh("netns net add a; netns new web --net a -p 0.0.0.0:8080:80");
        serve("web", "0.0.0.0", 80, "web");
        sh(CLOSED);
        assert!(!reaches("web"));
        assert_eq!(talk("netns new --net a --open-firewall -- true"), "");
        assert!(reaches("web"));
        sh("nft flush ruleset");
        sh(CLOSED);
        assert_eq!(talk("netns net repair"), "");
        assert!(reaches("web"));
    });
}

#[test]
fn an_internal_network_needs_no_firewall_opened() {
    on_a_host(|| {
        sh(CLOSED);
        sh("echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables");
        assert_eq!(talk("netns net add a --internal"), "");
        sh("netns net rm a; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables");
        assert!(talk("netns net add a --internal").contains("FORWARD"));
    });
}

#[test]
fn a_table_that_a_process_holds_is_left_to_it() {
    on_a_host(|| {
        let held = |script: &str| {
            output(&format!(
                "cd /run; mkfifo in; nft -i <in >/dev/null & exec 3>in
                echo 'add table inet firewalld {{ flags owner; }}' >&3
                echo 'add chain inet firewalld filter_FORWARD {{ type filter hook forward priority 10; }}' >&3
                echo 'add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited' >&3
                until nft list chain inet firewalld filter_FORWARD 2>/dev/null | grep -q reject; do :; done
                status=0; {script} || status=$?; exec 3>&-; rm in; exit $status"
            ))
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let no = held("netns net add a --open-firewall 3>&-");
        assert_eq!(no.status.code(), Some(125));
        assert_eq!(
            text(no.stderr),
            "netns: cannot open chain filter_FORWARD of table inet firewalld for nb-a: a process holds that table, and nobody else may change it
netns: hint: without --open-firewall, then: firewall-cmd --zone=trusted --add-interface=nb-a\n"
        );
        assert_eq!(sh("ip -br link | grep -c nb- || true; nft list tables | grep -c netns || true"), "0\n0");
        let yes = held("netns net add a 3>&-");
        assert_eq!(yes.status.code(), Some(0));
        assert_eq!(
            text(yes.stderr),
            "netns: warning: chain filter_FORWARD of table inet firewalld drops what goes to and comes from nb-a
netns: hint: firewall-cmd --zone=trusted --add-interface=nb-a\n"
        );
    });
}

#[test]
fn an_accepting_chain_counts_where_a_map_of_verdicts_leads_to_it() {
    on_a_host(|| {
        for (first, is_told) in
            [("", true), ("iifname vmap { nb-a : jump mine }; oifname vmap { nb-a : jump mine }", false)]
        {
            sh(&format!(
                "nft 'table inet t {{ }}; delete table inet t; table inet t {{
                    chain mine {{ iifname nb-a accept; oifname nb-a accept; }}
                    chain c {{ type filter hook forward priority 0; policy drop; {first}; }}; }}'"
            ));
            assert_eq!(
                talk("netns net add a; netns net rm a").contains("chain c of table inet t drops"),
                is_told
            );
        }
    });
}

/// The chains of firewalld 1.3 for what is forwarded, with these rules that choose the zone before the usual one.
fn firewalld(zones: &str) {
    sh(&format!(
        "nft 'table inet firewalld {{ }}; delete table inet firewalld; table inet firewalld {{
            chain filter_FORWARD {{ type filter hook forward priority 10; ct state established,related accept
                ct status dnat accept; iifname lo accept; ct state invalid drop; jump filter_FORWARD_ZONES; reject; }}
            chain filter_FORWARD_ZONES {{ {zones}; goto filter_FWD_public; }}
            chain filter_FWD_public {{ reject with icmpx admin-prohibited; }}
            chain filter_FWD_trusted {{ jump filter_FWD_trusted_allow; accept; }}
            chain filter_FWD_trusted_allow {{ oifname nb-a accept; }}; }}'"
    ));
}

#[test]
fn a_zone_of_firewalld_that_accepts_is_told_from_one_that_does_not() {
    on_a_host(|| {
        firewalld("iifname other goto filter_FWD_trusted");
        let told = "netns: warning: chain filter_FORWARD of table inet firewalld drops what goes to and comes from nb-a
netns: hint: firewall-cmd --zone=trusted --add-interface=nb-a\n";
        assert_eq!(talk("netns net add a"), told);
        assert_eq!(talk("netns new web --net a"), told);
        serve("inet", common::INTERNET4, 5300, "inet");
        let reaches_out = || ask("web", Tcp, at(common::INTERNET4, 5300)).is_some();
        assert!(!reaches_out());
        // What the hint does, with firewalld.
        firewalld("iifname nb-a goto filter_FWD_trusted");
        assert!(reaches_out());
        assert_eq!(talk("netns net repair"), "");
        assert_eq!(sh("netns doctor web"), "web: no fault found");
        // Loaded again, as by `firewall-cmd --reload`.
        firewalld("iifname other goto filter_FWD_trusted");
        assert!(!reaches_out());
        assert!(
            sh("netns doctor web || true").contains("cure: firewall-cmd --zone=trusted --add-interface=nb-a")
        );
        assert_eq!(talk("netns net repair --open-firewall"), "");
        firewalld("iifname other goto filter_FWD_trusted");
        assert!(sh("netns doctor web || true").contains("cure: netns net repair a"));
        assert_eq!(talk("netns net repair"), "");
        assert!(reaches_out());
    });
}

#[test]
fn ufw_is_told_with_the_cure_and_opened_on_request() {
    on_a_host(|| {
        if !has("ufw") {
            return;
        }
        sh("for d in /etc/ufw /etc/default; do
                mkdir -p /run/own$d; cp -a $d/. /run/own$d; mount --bind /run/own$d $d
            done
            ufw --force enable");
        serve("inet", common::INTERNET6, 5300, "inet");
        let reaches_out = || ask("web", Tcp, at(common::INTERNET6, 5300)).is_some();
        let all = || (reaches("web"), reaches_out());
        let forward =
            || sh("iptables -S FORWARD; ip6tables -S FORWARD; nft list ruleset | grep nb-a || true");
        let before = forward();
        sh("netns net add a --open-firewall; netns new web --net a -p 0.0.0.0:8080:80");
        serve("web", "::", 80, "web");
        assert_eq!(all(), (true, true));
        sh("ufw reload");
        assert_eq!((all(), sh("netns doctor web")), ((true, true), "web: no fault found".to_owned()));
        sh("netns del web; netns net rm --force a");
        assert_eq!(forward(), before);
        sh("netns net add a; netns new web --net a -p 0.0.0.0:8080:80");
        serve("web", "::", 80, "web");
        assert_eq!(all(), (false, false));
        let open = "ufw route allow in on nb-a; ufw route allow out on nb-a";
        for (cure, undo) in [
            (open, &*open.replace("allow", "delete allow")),
            ("netns doctor --json web | jq -r '.cures[]' | grep ^nft | sh -eu", "ufw reload"),
        ] {
            assert!(sh("netns doctor web || true").contains("firewall: chain "));
            sh(cure);
            assert_eq!((all(), sh("netns doctor web")), ((true, true), "web: no fault found".to_owned()));
            sh(undo);
        }
        assert_eq!(sh("netns doctor web"), "web: no fault found");
        // What accepts is not reached any more.
        sh("iptables -F FORWARD; ip6tables -F FORWARD");
        assert!(
            sh(&format!("{open}; netns doctor web || true")).contains("firewall: chain FORWARD of table ip ")
        );
        assert_eq!(all(), (false, false));
    });
}

#[test]
fn the_older_iptables_are_told_with_the_cure() {
    on_a_host(|| {
        if !has("iptables-legacy") || !has("ip6tables-legacy") {
            return;
        }
        sh("iptables-legacy -A FORWARD -p tcp --dport 1 -j ACCEPT; iptables-legacy -A FORWARD -i nb-a -j DROP
            ip6tables-legacy -A FORWARD -j ACCEPT; ip6tables-legacy -P FORWARD DROP");
        assert_eq!(talk("netns net add a"), "");
        sh(
            "iptables-legacy -F; ip6tables-legacy -F; iptables-legacy -P FORWARD DROP; ip6tables-legacy -P FORWARD DROP; netns net rm a",
        );
        let no = refusal("netns net add a --open-firewall");
        assert!(
            no.contains("chain FORWARD of iptables-legacy for nb-a: its rules are not in nftables"),
            "{no}"
        );
        let talk = talk("netns net add a; netns new web --net a -p 0.0.0.0:8080:80");
        let line = "netns: warning: chain FORWARD of ip6tables-legacy drops what goes to and comes from nb-a
netns: hint: ip6tables-legacy -I FORWARD -i nb-a -j ACCEPT
netns: hint: ip6tables-legacy -I FORWARD -o nb-a -j ACCEPT\n";
        assert!(talk.contains(line) && talk.contains(&line.replace("ip6", "ip")), "{talk}");
        serve("web", "0.0.0.0", 80, "web");
        serve("inet", common::INTERNET6, 5300, "inet");
        let reaches_out = || ask("web", Tcp, at(common::INTERNET6, 5300)).is_some();
        assert!(!reaches("web") && !reaches_out());
        // One of the two lines is not enough.
        sh("iptables-legacy -I FORWARD -i nb-a -j ACCEPT");
        assert!(sh("netns doctor web || true").contains("firewall: chain FORWARD of iptables-legacy"));
        sh("netns doctor --json web | jq -r '.cures[]' | sh -eu; netns doctor web");
        assert!(reaches("web") && reaches_out());
        assert!(address("web", 4).starts_with("10."));
    });
}
