//! Where programs look for names: resolv.conf(5).

use super::Found;
use super::patient::{Patient, is_global};
use chain::text::show;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The port of name servers.
const DNS: u16 = 53;
/// What systemd-resolved keeps for those that cannot ask it: resolved.conf(5).
const UPSTREAM: &str = "/run/systemd/resolve/resolv.conf";

/// All name servers are on this host, where none is.
pub fn loopback(patient: &Patient<'_>) -> Vec<Found> {
    // Without a way out there is nobody to ask.
    if patient.outside.is_none() || patient.space.is_own {
        return Vec::new();
    }
    let Some((file, text)) =
        places(patient).into_iter().find_map(|file| Some((file.clone(), fs::read_to_string(file).ok()?)))
    else {
        return Vec::new();
    };
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

/// Where a process in it sees the file; without one, where one that `netns exec` runs there would.
fn places(patient: &Patient<'_>) -> Vec<PathBuf> {
    match (patient.space.processes.first(), patient.space.names.first()) {
        (Some(process), _) => vec![format!("/proc/{}/root/etc/resolv.conf", process.pid).into()],
        (None, Some(name)) => vec![own(name), "/etc/resolv.conf".into()],
        (None, None) => Vec::new(),
    }
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
    match (patient.space.processes.first(), patient.space.names.first()) {
        (Some(process), _) if has_other_root(process.pid) => {
            vec![format!("{line} >/proc/{}/root/etc/resolv.conf", process.pid)]
        }
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
