//! The options that furnish the root: a table.

use super::ordered::{Row, Table, optional, row};
use super::steps::Parsed;
use super::{layers, steps};
use crate::plan::Step;

/// What they ask for, in the order in which they stood on the line.
#[derive(Debug, Default)]
pub struct Mounts(pub Vec<Step>);

impl Mounts {
    fn add(&mut self, step: Parsed) -> Result<(), String> {
        self.0.push(step?);
        Ok(())
    }
}

const BIND: &str = "SRC:DST[:OPTIONS]";
const BIND_FD: &str = "N:DST[:OPTIONS]";
const PLACE: &str = "[DST][:OPTIONS]";

impl Table for Mounts {
    const HEADING: &'static str = "Mounts, done in the order given";
    const ROWS: &'static [Row<Self>] = &[
        row("bind", BIND, "Show SRC of the old root, with all that is mounted in it, as DST", |all, text| {
            all.add(steps::bind(text))
        }),
        row("ro-bind", BIND, "Like --bind, read-only", |all, text| all.add(steps::ro_bind(text))),
        row("bind-try", BIND, "Like --bind, but nothing when there is no SRC", |all, text| {
            all.add(steps::bind_try(text))
        }),
        row("ro-bind-try", BIND, "Like --ro-bind, but nothing when there is no SRC", |all, text| {
            all.add(steps::ro_bind_try(text))
        }),
        row("bind-fd", BIND_FD, "Like --bind for what descriptor N has open", |all, text| {
            all.add(steps::bind_fd(text))
        }),
        row("ro-bind-fd", BIND_FD, "Like --bind-fd, read-only", |all, text| all.add(steps::ro_bind_fd(text))),
        row("tmpfs", "DST[:OPTIONS]", "Mount a new empty file system in memory on DST", |all, text| {
            all.add(steps::tmpfs(text))
        }),
        optional(
            "proc",
            PLACE,
            "Mount /proc, also without a new pid namespace; `pid`: processes only",
            |all, text| all.add(steps::proc(text)),
        ),
        optional("sys", PLACE, "Mount /sys; `rw`: writable", |all, text| all.add(steps::sys(text))),
        optional("dev", PLACE, "Mount a minimal /dev", |all, text| all.add(steps::dev(text))),
        optional("devpts", PLACE, "Mount new terminals on /dev/pts", |all, text| {
            all.add(steps::devpts(text))
        }),
        optional("shm", PLACE, "Mount shared memory on /dev/shm; `size=1G`", |all, text| {
            all.add(steps::shm(text))
        }),
        optional("mqueue", PLACE, "Mount message queues on /dev/mqueue", |all, text| {
            all.add(steps::mqueue(text))
        }),
        optional(
            "cgroup",
            PLACE,
            "Mount control groups on /sys/fs/cgroup, read-only; `rw`: writable",
            |all, text| all.add(steps::cgroup(text)),
        ),
        row(
            "mount",
            "TYPE:DST[:OPTIONS]",
            "Mount any file system; OPTIONS it takes, source=... too",
            |all, text| all.add(steps::mount(text)),
        ),
        row(
            "overlay-src",
            "DIR",
            "Have the overlay option that follows show DIR, over those before it",
            |all, text| all.add(layers::layer(text)),
        ),
        row(
            "overlay",
            "UPPER:DST[:OPTIONS]",
            "Mount the --overlay-src before it on DST as one, and keep changes in UPPER",
            |all, text| all.add(layers::overlay(text)),
        ),
        row("tmp-overlay", "DST[:OPTIONS]", "The same, but changes are lost", |all, text| {
            all.add(layers::tmp_overlay(text))
        }),
        row("ro-overlay", "DST[:OPTIONS]", "The same, but read-only", |all, text| {
            all.add(layers::ro_overlay(text))
        }),
        row("file", "DST[:OPTIONS]=TEXT", "Show a file with this content as DST", |all, text| {
            all.add(steps::file(text))
        }),
        row("file-fd", "N:DST[:OPTIONS]", "Show a file with what descriptor N gives as DST", |all, text| {
            all.add(steps::file_fd(text))
        }),
        row("symlink", "DST=TARGET", "Make DST a symbolic link to TARGET", |all, text| {
            all.add(steps::symlink(text))
        }),
        row("dir", "DST[:OPTIONS]", "Make the directory DST", |all, text| all.add(steps::dir(text))),
        row("chmod", "DST=MODE", "Give DST these permission bits", |all, text| all.add(steps::chmod(text))),
        row("remount-ro", "DST", "Make the mount on DST read-only", |all, text| {
            all.add(steps::remount_ro(text))
        }),
        row("hosts", "FILE", "Show FILE as /etc/hosts, read-only", |all, text| all.add(steps::hosts(text))),
        row("resolv-conf", "FILE", "Show FILE as /etc/resolv.conf, read-only", |all, text| {
            all.add(steps::resolv_conf(text))
        }),
    ];
}
