//! `kill -9` of any link of a container with a network, and of all that makes and mends networks; then `netns gc`
//! finds what is left, and nothing else.

use crate::crash::alone;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use std::net::UdpSocket;
use std::process::Command;
use tests::wait::becomes;
use tests::{Job, Random, Sandbox, eventually, leak, patience};

/// A container that waits, and what it does so in.
const INSIDE: &str = "unshare-rs -pum pivot rootfs probe hold";
/// Microseconds in which most lines have done what they do.
const PAUSE: u64 = 25_000;
/// How many run at the same time.
const AT_ONCE: u64 = 4;

/// Lines that are killed. `NAME` and `PORT` are a row's own; `OLD` is a network with a host in it, made before.
const LINES: [&str; 23] = [
    "cgctl new NAME m=64M -- netns new NAME --net lan -p PORT:80 -p PORT:80/udp --dns 192.0.2.53 -- INSIDE",
    "cgctl new NAME m=64M -- netns new NAME --net lan -p PORT:80/udp --down 10m --up 10m -- INSIDE",
    "cgctl new m=64M -- netns new --net lan -p PORT-PORT:80-80 -- INSIDE",
    "cgctl new m=64M -- netns new NAME --net OLD -p [::]:PORT:80 -p 0.0.0.0:PORT:80/udp -- INSIDE",
    "cgctl new m=64M -- netns new NAME --net lan -p PORT:80/udp -- sh -c INSIDE;INSIDE",
    "netns new NAME --net lan -p PORT:80/udp -- sh -c :",
    "netns new NAME --net lan -p PORT:80 -p PORT:80/udp --dns 192.0.2.53",
    "cgctl new m=64M -- netns new NAME --net lan --no-icc -p PORT:80/udp -- INSIDE",
    "cgctl new m=64M -- netns new NAME --net OLD --open-firewall --internal -p PORT:80 -- INSIDE",
    "cgctl new m=64M -- netns new NAME --net lan -p [::1]:PORT:80 -p PORT:80/udp,proxy -- INSIDE",
    "cgctl new m=64M -- netns new -p PORT:80 -p [::1]:PORT:80/udp -- INSIDE",
    "cgctl new NAME m=64M -- netns new --pasta -p PORT:80 -p PORT:80/udp -- INSIDE",
    "unshare-rs -Ur netns new --pasta --dns 192.0.2.53 -p PORT:80 -- INSIDE",
    "netns new NAME --net lan",
    "netns net add NET",
    "netns net add NET --open-firewall",
    "netns net add NET --internal",
    "netns net rm --force OLD",
    "netns del OLD",
    "netns net repair",
    "netns net repair lan",
    "netns gc",
    "netns add NAME",
];

/// All that a network leaves anywhere, one thing on a line.
const TRACES: &str = r#"
    ip -j addr show | jq -r '.[] | .ifname as $name | ($name, .addr_info[].local) | ["link", $name, .] | join(" ")'
    ip -j link show | jq -r '.[] | ["link", .ifname, .ifalias, (.flags | sort | join(","))] | join(" ")'
    nft list ruleset | tr , '\n' | tr -d '{}\t'
    grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv[46]/conf/*/*forwarding /proc/sys/net/ipv4/conf/*/route_localnet
    ls -A1 /run/netns | sed 's/^/name /'
    grep -r . /run/netns-net
    conntrack -L 2>/dev/null | grep -E 'src=.* src=10\.210' | sed -E 's/^([a-z]+ +[0-9]+) [0-9]+/flow \1/'
    cut -d' ' -f4- /proc/self/mountinfo | sed 's/^/mount /'"#;

/// A host of the test's own, that nothing outside sees.
fn apart() {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
    mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), Some(c"mode=755")).unwrap();
}

/// The network `lan`, without a way out, so that all that is switched on at the uplink is others' doing; a host in it
/// that stays; and a firewall of somebody else.
struct World {
    sandbox: Sandbox,
    before: Vec<String>,
}

impl World {
    fn new() -> Option<Self> {
        let sandbox = Sandbox::root()?;
        apart();
        sandbox
            .shell(
                "ip link set lo up; ip link add up0 type veth peer name e0; ip addr add 192.0.2.2/24 dev up0
                ip link set up0 up; ip link set e0 up; ip route add default via 192.0.2.1
                mount -t tmpfs -o mode=755 t /dev/net; mknod -m 666 /dev/net/tun c 10 200
                nft add table ip filter
                nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'
                netns net add lan --internal; netns new stays --net lan --no-icc -p 81:81 -p 81:81/udp; netns gc",
            )
            .done()
            .is(0);
        let mut world = World { sandbox, before: Vec::new() };
        eventually("the addresses of the links have settled", || {
            let now = world.traces();
            std::mem::replace(&mut world.before, now) == world.traces() && !world.has("tentative")
        });
        Some(world)
    }

    fn has(&self, word: &str) -> bool {
        self.before.iter().any(|line| line.contains(word))
    }

    fn traces(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.sandbox.shell(TRACES).done().text().lines().map(|line| line.trim().to_owned()).collect();
        lines.sort_unstable();
        lines
    }

