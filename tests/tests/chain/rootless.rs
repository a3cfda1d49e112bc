//! A container with a network, of a user without rights.

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal::{SIGKILL, SIGTERM};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use tests::pty::INTERRUPT;
use tests::{Pty, Sandbox, eventually, leak};

const CHAIN: &str = "unshare-rs -Ur netns new --pasta -p 8080:80 -- unshare-rs -pum pivot --dir /etc rootfs";

/// What the host is to the user: a way out, a device that all may open, as udev(7) has it, and a server for names that
/// only the host reaches.
const HOST: &str = "
    ip link set lo up; ip link add up0 type veth peer name e0; ip addr add 192.0.2.2/24 dev up0
    ip link set up0 up; ip link set e0 up; ip route add default via 192.0.2.1
    mount -t tmpfs -o mode=755 t /dev/net; mknod -m 666 /dev/net/tun c 10 200
    echo nameserver 127.0.0.53 >/run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf";

/// A user of a host that nothing outside sees.
fn user() -> Option<Sandbox> {
    if !tests::is_root() {
        tests::skip("it needs root, to make a host for the user");
        return None;
    }
    for (program, package) in [("pasta", "passt"), ("ip", "iproute2")] {
        if Command::new(program).arg("--version").output().is_err() {
            tests::skip(&format!("it needs {program}, of the package {package}"));
            return None;
        }
    }
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
    mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), Some(c"mode=755")).unwrap();
    assert!(Command::new("sh").args(["-euc", HOST]).status().unwrap().success());
    Some(Sandbox::user())
}

fn ask(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.write_all(b"\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok().map(|_| answer)
}

#[test]
fn a_container_of_a_user_is_reached_by_its_published_port() {
    let Some(user) = user() else { return };
    let script = "cat /etc/resolv.conf; ip -4 -o addr show eth0 | grep -c 192.0.2.2; echo published | nc -lp 80; exit 7";
    let job = user.run(CHAIN).args(["sh", "-c", script]).start();
    eventually("the port is reached", || ask(8080).as_deref() == Some("published\n"));
    let done = job.done().is(7).quiet();
    assert_eq!(done.text(), "nameserver 169.254.1.1\n1");
    eventually("the port is nobody's", || ask(8080).is_none());
}

#[test]
fn keys_of_the_terminal_are_for_the_command_alone() {
    let Some(user) = user() else { return };
    let mut terminal = Pty::start(&user.run("dash -i").env("PS1", "<$?> "));
    terminal.until("<0> ");
    terminal.line(&format!("{CHAIN} probe count SIGINT"));
    terminal.until("ready");
    for n in 1..=3 {
        terminal.keys(INTERRUPT);
        terminal.until(&format!("{n} SIGINT"));
    }
    let names: Vec<String> = user.marker().processes().into_iter().filter_map(leak::name).collect();
    assert!(names.iter().any(|name| name.starts_with("pas")), "{names:?}");
    assert!(names.iter().any(|name| name == "netns-proxy"), "{names:?}");
    kill(user.inner("probe"), SIGTERM).unwrap();
    terminal.until("<3> ");
    terminal.line("exit 0");
    terminal.done();
}

#[test]
fn whichever_link_is_killed_nothing_of_the_container_stays() {
    let Some(user) = user() else { return };
    for victim in ["netns", "netns-proxy", "pas", "unshare-rs", "probe"] {
        let job = user.run(CHAIN).args(["probe", "hold"]).start();
        job.until("ready");
        let is_victim = |pid: &Pid| {
            leak::name(*pid).is_some_and(|name| match victim {
                "pas" => name.starts_with(victim),
                _ => name == victim,
            })
        };
        let found: Vec<Pid> = user.marker().processes().into_iter().filter(is_victim).collect();
        assert!(!found.is_empty(), "{victim}");
        // The end of the first may be that of the others.
        for pid in found {
            let _ = kill(pid, SIGKILL);
        }
        if ["netns-proxy", "pas"].contains(&victim) {
            // The command goes on without.
            kill(user.inner("probe"), SIGKILL).unwrap();
        }
        job.done();
        eventually("all have ended", || user.marker().processes().is_empty());
    }
}
