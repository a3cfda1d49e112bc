//! `kill -9` of any link, at any moment; then `cgctl gc` finds what is left, and nothing else.

use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tests::wait::becomes;
use tests::{Job, Random, Sandbox, cgroup, eventually, leak, patience};

const CHAIN: &str = "unshare-rs -pum pivot rootfs";
/// Microseconds in which a chain is made and ends.
const PAUSE: u64 = 15_000;

/// The links of a running chain, outermost first, as far as they are there yet.
fn links(job: &Job) -> Vec<Pid> {
    let next = |pid: &Pid| leak::children(*pid).first().copied();
    std::iter::successors(Some(job.pid()), next).collect()
}

/// One test at a time: where one kills a `cgctl gc`, another's must not be about to rely on it.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn groups(sandbox: &Sandbox) -> Vec<std::path::PathBuf> {
    let ours = |group: &std::path::PathBuf| group.to_string_lossy().contains(sandbox.name());
    cgroup::ours().into_iter().filter(ours).collect()
}

fn nothing_remains(sandbox: &Sandbox) {
    eventually("every process of the chain has died", || sandbox.marker().processes().is_empty());
    // A `cgctl new` of another test may be at it when gc comes by, and leave it when it takes long.
    let gone = becomes(patience(30), || {
        groups(sandbox).is_empty() || {
            sandbox.run("cgctl gc").done().is(0);
            false
        }
    });
    assert!(gone, "nobody removes {:?}", groups(sandbox));
}

#[test]
fn a_link_killed_at_a_random_moment_leaves_nothing_that_gc_does_not_find() {
    let _turn = alone();
    let Some(sandbox) = Sandbox::root() else { return };
    let mut random = Random::new();
    let started = Instant::now();
    let mut killed = [0; 3];
    for round in 0.. {
        let run = sandbox
            .run("cgctl new")
            .arg(format!("{}.{round}", sandbox.name()))
            .args(["m=64M", "pids=50", "--"]);
        let job = run
            .args(CHAIN.split(' '))
            .args(["sh", "-c", "probe hold & probe hold & exec probe hold"])
            .start();
        if random.below(3) == 0 {
            job.until("ready");
        } else {
            random.pause(PAUSE);
        }
        let links = links(&job);
        let victim = random.below(links.len().min(3) as u64) as usize;
        let _ = kill(links[victim], SIGKILL);
        killed[victim] += 1;
        let status = job.done().status;
        assert!([-9, 137].contains(&status), "round {round}: {status}");
        sandbox.run("cgctl gc").done().is(0);
        nothing_remains(&sandbox);
        if started.elapsed() > Duration::from_secs(4) && round > 5 {
            break;
        }
    }
    println!("killed cgctl, unshare-rs, pid 1: {killed:?}");
}

#[test]
fn a_group_without_a_name_is_found_at_any_moment_too() {
    let _turn = alone();
    let Some(sandbox) = Sandbox::root() else { return };
    let mut random = Random::new();
    for _ in 0..30 {
        let job =
            sandbox.run("cgctl new m=64M pids=9 -- sh -c").arg("setsid probe hold & exec probe hold").start();
        let name = format!("cgctl.run-{}", job.pid());
        random.pause(PAUSE);
        let _ = kill(job.pid(), SIGKILL);
        job.done();
        let left = || cgroup::ours().into_iter().filter(|group| group.ends_with(&name)).collect::<Vec<_>>();
        let gone = becomes(patience(30), || {
            sandbox.run("cgctl gc").done().is(0);
            left().is_empty()
        });
        assert!(gone, "nobody removes {:?}", left());
        nothing_remains(&sandbox);
    }
}

#[test]
fn gc_ends_what_a_killed_cgctl_has_left_running() {
    let _turn = alone();
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "setsid probe hold & probe hold & exec probe hold";
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["pids=50", "--", "sh", "-c", script]);
    let job = run.start();
    eventually("all run", || job.text().matches("ready").count() == 3);
    job.signal(SIGKILL);
    job.done();
    eventually("the command has died with its parent", || sandbox.marker().processes().len() <= 2);
    sandbox.run("cgctl gc").done().is(0);
    nothing_remains(&sandbox);
    sandbox.run("cgctl gc").done().is(0);
}

#[test]
fn the_next_new_removes_it_without_being_asked() {
    let _turn = alone();
    let Some(sandbox) = Sandbox::root() else { return };
    let job = sandbox.run("cgctl new").arg(sandbox.name()).args(["m=64M", "--", "probe", "hold"]).start();
    job.until("ready").signal(SIGKILL);
    job.done();
    sandbox.run("cgctl new m=64M -- true").done().is(0).quiet();
    nothing_remains(&sandbox);
}

#[test]
fn gc_itself_can_be_killed() {
    let _turn = alone();
    let Some(sandbox) = Sandbox::root() else { return };
    let mut random = Random::new();
    for round in 0..15 {
        let run = sandbox
            .run("cgctl new")
            .arg(format!("{}.{round}", sandbox.name()))
            .args(["m=64M", "pids=9", "--"]);
        let job = run.args(["sh", "-c", "setsid probe hold & exec probe hold"]).start();
        job.until("ready").signal(SIGKILL);
        job.done();
        let gc = sandbox.run("cgctl gc").start();
        random.pause(PAUSE);
        let _ = kill(gc.pid(), SIGKILL);
        gc.done();
        sandbox.run("cgctl gc").done().is(0);
        nothing_remains(&sandbox);
    }
}

#[test]
fn gc_leaves_living_groups_alone() {
    let Some(sandbox) = Sandbox::root() else { return };
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(2) {
        let jobs: Vec<Job> = (0..6)
            .map(|_| {
                sandbox
                    .run("cgctl new m=64M pids=9 --")
                    .args(CHAIN.split(' '))
                    .args(["sh", "-c", "exit 7"])
                    .start()
            })
            .collect();
        let collectors: Vec<Job> = (0..2).map(|_| sandbox.run("cgctl gc").start()).collect();
        jobs.into_iter().for_each(|job| drop(job.done().is(7).quiet()));
        collectors.into_iter().for_each(|job| drop(job.done().is(0).quiet()));
    }
}

#[test]
fn many_at_once_do_not_disturb_each_other() {
    let Some(sandbox) = Sandbox::root() else { return };
    let start = |n: usize| {
        let run = sandbox.run("cgctl new m=64M --").args(CHAIN.split(' ')).args(["sh", "-c"]);
        run.arg(format!("hostname box{n}; echo $$ $(hostname); exit {n}")).start()
    };
    let jobs: Vec<Job> = (0..24).map(start).collect();
    for (n, job) in jobs.into_iter().enumerate() {
        assert_eq!(job.done().is(n as i32).quiet().text(), format!("1 box{n}"));
    }
}
