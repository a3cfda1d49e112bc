//! Signals, kill -9, full disks, mounts, and several at once.

use super::{mkrootfs, names, place};
use nix::sys::signal::Signal;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ChildStdin;
use tests::archive::{file, noise, tar};
use tests::{Job, Outcome, Sandbox, each, eventually, leak};

/// A run that waits for the second half of its archive, with the first member unpacked.
struct Stalled {
    job: Job,
    input: ChildStdin,
}

fn stall(sandbox: &Sandbox, place: &Path, packer: &str) -> Stalled {
    let archive = tar(&[file("first", noise(200_000)), file("second", noise(400_000))]);
    let packed = sandbox.run(packer).stdin(&archive).done().is(0).out;
    let mut job = mkrootfs(sandbox, place, "d --tar -").stdin_pipe().start();
    let mut input = job.input();
    input.write_all(&packed[..packed.len() / 2]).unwrap();
    eventually("the first member is unpacked", || {
        workshops(place).iter().any(|work| work.join("root/first").exists())
    });
    Stalled { job, input }
}

fn workshops(place: &Path) -> Vec<PathBuf> {
    let found = names(place).into_iter().filter(|name| name.starts_with(".mkrootfs."));
    found.map(|name| place.join(name)).collect()
}

/// The processes of a job: the unpackers have no environment to be known by.
fn group(job: &str) -> Vec<nix::unistd::Pid> {
    leak::pids().into_iter().filter(|pid| leak::stat(*pid, 2).as_deref() == Some(job)).collect()
}

#[test]
fn a_signal_in_the_middle_leaves_nothing() {
    let sandbox = Sandbox::own();
    let signals = [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)];
    each(signals.iter().flat_map(|row| ["cat", "gzip"].map(|packer| (row, packer))), |(row, packer)| {
        let place = place(&sandbox, &format!("{}.{packer}", row.1));
        let stalled = stall(&sandbox, &place, packer);
        let pid = stalled.job.pid().to_string();
        stalled.job.signal(row.0);
        stalled.job.done().is(row.1).quiet();
        assert!(names(&place).is_empty(), "{:?}", names(&place));
        eventually("all of its processes are gone", || group(&pid).is_empty());
    });
}

#[test]
fn what_kill_9_leaves_is_swept_by_the_next_run_but_not_while_it_is_in_use() {
    let sandbox = Sandbox::own();
    let place = place(&sandbox, "place");
    let stalled = stall(&sandbox, &place, "gzip");
    let pid = stalled.job.pid().to_string();
    stalled.job.signal(Signal::SIGKILL);
    stalled.job.done().is(-9);
    let work = workshops(&place).remove(0);
    mkrootfs(&sandbox, &place, "e --busybox").done().is(0).quiet();
    assert!(work.exists(), "its unpacker still works in there");
    drop(stalled.input);
    eventually("its processes end with their input", || group(&pid).is_empty());
    mkrootfs(&sandbox, &place, "f --busybox").done().is(0).quiet();
    assert_eq!(names(&place), ["e", "f"]);
}

