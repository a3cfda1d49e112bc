//! Where programs look for names: resolv.conf(5).

use super::Found;
use super::patient::{Patient, is_global};
use crate::survey::find::Process;
use chain::text::show;
use chain::within;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use std::fs::{self, File};
use std::io::Read;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The port of name servers.
const DNS: u16 = 53;
/// In bytes.
const LARGEST: u64 = 64 << 10;
/// What systemd-resolved keeps for those that cannot ask it: resolved.conf(5).
const UPSTREAM: &str = "/run/systemd/resolve/resolv.conf";

/// All name servers are on this host, where none is.
pub fn loopback(patient: &Patient<'_>) -> Vec<Found> {
    // Without a way out there is nobody to ask.
    if patient.outside.is_none() || patient.space.is_own {
        return Vec::new();
    }
    let read = |(root, file): (PathBuf, PathBuf)| Some((root.join(&file), text_of(&root, &file)?));
    let Some((file, text)) = places(patient).into_iter().find_map(read) else { return Vec::new() };
    let servers = servers(&text);
    let answers = patient.space.listeners.iter().any(|listener| listener.at.port() == DNS);
    if answers || servers.iter().any(|ip| !ip.is_loopback()) {
        return Vec::new();
    }
    let file = show(file);
    let message = match servers.first() {
        Some(ip) => {
            format!("{file} sends it to the name server {ip}, where in this namespace nothing listens")
        }
        None => format!("{file} names no name server, and none listens on 127.0.0.1 in this namespace"),
    };
    vec![(message, cures(patient))]
}

/// Where a process in it sees the file, as a root and a path in it; without one, where one that `netns exec` runs there
/// would.
fn places(patient: &Patient<'_>) -> Vec<(PathBuf, PathBuf)> {
    let file = "etc/resolv.conf";
    match (resident(patient), patient.space.names.first()) {
        // A helper may have locked itself into a root without files.
        (Some(process), _) => [Some(process), patient.space.processes.first()]
            .into_iter()
            .flatten()
            .map(|process| (format!("/proc/{}/root", process.pid).into(), file.into()))
            .collect(),
        (None, Some(name)) => [own(name), file.into()].map(|file| ("/".into(), file)).into(),
        (None, None) => Vec::new(),
    }
}

/// What a file says, found as the processes of that root find it, who may have put anything in its place: a link to a
/// file of this host, a pipe, a device. Only a file is opened, and no more is read than a resolv.conf can sensibly have.
fn text_of(root: &Path, file: &Path) -> Option<String> {
    let root = open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let found = within::open_as(root.as_fd(), file, OFlags::PATH).ok()?;
    let is_file = FileType::from_raw_mode(fstat(&found).ok()?.st_mode) == FileType::RegularFile;
    let found = is_file.then(|| File::open(format!("/proc/self/fd/{}", found.as_raw_fd())).ok()).flatten()?;
    let mut text = Vec::new();
    found.take(LARGEST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// ip-netns(8).
fn own(name: &str) -> PathBuf {
    Path::new("/etc/netns").join(name).join("resolv.conf")
}

/// The addresses of name servers, which may have a scope after a per cent sign.
fn servers(text: &str) -> Vec<IpAddr> {
    let of = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().filter(|word| *word == "nameserver")?;
        words.next()?.split('%').next()?.parse().ok()
    };
    text.lines().filter_map(of).collect()
}

/// Never a file that others use too: that of another root, or what stands in for it in one namespace.
fn cures(patient: &Patient<'_>) -> Vec<String> {
    let line = format!("echo nameserver {}", known());
    // Not by a path through /proc: a link in that root would lead out of it, to a file of this host.
    let inside =
        |pid: u32| format!("nsenter-rs -t {pid} -a --toolbox /.toolbox/sh -c '{line} >/etc/resolv.conf'");
    match (resident(patient), patient.space.names.first()) {
        (Some(process), _) if has_other_root(process.pid) => vec![inside(process.pid)],
        (_, Some(name)) if Path::new(UPSTREAM).exists() => {
            vec![format!("install -D -m 644 {UPSTREAM} {}", show(own(name)))]
        }
        (_, Some(name)) => {
            let directory = show(Path::new("/etc/netns").join(name));
            vec![format!("mkdir -p {directory}"), format!("{line} >{}", show(own(name)))]
        }
        _ => Vec::new(),
    }
}

/// The process that the namespace is there for: not a link that waits for one with a root of its own.
fn resident<'a>(patient: &Patient<'a>) -> Option<&'a Process> {
    let mut processes = patient.space.processes.iter();
    processes.clone().find(|process| has_other_root(process.pid)).or_else(|| processes.next())
}

fn has_other_root(pid: u32) -> bool {
    let root = |path: &str| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    root(&format!("/proc/{pid}/root/")).is_some_and(|theirs| root("/") != Some(theirs))
}

/// A name server that can be reached from elsewhere: one that this host uses, else a public one.
fn known() -> IpAddr {
    let own = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    servers(&own).into_iter().find(|ip| is_global(*ip)).unwrap_or(IpAddr::from([9, 9, 9, 9]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn name_servers_are_found() {
        let text = "# nameserver 1.1.1.1\nsearch x\nnameserver  127.0.0.53\nnameserver fe80::1%eth0\nnameservers 2.2.2.2\n";
        assert_eq!(
            super::servers(text),
            ["127.0.0.53", "fe80::1"].map(|ip| ip.parse::<std::net::IpAddr>().unwrap())
        );
    }
}
