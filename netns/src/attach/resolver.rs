//! /etc/resolv.conf for the hosts of a network: this host's, without servers that only this host reaches.

use super::hosts::directory;
use crate::network::Network;
use chain::text::show;
use chain::{Cannot, Result};
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

/// The second is what systemd-resolved asks itself: systemd-resolved.service(8).
const OF_HOST: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
const SHARED: &str = "resolv.conf";

/// Writes the file, and says where; none when no server is known that could be asked from inside.
pub fn write(network: &Network, number: u32, dns: &[IpAddr]) -> Result<Option<PathBuf>> {
    let file = match dns {
        [] => directory(&network.name).join(SHARED),
        _ => of_host(network, number),
    };
    text(dns).map(|text| put(file, &text)).transpose()
}

/// What is in the file.
pub fn text(dns: &[IpAddr]) -> Option<String> {
    if !dns.is_empty() {
        return Some(dns.iter().map(|ip| format!("nameserver {ip}\n")).collect());
    }
    let found = OF_HOST.iter().filter_map(|file| fs::read_to_string(file).ok());
    found.map(|text| without_loopback(&text)).find(|text| text.contains("nameserver"))
}

/// Whether this host asks a server that only it reaches.
pub fn is_loopback_asked() -> bool {
    fs::read_to_string(OF_HOST[0]).is_ok_and(|text| {
        let mut servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver "));
        servers.any(|server| server.trim().starts_with("127."))
    })
}

/// In place, as with [`super::hosts`], and only when it is another text.
fn put(file: PathBuf, text: &str) -> Result<PathBuf> {
    if fs::read_to_string(&file).is_ok_and(|before| before == text) {
        return Ok(file);
    }
    fs::write(&file, text).cannot_with(|| format!("write {}", show(&file)))?;
    Ok(file)
}

/// Removes the file of a host that has one of its own.
pub fn remove(network: &Network, number: u32) {
    let _ = fs::remove_file(of_host(network, number));
}

fn of_host(network: &Network, number: u32) -> PathBuf {
    directory(&network.name).join(format!("{SHARED}.{number}"))
}

/// Removes the files of hosts that are not there any more.
pub fn keep(network: &Network, is_there: impl Fn(u32) -> bool) {
    let Ok(entries) = fs::read_dir(directory(&network.name)) else { return };
    for file in entries.flatten().map(|entry| entry.path()) {
        let number =
            file.file_name().and_then(|name| name.to_str()?.strip_prefix("resolv.conf.")?.parse().ok());
        if number.is_some_and(|number| !is_there(number)) {
            let _ = fs::remove_file(file);
        }
    }
}

fn without_loopback(text: &str) -> String {
    let kept = text.lines().filter(|line| {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("nameserver"), Some(ip)) => !ip.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
            (Some(word), _) => !word.starts_with(['#', ';']),
            (None, _) => false,
        }
    });
    kept.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_this_host_alone_are_left_out() {
        let text = "# made by hand\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.1\nsearch example.org\n";
        assert_eq!(without_loopback(text), "nameserver 192.0.2.1\nsearch example.org\n");
    }
}
