//! A host of a test's own: the thread of the test gets a network and a mount namespace, with a `/run` of its own, and
//! beyond its uplink is an "internet", a namespace that knows no way back to any network behind the host.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

pub mod guest;

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

pub const HOST4: &str = "192.0.2.2";
pub const HOST6: &str = "2001:db8::2";
pub const INTERNET4: &str = "192.0.2.1";
pub const INTERNET6: &str = "2001:db8::1";

const UPLINK: &str = "
    ip link set lo up; ip netns add inet
    ip link add up0 type veth peer name e0 netns inet
    echo 0 >/proc/sys/net/ipv6/conf/up0/accept_dad
    ip netns exec inet sh -c 'echo 0 >/proc/sys/net/ipv6/conf/e0/accept_dad'
    ip addr add 192.0.2.2/24 dev up0; ip -6 addr add 2001:db8::2/64 dev up0 nodad; ip link set up0 up
    ip -n inet link set lo up; ip -n inet addr add 192.0.2.1/24 dev e0
    ip -n inet -6 addr add 2001:db8::1/64 dev e0 nodad; ip -n inet link set e0 up
    ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8::1
    until ip -6 addr show up0 scope link | grep -q . && ip -n inet -6 addr show e0 scope link | grep -q .
    do sleep 0.01; done";

/// Whether the test can run; a skip says why, and is a failure with CHAIN_TESTS_MUST_RUN=1.
fn can_run() -> bool {
    let has_nft = Command::new("nft").arg("--version").output().is_ok_and(|output| output.status.success());
    match (nix::unistd::geteuid().is_root(), has_nft) {
        (true, true) => return true,
        (false, _) => skip("it needs root"),
        (true, false) => skip("it needs nft, of the package nftables"),
    }
    false
}

fn skip(why: &str) {
    let must = std::env::var_os("CHAIN_TESTS_MUST_RUN").is_some_and(|value| value == "1");
    assert!(!must, "this test must run, but {why}");
    eprintln!("skipped: {why}");
}

/// Runs a test on a host of its own.
pub fn on_a_host(test: impl FnOnce() + Send + 'static) {
    if !can_run() {
        return;
    }
    let thread = thread::Builder::new().spawn(|| {
        enter_new();
        sh(UPLINK);
        test();
    });
    if let Err(panic) = thread.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

fn enter_new() {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
    mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), Some(c"mode=755")).unwrap();
}

/// A command of the shell, with `netns` on its PATH.
pub fn command(script: &str) -> Command {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_netns")).parent().unwrap();
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "120", "sh", "-euc", script]).stdin(Stdio::null());
    command.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()));
    command
}

pub fn output(script: &str) -> Output {
    command(script).output().unwrap()
}

/// What the script prints; it must succeed.
#[track_caller]
pub fn sh(script: &str) -> String {
    let output = output(script);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    assert!(output.status.success(), "{script}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// What the script says when it fails, which it must, as netns does.
#[track_caller]
pub fn refusal(script: &str) -> String {
    let output = output(script);
    let talk = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(output.status.code(), Some(125), "{script}\n{talk}");
    talk
}

/// Runs `work` in a named namespace, or on the host for `""`.
pub fn inside<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let namespace = (!name.is_empty()).then(|| File::open(format!("/run/netns/{name}")).unwrap());
    let work = move || {
        if let Some(namespace) = namespace {
            move_into_thread_name_spaces(namespace.as_fd(), ThreadNameSpaceType::NETWORK).unwrap();
        }
        work()
    };
    thread::spawn(work).join().unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

pub use Protocol::{Tcp, Udp};

pub fn at(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse::<IpAddr>().unwrap(), port)
}

/// Answers each who asks with `word` and the address that it sees, until the test ends.
pub fn serve(name: &str, ip: &str, port: u16, word: &'static str) {
    let at = at(ip, port);
    inside(name, move || {
        let tcp = TcpListener::bind(at).unwrap();
        let udp = UdpSocket::bind(at).unwrap();
        thread::spawn(move || {
            for mut client in tcp.incoming().flatten() {
                let seen = client.peer_addr().unwrap().ip().to_canonical();
                let _ = client.write_all(format!("{word} {seen}").as_bytes());
            }
        });
        thread::spawn(move || {
            while let Ok((_, client)) = udp.recv_from(&mut [0; 16]) {
                let _ = udp.send_to(format!("{word} {}", client.ip().to_canonical()).as_bytes(), client);
            }
        });
    });
}

/// What the server at `to` answers to one in the namespace; none when it cannot be reached.
pub fn ask(name: &str, protocol: Protocol, to: SocketAddr) -> Option<String> {
    inside(name, move || match protocol {
        Tcp => ask_tcp(to),
        Udp => ask_udp(&UdpSocket::bind(any(to)).unwrap(), to),
    })
}

/// What works takes less than a millisecond, but on a busy machine a packet may get lost and be sent again.
const LIMIT: Duration = Duration::from_millis(1500);
const TRIES: usize = 2;

fn any(to: SocketAddr) -> SocketAddr {
    if to.is_ipv4() { at("0.0.0.0", 0) } else { at("::", 0) }
}

fn ask_tcp(to: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&to, LIMIT).ok()?;
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// From a socket that may have asked before.
pub fn ask_udp(socket: &UdpSocket, to: SocketAddr) -> Option<String> {
    socket.set_read_timeout(Some(LIMIT / TRIES as u32)).unwrap();
    (0..TRIES).find_map(|_| {
        socket.send_to(b"?", to).ok()?;
        let mut answer = [0; 100];
        match socket.recv(&mut answer) {
            Ok(length) => Some(String::from_utf8_lossy(&answer[..length]).into_owned()),
            Err(e) => {
                assert!(matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused), "{e}");
                None
            }
        }
    })
}

/// An address of a host of a network, of IPv4 (4) or IPv6 (6).
pub fn address(name: &str, family: u8) -> String {
    sh(&format!("ip -n {name} -{family} -o addr show dev eth0 scope global | sed 's/.*inet6* //; s,/.*,,'"))
}