    fn start(&self, line: &str, number: u64) -> Job {
        let old = format!("old{number}");
        let mut line = line.replace("INSIDE", INSIDE);
        if line.contains("OLD") {
            line = line.replace("OLD", &old);
            self.sandbox
                .shell(&format!("netns net add {old}; netns new {old} --net {old} -p {}:80", 20_000 + number))
                .done()
                .is(0);
        }
        let line = line
            .replace("NAME", &format!("n{number}"))
            .replace("NET", &format!("net{number}"))
            .replace("PORT", &(10_000 + number).to_string());
        match line.split_once("sh -c ") {
            Some((head, script)) => self.sandbox.run(head).args(["sh", "-c", script]).start(),
            None => self.sandbox.run(&line).start(),
        }
    }

    /// What stays because it was asked for, by its name; all that is left then is what nobody has asked for.
    fn end_what_stays(&self) {
        let clear = "
            for name in $(netns ls --json | jq -r .name); do [ $name = stays ] || netns del $name; done
            for net in $(netns net ls --json | jq -r .name); do [ $net = lan ] || netns net rm --force $net; done
            netns net repair
            until [ $(ip -br link show type veth | grep -c ^nv) = 1 ]; do sleep 0.01; done";
        self.sandbox.shell(clear).done().is(0);
    }

    /// By themselves or, where they were in a group, by `cgctl gc`.
    #[track_caller]
    fn processes_end(&self, lines: &[String]) {
        let processes = || self.sandbox.marker().processes();
        let ended = becomes(patience(30), || {
            self.sandbox.run("cgctl gc").done();
            processes().is_empty()
        });
        assert!(ended, "still there after {lines:#?}:\n{}", leak::describe(&processes()));
    }

    #[track_caller]
    fn nothing_remains(&self, lines: &[String]) {
        self.processes_end(lines);
        self.end_what_stays();
        self.sandbox.run("netns gc").done().is(0).quiet();
        let now = self.traces();
        let left: Vec<_> = now.iter().filter(|line| !self.before.contains(line)).collect();
        let lost: Vec<_> = self.before.iter().filter(|line| !now.contains(line)).collect();
        assert!(left.is_empty() && lost.is_empty(), "left: {left:#?}\nlost: {lost:#?}\nafter {lines:#?}");
    }
}

/// The processes of a running line, as far as they are there yet, each with the number of those above it.
fn processes(job: &Job) -> Vec<(usize, Pid)> {
    let mut found = vec![(0, job.pid())];
    let mut next = 0;
    while let Some((depth, pid)) = found.get(next).copied() {
        found.extend(leak::children(pid).into_iter().map(|child| (depth + 1, child)));
        next += 1;
    }
    found
}

/// Has the kernel follow a flow to each port, with what it finds there now.
fn send_to(first: u64) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in first..first + AT_ONCE {
        let _ = socket.send_to(b"?", ("127.0.0.1", 10_000 + number as u16));
    }
}

/// One line after the other, in any order, and again when all had their turn.
fn deal(deck: &mut Vec<&'static str>, random: &mut Random) -> &'static str {
    if deck.is_empty() {
        deck.extend(LINES);
    }
    deck.swap_remove(random.below(deck.len() as u64) as usize)
}

fn kill_at_random(count: u64) {
    let mut random = Random::new();
    let _turn = alone();
    let Some(world) = World::new() else { return };
    let (mut killed, mut deck) = ([0; 5], Vec::new());
    for first in (0..count).step_by(AT_ONCE as usize) {
        let lines: Vec<String> = (0..AT_ONCE).map(|_| deal(&mut deck, &mut random).to_owned()).collect();
        let jobs: Vec<Job> =
            lines.iter().zip(first..).map(|(line, number)| world.start(line, number)).collect();
        for job in &jobs {
            random.pause(PAUSE);
            send_to(first);
            let (depth, victim) = random.pick(&processes(job));
            let _ = kill(victim, SIGKILL);
            killed[depth.min(killed.len() - 1)] += 1;
        }
        for job in jobs {
            let _ = kill(job.pid(), SIGKILL);
            job.done();
        }
        world.nothing_remains(&lines);
    }
    println!("killed, outermost link first: {killed:?}");
}

/// On a thread of its own, which takes its namespaces with it.
fn on_a_thread(work: impl FnOnce() + Send + 'static) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    if let Err(panic) = std::thread::Builder::new().name(name).spawn(work).unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn whatever_of_a_network_is_killed_at_any_moment_nothing_remains() {
    for (program, package) in [
        ("nft", "nftables"),
        ("ip", "iproute2"),
        ("conntrack", "conntrack"),
        ("jq", "jq"),
        ("pasta", "passt"),
    ] {
        if Command::new(program).arg("--version").output().is_err() {
            return tests::skip(&format!("it needs {program}, of the package {package}"));
        }
    }
    on_a_thread(|| kill_at_random(69));
}

/// `make test-kills`: takes minutes.
#[test]
#[ignore = "takes minutes"]
fn a_thousand_kills_leave_nothing_of_a_network() {
    on_a_thread(|| kill_at_random(1_000));
}
