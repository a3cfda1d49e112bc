//! The payload of the tests: it tells what the inside of a container looks like, and misbehaves on request.
//!
//! | verb | what it does |
//! |---|---|
//! | `report` | one JSON object about this process; bytes that are not ASCII are shown as `\xNN` |
//! | `hold` | says "ready" and waits to be killed |
//! | `memhog BYTES` | touches that much memory, says "survived" |
//! | `forkbomb` | starts itself again and again, each copy too, until it is refused |
//! | `count SIGNAL...` | says "ready", then one line for each signal that it takes, and ends after TERM with their number |
//! | `sigwait SIGNAL...` | says "ready", waits in sigwait(3), says which one it was and ends |
//! | `orphans N` | starts N children that outlive it, and ends |
//! | `try CALL [ARG]...` | one of the table of [`attack`]; says what came of it: `ok`, or the name of the error |
//! | `without CALL ERROR COMMAND...` | becomes the command, with a system call that fails with this error from now on |

#![allow(clippy::unwrap_used, reason = "a payload fails by panicking")]

mod attack;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use serde_json::{Map, Value, json};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Nothing that a broken test has forgotten stays longer.
const LIFE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().collect();
    let number = || args[2].to_str().unwrap().parse::<usize>().unwrap();
    match args.get(1).and_then(|verb| verb.to_str()) {
        Some("report") => println!("{}", report(&args)),
        Some("hold") => hold(),
        Some("memhog") => memhog(number()),
        Some("forkbomb") => forkbomb(),
        Some("sigwait") => sigwait(&args[2..]),
        Some("count") => return count(&args[2..]),
        Some("try") => println!("{}", attack::attempt(&args[2..])),
        Some("without") => attack::without(&args[2..]),
        Some("orphans") => (0..number()).for_each(|_| drop(again("hold"))),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn again(verb: &str) -> std::io::Result<std::process::Child> {
    Command::new("/proc/self/exe").arg(verb).spawn()
}

fn hold() {
    println!("ready");
    std::thread::sleep(LIFE);
}

fn memhog(bytes: usize) {
    let mut memory = vec![0_u8; bytes];
    memory.iter_mut().step_by(4096).for_each(|page| *page = 1);
    println!("survived {}", std::hint::black_box(&memory).len());
}

fn forkbomb() {
    while again("forkbomb").is_ok() {}
    println!("refused");
    std::thread::sleep(LIFE);
}

/// The signals are blocked and taken one by one: for the kernel that is a process that handles them.
fn count(names: &[OsString]) -> ExitCode {
    let set = block(names);
    let taker = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).unwrap();
    let mut taken = 0;
    println!("ready");
    loop {
        let number = taker.read_signal().unwrap().unwrap().ssi_signo;
        let signal = Signal::try_from(number as i32).unwrap();
        if signal == Signal::SIGTERM {
            return ExitCode::from(taken);
        }
        taken += 1;
        println!("{taken} {signal}");
    }
}

/// As many an init does. Its signals do not show as blocked in /proc meanwhile.
fn sigwait(names: &[OsString]) {
    let set = block(names);
    println!("ready");
    println!("{}", set.wait().unwrap());
}

fn block(names: &[OsString]) -> SigSet {
    let signals = names.iter().map(|name| name.to_str().unwrap().parse().unwrap());
    let set: SigSet = signals.chain([Signal::SIGTERM]).collect();
    set.thread_block().unwrap();
    set
}

fn report(args: &[OsString]) -> Value {
    json!({
        "pid": std::process::id(),
        "parent": std::os::unix::process::parent_id(),
        "args": args.iter().map(|arg| show(arg)).collect::<Vec<_>>(),
        "environment": env::vars_os().map(|(name, value)| (show(&name), show(&value).into())).collect::<Map<_, _>>(),
        "cwd": env::current_dir().map(|dir| show(dir.as_os_str())).ok(),
        "hostname": text("/proc/sys/kernel/hostname").trim(),
        "limits": limits(),
        "oom_score_adj": text("/proc/self/oom_score_adj").trim(),
        "session": session(),
        "namespaces": links("/proc/self/ns"),
        "descriptors": descriptors(),
        "groups": lines("/proc/self/cgroup"),
        "mounts": lines("/proc/self/mountinfo").iter().map(|line| mount(line)).collect::<Vec<_>>(),
        "processes": processes(),
        "root": names("/"),
        "status": status(),
    })
}

fn show(bytes: &OsStr) -> String {
    bytes.as_bytes().escape_ascii().to_string()
}

fn text(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn lines(file: &str) -> Vec<String> {
    text(file).lines().map(str::to_owned).collect()
}

fn names(dir: &str) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| show(&entry.file_name())).collect();
    names.sort();
    names
}

fn links(dir: &str) -> Map<String, Value> {
    let target = |name: &String| fs::read_link(format!("{dir}/{name}")).ok();
    names(dir)
        .into_iter()
        .filter_map(|name| Some((name.clone(), show(target(&name)?.as_os_str()).into())))
        .collect()
}

/// Soft and hard, by the names that proc_pid_limits(5) has for them.
fn limits() -> Map<String, Value> {
    let limit = |line: &String| {
        let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
        Some((columns.next()?.to_owned(), json!([columns.next()?, columns.next()?])))
    };
    lines("/proc/self/limits").iter().skip(1).filter_map(limit).collect()
}

/// Process group, session and controlling terminal: proc_pid_stat(5).
fn session() -> Value {
    let stat = text("/proc/self/stat");
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(2);
    json!({ "group": fields.next(), "session": fields.next(), "terminal": fields.next() })
}

/// Without the one that lists them, which is closed again.
fn descriptors() -> Map<String, Value> {
    let mut all = links("/proc/self/fd");
    all.retain(|name, _| fs::symlink_metadata(format!("/proc/self/fd/{name}")).is_ok());
    all
}

/// Mount point, type, options of the mount, and what it shows of its file system.
fn mount(line: &str) -> Value {
    let (left, right) = line.split_once(" - ").unwrap_or((line, ""));
    let field = |n| left.split(' ').nth(n).unwrap_or_default();
    json!({ "at": field(4), "type": right.split(' ').next(), "options": field(5), "shows": field(3),
            "propagation": left.split(' ').skip(6).collect::<Vec<_>>() })
}

fn processes() -> Vec<u32> {
    let mut pids: Vec<u32> = names("/proc").iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

/// Ids, capabilities, signal masks: proc_pid_status(5) as it stands.
fn status() -> Map<String, Value> {
    let field = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ").into()))
    };
    lines("/proc/self/status").iter().filter_map(field).collect()
}
