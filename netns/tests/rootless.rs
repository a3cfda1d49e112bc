//! A user without rights: the way out by pasta, and all that root does in a user namespace.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::guest::{Guest, ROOTLESS, USER, has_pasta, prepare, script};
use common::{HOST4, HOST6, INTERNET4, INTERNET6, Tcp, Udp, ask, at, on_a_host, output, refusal, serve, sh};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn on_a_users_host(test: impl FnOnce() + Send + 'static) {
    on_a_host(|| {
        if has_pasta() {
            prepare();
            test();
        }
    });
}

#[test]
fn the_way_out_is_that_of_the_host() {
    on_a_users_host(|| {
        serve("inet", "::", 9000, "inet");
        for head in [ROOTLESS, ""] {
            let _guest = Guest::new(head, "--pasta");
            for protocol in [Tcp, Udp] {
                for (to, seen) in [(INTERNET4, HOST4), (INTERNET6, HOST6)] {
                    let answer = ask("guest", protocol, at(to, 9000));
                    assert_eq!(answer, Some(format!("inet {seen}")), "{head} {protocol:?}");
                }
            }
        }
    });
}

#[test]
fn nothing_gets_in_but_by_published_ports() {
    on_a_users_host(|| {
        let _guest = Guest::new(ROOTLESS, "--pasta -p 0.0.0.0:8080:80 -p [::]:8080:80/udp");
        serve("guest", "::", 80, "guest");
        serve("guest", "::", 81, "guest");
        assert!(ask("inet", Tcp, at(HOST4, 8080)).is_some());
        assert!(ask("inet", Udp, at(HOST6, 8080)).is_some());
        assert!(ask("", Tcp, at("127.0.0.1", 8080)).is_some());
        for (from, to) in [("inet", HOST4), ("inet", HOST6), ("", HOST4), ("", "127.0.0.1"), ("", "::1")] {
            assert_eq!(ask(from, Tcp, at(to, 81)), None, "{from} {to}");
        }
        assert_eq!(ask("inet", Udp, at(HOST4, 81)), None);
        assert_eq!(ask("inet", Udp, at(HOST4, 8080)), None, "that one is of IPv6 alone");
    });
}

#[test]
fn the_loopback_of_the_host_stays_its_own() {
    on_a_users_host(|| {
        serve("", "127.0.0.1", 9999, "host");
        let _guest = Guest::new(ROOTLESS, "--pasta");
        for (protocol, to) in [(Tcp, "127.0.0.1"), (Tcp, INTERNET4), (Tcp, HOST4), (Udp, INTERNET4)] {
            assert_eq!(ask("guest", protocol, at(to, 9999)), None, "{protocol:?} {to}");
        }
    });
}

/// A pasta as it is when nothing is said, for the named namespace; it leads all ports that something listens on.
struct Pasta(Child);

