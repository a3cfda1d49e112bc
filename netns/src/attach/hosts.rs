//! /etc/hosts for all of a network: one file, changed in place, because a bind keeps showing the file that it was
//! made of. pivot(1) shows it, read-only.

use super::plan::{Plan, is_there};
use crate::lock::{self, Lock};
use crate::netlink::Route;
use crate::network::NetName;
use crate::{own_run, refused};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, ftruncate, open};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A directory for each network.
pub const DIRECTORY: &str = "/run/netns-net";
const HEAD: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";

/// The directory of a network.
pub fn directory(network: &NetName) -> PathBuf {
    Path::new(DIRECTORY).join(network.as_str())
}

/// Removes the directory of a network; that there is none is no failure.
pub fn remove(network: &NetName) -> Result<()> {
    let directory = directory(network);
    match fs::remove_dir_all(&directory) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other.cannot_with(|| format!("remove {}", show(&directory))),
    }
}

/// The file, which nobody else changes until it is dropped.
#[derive(Debug)]
pub struct Hosts {
    _lock: Lock,
    path: PathBuf,
    file: File,
    text: String,
}

impl Hosts {
    /// Opens it, and makes it if need be.
    pub fn open(network: &NetName) -> Result<Self> {
        let directory = directory(network);
        own_run::prepare(DIRECTORY)?;
        fs::create_dir_all(&directory)
            .cannot_with(|| format!("make {}", show(&directory)))
            .map_err(refused::for_names)?;
        Hosts::open_at(&directory, OFlags::CREATE)
    }

    /// Opens it if the network is still there.
    pub fn open_if_there(network: &NetName) -> Result<Option<Self>> {
        match Hosts::open_at(&directory(network), OFlags::empty()) {
            Err(e) if e.errno() == Some(Errno::ENOENT) => Ok(None),
            other => other.map(Some),
        }
    }

    fn open_at(directory: &Path, flags: OFlags) -> Result<Self> {
        let (lock, path) = (lock::hosts(directory)?, directory.join("hosts"));
        let flags = flags | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = open(&path, flags, Mode::from(0o644)).cannot_with(|| format!("open {}", show(&path)))?;
        let file = File::from(file);
        let text = std::io::read_to_string(&file).cannot_with(|| format!("read {}", show(&path)))?;
        Ok(Hosts { _lock: lock, path, file, text })
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Refuses a name that a host has that is there.
    pub fn check(&self, route: &mut Route, plan: &Plan) -> Result<()> {
        let Some(name) = &plan.name else { return Ok(()) };
        if HEAD.split_whitespace().any(|word| word == name.as_str()) {
            return Err(Error::new(format_args!("call a host {name}"), "every host calls itself so"));
        }
        for ip in self.addresses_of(name.as_str()) {
            if is_there(route, &plan.network, ip)? {
                return Err(Error::new(
                    format_args!("join the network {}", plan.network.name),
                    format_args!("there is a {name} already, at {ip}"),
                ));
            }
        }
        Ok(())
    }

    fn addresses_of(&self, name: &str) -> impl Iterator<Item = IpAddr> {
        let long = format!("{name}.netns");
        let of_name = |line: &&str| line.split(' ').skip(1).any(|word| word == name || word == long);
        let found: Vec<IpAddr> = self.lines().filter(of_name).filter_map(address).collect();
        found.into_iter()
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.strip_prefix(HEAD).unwrap_or_default().lines()
    }

    /// Has these addresses be those of `name`, or of nobody.
    pub fn set(&mut self, addresses: &[IpAddr], name: Option<&str>) -> Result<()> {
        let is_other = |line: &&str| {
            !address(line).is_some_and(|ip| addresses.contains(&ip))
                && (name.is_none() || line.split(' ').nth(1) != name)
        };
        let mut text = HEAD.to_owned();
        self.lines().filter(is_other).for_each(|line| text += &format!("{line}\n"));
        if let Some(name) = name {
            addresses.iter().for_each(|ip| text += &format!("{ip} {name} {name}.netns\n"));
        }
        self.write(text)
    }

    /// Removes the hosts that are not there any more.
    pub fn keep(&mut self, addresses: &[IpAddr]) -> Result<()> {
        let stays = |line: &&str| address(line).is_some_and(|ip| addresses.contains(&ip));
        let mut text = HEAD.to_owned();
        self.lines().filter(stays).for_each(|line| text += &format!("{line}\n"));
        self.write(text)
    }

    fn write(&mut self, text: String) -> Result<()> {
        if text != self.text {
            let result = self.file.write_all_at(text.as_bytes(), 0);
            result.cannot_with(|| format!("write {}", show(&self.path)))?;
            ftruncate(&self.file, text.len() as u64).cannot_with(|| format!("write {}", show(&self.path)))?;
            self.text = text;
        }
        Ok(())
    }
}

fn address(line: &str) -> Option<IpAddr> {
    line.split(' ').next()?.parse().ok()
}