/// In place of `mv`: does something else at a moment that is hard to meet, as DIR is set aside or its successor comes.
const MV: &str = "#!/bin/sh
[ \"before $*\" != \"$WHEN\" ] || eval \"$DO\"
/bin/mv \"$@\" || exit
[ \"after $*\" != \"$WHEN\" ] || eval \"$DO\"
";

fn force_with(sandbox: &Sandbox, place: &Path, action: &str, when: &str) -> Outcome {
    let fake = sandbox.file("mv", MV, 0o755);
    let path =
        "PATH=${0%/*}:$PATH; export PATH; mkdir d; echo old >d/keep; exec mkrootfs d --busybox --force";
    sandbox.shell(path).arg(fake).env("DO", action).env("WHEN", when).cwd(place).done()
}

#[test]
fn a_run_that_ends_between_its_renames_loses_nothing() {
    let sandbox = Sandbox::own();
    let moments =
        [("before -f ../d old/", true), ("after -f ../d old/", true), ("after -f new/d ../", false)];
    let ends = [("kill -9 0", -9), ("kill -TERM 0", 143)];
    let rows = moments.iter().flat_map(|moment| ends.map(|end| (end, moment)));
    each((0..).zip(rows), |(number, ((end, status), (when, is_old))): (u32, _)| {
        let place = place(&sandbox, &number.to_string());
        force_with(&sandbox, &place, end, when).is(status);
        if status == -9 {
            // Who wants another name must leave the only copy alone.
            mkrootfs(&sandbox, &place, "e --busybox").done().is(0).quiet();
        }
        mkrootfs(&sandbox, &place, "d --busybox").done().is(125).says("not empty");
        assert_eq!(place.join("d/keep").exists(), *is_old);
        assert_eq!(place.join("d/bin/busybox").exists(), !*is_old);
        assert!(workshops(&place).is_empty(), "{:?}", names(&place));
    });
}

#[test]
fn with_force_another_run_may_take_dir_away_in_the_meantime() {
    let sandbox = Sandbox::own();
    let work = place(&sandbox, "work");
    force_with(&sandbox, &work, "/bin/mv ../d ../taken", "before -f ../d old/").is(0).quiet();
    assert_eq!(names(&work), ["d", "taken"]);
}

#[test]
fn what_only_looks_like_a_workshop_is_left_alone() {
    let sandbox = Sandbox::own();
    sandbox.shell("mkdir canary .mkrootfs.public; touch canary/f .mkrootfs.public/f").done().is(0);
    symlink("canary", sandbox.path(".mkrootfs.linked")).unwrap();
    mkrootfs(&sandbox, sandbox.dir(), "d --busybox").done().is(0).quiet();
    assert!(sandbox.path("canary/f").exists() && sandbox.path(".mkrootfs.public/f").exists());
}

#[test]
fn a_full_disk_leaves_nothing_but_what_was_there() {
    let Some(sandbox) = Sandbox::root() else { return };
    let big = tar(&[file("big", noise(9_000_000))]);
    let packed = sandbox.run("gzip -1").stdin(&big).done().is(0).out;
    sandbox.file("big.tar", big, 0o644);
    sandbox.file("big.tgz", packed, 0o644);
    sandbox.run("mkdir t").done().is(0);
    let limits = ["size=64k", "size=1m", "size=7m", "nr_inodes=20"];
    let sources = ["--busybox", "--copy", "--tar ../big.tar", "--tar ../big.tgz"];
    let rows = limits.iter().flat_map(|limit| sources.map(|source| (limit, source)));
    each(rows.filter(|(limit, source)| **limit != "size=7m" || source.contains("tar")), |(limit, source)| {
        let script = format!(
            "mount -t tmpfs -o {limit} t t; cd t; mkdir d; echo old >d/keep; mkrootfs d {source} --force || echo $?; find ."
        );
        let done = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0);
        assert_eq!(done.text(), "125\n.\n./d\n./d/keep", "{limit} {source}: {done}");
        done.says("No space left on device").complains_as("mkrootfs");
    });
}

#[test]
fn what_is_mounted_is_neither_replaced_nor_copied() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = ["d/in", "d", "a b/in", "a b", "d\n\t\\/in"];
    each((0..).zip(rows), |(number, point): (u32, _)| {
        let place = place(&sandbox, &number.to_string());
        let script = "mkdir -p \"$0\"; mount -t tmpfs t \"$0\"; touch \"$0/keep\"; mkrootfs --force -- \"${0%/in}\" || echo $?; test -e \"$0/keep\"; ls -Aq | wc -l";
        let done = sandbox.run("unshare-rs -m sh -euc").args([script, point]).cwd(&place).done().is(0);
        assert_eq!(done.text(), "125\n1", "{done}");
        done.says("something is mounted in it").complains_as("mkrootfs");
    });
    let script =
        "mkdir -p s/in; touch s/f; mount -t tmpfs t s/in; touch s/in/no; mkrootfs d --from-dir s; ls d d/in";
    let done = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0).quiet();
    assert_eq!(done.text(), "d:\ndev\nf\nin\nproc\nsys\ntmp\n\nd/in:");
}

#[test]
fn of_several_at_once_one_makes_it_and_with_force_all_do() {
    let sandbox = Sandbox::own();
    sandbox.file("a.tar", tar(&[file("bin", noise(100_000))]), 0o644);
    let sources = ["--busybox", "--tar ../a.tar", "--from-dir ../rootfs"];
    each(0..4, |round| {
        let place = place(&sandbox, &round.to_string());
        let force = if round % 2 == 0 { "" } else { "--force" };
        let start = |source: &&str| mkrootfs(&sandbox, &place, &format!("d {force} {source}")).start();
        let jobs: Vec<Job> = sources.iter().chain(&sources).map(start).collect();
        let done: Vec<_> = jobs.into_iter().map(Job::done).collect();
        let made = done.iter().filter(|done| done.status == 0).count();
        assert_eq!(made, if force.is_empty() { 1 } else { done.len() }, "{done:#?}");
        for lost in done.into_iter().filter(|done| done.status != 0) {
            lost.is(125).says("cannot create d: ").complains_as("mkrootfs");
        }
        assert_eq!(names(&place), ["d"]);
        let whole = names(&place.join("d"));
        assert!(whole.len() == 5 || whole.contains(&"root".to_owned()), "a mixture: {whole:?}");
        assert!(fs::metadata(place.join("d/tmp")).unwrap().is_dir());
    });
}