impl Pasta {
    fn start(name: &str) -> Self {
        let options = format!("--foreground --quiet --config-net --runas=0:0 --netns=/run/netns/{name}");
        Pasta(Command::new("pasta").args(options.split(' ')).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Pasta {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

#[test]
fn no_port_is_led_because_something_listens_there() {
    on_a_users_host(|| {
        serve("", "127.0.0.1", 9999, "host");
        let guest = Guest::new(ROOTLESS, "--pasta");
        serve("guest", "::", 4081, "guest");
        // It looks once a second for those of TCP: what it does when it is let is what is waited for.
        sh("ip netns add control; ip netns exec control ip link set lo up");
        serve("control", "::", 4082, "control");
        let _control = Pasta::start("control");
        let led = [("", 4082, "control"), ("control", 9999, "host")];
        let start = Instant::now();
        for (from, port, word) in led {
            while ask(from, Tcp, at("127.0.0.1", port)).is_none_or(|answer| !answer.starts_with(word)) {
                assert!(start.elapsed() < Duration::from_secs(20), "pasta does not lead {port}");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        assert!(ask("control", Udp, at("127.0.0.1", 9999)).is_some(), "pasta does not lead UDP");
        // That of Debian 12 leads nothing in unless it leads TCP out too; others do.
        let arguments = std::fs::read(format!("/proc/{}/cmdline", guest.helper("pas.*"))).unwrap();
        let arguments = String::from_utf8(arguments).unwrap();
        for option in ["tcp-ports", "udp-ports", "tcp-ns", "udp-ns"] {
            assert!(arguments.contains(&format!("\0--{option}=none\0")), "{option}: {arguments:?}");
        }
        for (protocol, from, to, port) in [
            (Tcp, "", "127.0.0.1", 4081),
            (Tcp, "", "::1", 4081),
            (Tcp, "inet", HOST4, 4081),
            (Udp, "", "127.0.0.1", 4081),
            (Tcp, "guest", "127.0.0.1", 9999),
            (Tcp, "guest", "::1", 9999),
            (Udp, "guest", "127.0.0.1", 9999),
        ] {
            assert_eq!(ask(from, protocol, at(to, port)), None, "{protocol:?} {from} {to}");
        }
    });
}

#[test]
fn names_are_resolved_by_the_server_of_the_host_even_if_only_that_reaches_it() {
    on_a_users_host(|| {
        let file = |text: &str| {
            std::fs::write("/run/resolv.conf", text).unwrap();
            sh("mount --bind /run/resolv.conf /etc/resolv.conf");
        };
        let handed = |options: &str| {
            sh(&script(&format!(
                "{ROOTLESS} netns new --pasta {options} -- sh -c 'printf %s \"$CHAIN_RESOLV_CONF\"'"
            )))
        };
        file("search example.org\nnameserver 192.0.2.53\nnameserver 127.0.0.53\n");
        assert_eq!(handed(""), "search example.org\nnameserver 192.0.2.53");
        assert_eq!(
            handed("--dns 192.0.2.1 --dns 2001:db8::1"),
            "nameserver 192.0.2.1\nnameserver 2001:db8::1"
        );
        file("nameserver 127.0.0.53\n");
        assert_eq!(handed(""), "nameserver 169.254.1.1");
        serve("", "127.0.0.53", 53, "resolver");
        let _guest = Guest::new(ROOTLESS, "--pasta");
        // A question of DNS, which pasta passes on only if it is one.
        let answer = ask("guest", Udp, at("169.254.1.1", 53));
        assert!(answer.is_some_and(|answer| answer.starts_with("resolver ")));
    });
}

#[test]
fn status_and_signals_are_those_of_the_command() {
    on_a_users_host(|| {
        let status = |command: &str| {
            let line = format!("{ROOTLESS} netns new --pasta -p 8080:80 -- {command}");
            output(&script(&line)).status.code()
        };
        assert_eq!(status("true"), Some(0));
        assert_eq!(status("sh -c 'exit 7'"), Some(7));
        assert_eq!(status("sh -c 'kill -TERM $$'"), Some(143));
        assert_eq!(status("sh -c 'kill -TERM $PPID; exec sleep 50'"), Some(143));
        assert_eq!(status("no-such-program"), Some(127));
        assert_eq!(status("/etc/passwd"), Some(126));
    });
}

#[test]
fn whoever_is_killed_leaves_nobody_behind() {
    on_a_users_host(|| {
        for head in [ROOTLESS, ""] {
            for victim in ["netns", "cat", "netns-proxy", "pas.*"] {
                let mut guest = Guest::new(head, "--pasta -p 8080:80");
                let all = sh(&format!("pgrep -P {}; echo {}", guest.pid(), guest.pid()));
                let victim = match victim {
                    "netns" => guest.pid().to_string(),
                    name => guest.helper(name).to_string(),
                };
                sh(&format!("kill -9 {victim}"));
                guest.end();
                for pid in all.split_whitespace() {
                    sh(&format!("while [ -e /proc/{pid} ]; do sleep 0.01; done"));
                }
                assert_eq!(ask("", Tcp, at("127.0.0.1", 8080)), None);
            }
        }
    });
}

#[test]
fn a_helper_that_ends_is_told_and_the_command_goes_on() {
    on_a_users_host(|| {
        for (name, words) in [
            ("netns-proxy", "netns: warning: the proxy has ended: the ports that it led are dead\n"),
            ("pas", "netns: warning: pasta has ended: the command has no way out any more\n"),
        ] {
            let kill = format!("kill -9 $(pgrep -P $PPID {name}); sleep 0.2; exit 7");
            let line = format!("{ROOTLESS} netns new --pasta -p 8080:80 -- sh -c '{kill}'");
            let output = output(&script(&line));
            assert_eq!(
                (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
                (Some(7), words)
            );
        }
    });
}

#[test]
fn what_is_missing_is_told_before_anything_is_made() {
    on_a_users_host(|| {
        let no = |script_of: &str| refusal(&script(&format!("{script_of} -- touch /run/bin/made")));
        let pasta = format!("{ROOTLESS} netns new --pasta");
        sh(
            "mkdir /run/few; cp /run/bin/netns /run/few; for p in setpriv unshare sh; do ln -s $(command -v $p) /run/few; done",
        );
        let few = no(&format!("PATH=/run/few; {pasta}"));
        assert_eq!(
            few,
            "netns: cannot give the namespace a way out: pasta is not installed\n\
             netns: hint: it is of the package passt: `apt-get install passt`"
        );
        sh("chmod 600 /dev/net/tun");
        let e = no(&pasta);
        assert!(e.ends_with("Permission denied\nnetns: hint: as root: `chmod 666 /dev/net/tun`"), "{e}");
        sh("rm /dev/net/tun");
        let e = no(&pasta);
        assert!(
            e.contains(
                "pasta needs /dev/net/tun: No such file or directory\nnetns: hint: as root: `modprobe tun`"
            ),
            "{e}"
        );
        sh("mknod -m 666 /dev/net/tun c 10 200; ip route del default; ip -6 route del default");
        let e = no(&pasta);
        assert!(e.contains("pasta says: ") && e.contains("hint: this host has no way out itself"), "{e}");
        for options in ["", "--pasta", "-p 8080:80"] {
            let e = no(&format!("{USER} netns new {options}"));
            assert_eq!(
                e,
                "netns: cannot make a network namespace: Operation not permitted\n\
                 netns: hint: run it as root, or as root of a user namespace: `unshare-rs -Ur netns ...`"
            );
        }
        // One that does not know the options, as those of before 2023.
        sh("mkdir /run/old; printf '#!/bin/sh\necho \"pasta: unrecognized option --x\" >&2; echo usage; echo >&2 Usage: pasta; exit 1' >/run/old/pasta; chmod 755 /run/old/pasta
            ip route add default via 192.0.2.1");
        let e = no(&format!("PATH=/run/old:$PATH; {pasta}"));
        assert!(e.contains("this pasta is too old"), "{e}");
        assert!(!std::path::Path::new("/run/bin/made").exists());
    });
}

#[test]
fn networks_with_all_that_belongs_to_them_are_made_in_a_user_namespace() {
    on_a_users_host(|| {
        serve("inet", "::", 9000, "inet");
        let inside = r#"
            netns net add n; netns net ls | grep -q ^n
            netns new web --net n -p 8080:80; netns add other; netns ls | grep -q ^other
            netns new two --net n -- sh -euc 'grep -q " web web.netns$" $CHAIN_HOSTS
                python3 -c "import socket; print(socket.create_connection((\"192.0.2.1\", 9000)).makefile().read())"'
            netns exec web busybox nc -ll -p 80 -e echo published &
            netns wait --timeout 20 web 80; busybox nc 127.0.0.1 8080 </dev/null; kill $!; wait
            netns map | grep -q '^web: '; netns doctor web; netns whoami web | grep -q 'name web'
            netns del web; netns gc; netns net rm -f n; netns net ls; nft list ruleset; ls -d /run/bin /run/netns /run/netns-net"#;
        let line = format!(
            "{USER} unshare -Urm netns new --pasta -- sh -euc \"$(cat <<'INSIDE'{inside}\nINSIDE\n)\""
        );
        let said = sh(&script(&line));
        let expected = "inet 192.0.2.2\npublished\nweb: no fault found\n/run/bin\n/run/netns\n/run/netns-net";
        assert_eq!(said, expected);
        assert!(
            sh("netns ls").starts_with("inet") && !sh("netns ls").contains("other"),
            "the names of the host are as before"
        );
        assert!(!std::path::Path::new("/run/netns-net").exists());
    });
}

#[test]
fn without_a_mount_namespace_names_are_refused_with_the_words_that_help() {
    on_a_users_host(|| {
        for line in ["netns add x", "netns net add n; netns new --net n -- true"] {
            let e = refusal(&script(&format!("{ROOTLESS} netns new --pasta -- sh -euc '{line}'")));
            assert!(
                e.contains("Permission denied\nnetns: hint: run it as root; for names of your own"),
                "{e}"
            );
        }
    });
}
