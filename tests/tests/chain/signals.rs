//! Signals: what reaches the command, how often, and what dies with what.

use nix::sys::signal::Signal::{
    self, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
};
use std::thread::sleep;
use std::time::Duration;
use tests::{Job, Sandbox, each, eventually, leak};

/// A link that is PID 1, with a pid namespace of its own that its /proc knows nothing of.
const NESTED: &str = "unshare-rs -p unshare-rs -p";

/// Lines with waiting links; the command is PID 1 of a pid namespace in all but the last two.
const ROOT: [&str; 6] = [
    "cgctl new m=64M -- unshare-rs -pum pivot rootfs",
    "unshare-rs -p",
    "unshare-rs -p --init",
    NESTED,
    "cgctl new pids=100 --",
    "unshare-rs -u --fork",
];
const USER: [&str; 2] = ["unshare-rs -Urpum pivot rootfs", "unshare-rs -Ur --fork"];

fn each_line(check: impl Fn(&Sandbox, &str)) {
    let root = ROOT.map(|line| (true, line));
    each(root.into_iter().chain(USER.map(|line| (false, line))), |(root, line)| {
        let sandbox = if root { Sandbox::root() } else { Some(Sandbox::user()) };
        if let Some(sandbox) = sandbox {
            check(&sandbox, line);
        }
    });
}

fn holding(sandbox: &Sandbox, line: &str) -> Job {
    let job = sandbox.run(line).args(["probe", "hold"]).start();
    job.until("ready");
    job
}

#[test]
fn a_signal_that_ends_programs_ends_the_chain_and_is_its_status() {
    each_line(|sandbox, line| {
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2] {
            let job = holding(sandbox, line);
            job.signal(signal);
            job.done().is(128 + signal as i32);
        }
    });
}

#[test]
fn killed_from_outside_the_command_is_137() {
    each_line(|sandbox, line| {
        let job = holding(sandbox, line);
        nix::sys::signal::kill(sandbox.inner("probe"), SIGKILL).unwrap();
        job.done().is(137);
    });
}

#[test]
fn a_handler_in_the_command_decides() {
    each_line(|sandbox, line| {
        let script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.01; done";
        let job = sandbox.run(line).args(["sh", "-c", script]).start();
        job.until("ready").signal(SIGTERM);
        let outcome = job.done().is(9);
        assert_eq!(outcome.text(), "ready\ncaught");
    });
}

#[test]
fn a_command_that_waits_for_signals_gets_them() {
    if !std::path::Path::new("/proc/self/syscall").exists() {
        // Nothing else tells a process in sigwait(3) from one that takes no signals: User-Mode Linux.
        return;
    }
    each_line(|sandbox, line| {
        let job = sandbox.run(line).args(["probe", "sigwait", "SIGUSR1"]).start();
        job.until("ready").signal(SIGUSR1);
        assert_eq!(job.done().is(0).text(), "ready\nSIGUSR1");
    });
}

#[test]
fn each_signal_arrives_exactly_once() {
    each_line(|sandbox, line| {
        let run =
            sandbox.run(line).args(["probe", "count", "SIGUSR1", "SIGINT", "SIGHUP", "SIGWINCH", "SIGQUIT"]);
        let job = run.start();
        job.until("ready");
        let signals = [SIGUSR1, SIGINT, SIGHUP, SIGWINCH, SIGQUIT].iter().cycle().take(25);
        for (n, signal) in signals.enumerate() {
            job.signal(*signal);
            job.until(&format!("\n{} {signal}\n", n + 1));
        }
        job.signal(SIGTERM);
        job.done().is(25);
    });
}

#[test]
fn an_ignored_signal_stays_ignored() {
    each_line(|sandbox, line| {
        // As under nohup: the command goes on, and so must the links.
        let run = sandbox.run("env --ignore-signal=HUP").args(line.split(' '));
        let job = run.args(["probe", "count", "SIGUSR1"]).start();
        job.until("ready").signal(SIGHUP);
        job.signal(SIGUSR1);
        job.until("1 SIGUSR1").signal(SIGTERM);
        job.done().is(1);
    });
}

#[test]
fn an_inherited_ignore_of_sigchld_does_not_lose_the_status() {
    each_line(|sandbox, line| {
        let run = sandbox.run("env --ignore-signal=CHLD").args(line.split(' '));
        run.args(["sh", "-c", "true; exit 7"]).done().is(7);
    });
}

#[test]
fn blocked_signals_of_the_caller_do_not_hang_the_links() {
    each_line(|sandbox, line| {
        let run = sandbox.run("env --block-signal=CHLD --block-signal=USR1").args(line.split(' '));
        run.args(["sh", "-c", "exit 7"]).done().is(7);
    });
}

#[test]
fn the_death_of_any_waiting_link_kills_the_command() {
    each_line(|sandbox, line| {
        // With no pid namespace nothing can kill the grandchildren, but the command itself always dies.
        let job = holding(sandbox, line);
        job.signal(SIGKILL);
        assert_eq!(job.done().status, -9);
        eventually("the command has died", || sandbox.marker().processes().is_empty());
        if line.contains("cgctl") {
            sandbox.run("cgctl gc").done().is(0);
        }
    });
}

#[test]
fn the_whole_tree_of_a_pid_namespace_dies_with_its_parent() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "probe hold & setsid probe hold & (trap '' TERM HUP INT; exec probe hold) & echo all; wait";
    for line in ["unshare-rs -p", "unshare-rs -pum pivot rootfs"] {
        let job = sandbox.run(line).args(["sh", "-c", script]).start();
        eventually("all run", || sandbox.marker().processes().len() >= 5);
        job.until("all").signal(SIGKILL);
        job.done();
        eventually("all are gone", || sandbox.marker().processes().is_empty());
    }
}

#[test]
fn what_the_command_leaves_running_dies_with_its_pid_namespace() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.run("unshare-rs -pum pivot rootfs probe orphans 5").done().is(0);
    // Nothing else to assert: the leak check of the sandbox looks for them.
}

#[test]
fn what_the_command_leaves_running_dies_with_its_group() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.run("cgctl new pids=100 -- probe orphans 5").done().is(0);
    let script = "setsid probe hold & setsid setsid probe hold & exit 3";
    sandbox.run("cgctl new pids=100 -- sh -c").arg(script).done().is(3);
}

#[test]
fn children_that_were_there_before_a_link_do_not_confuse_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in ROOT {
        // The shell's children become the link's: one that has ended, one that ends meanwhile, one that stays.
        let script =
            format!("(exit 5) & (sleep 0.05; exit 6) & sleep 2 & exec {line} sh -c 'sleep 0.2; exit 7'");
        sandbox.shell(&script).done().is(7);
        leak::kill_all(sandbox.marker());
    }
}

#[test]
fn zombies_are_not_left_by_the_links() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "(exit 5) & (exit 6) & exec unshare-rs -u --fork probe hold";
    let job = sandbox.shell(script).start();
    job.until("ready");
    let zombies =
        || leak::children(job.pid()).into_iter().filter(|pid| leak::state(*pid) == Some('Z')).count();
    eventually("the inherited zombies are reaped", || zombies() == 0);
    job.signal(SIGTERM);
    job.done().is(143);
}

#[test]
fn stopped_and_continued_by_the_outermost_link() {
    each_line(|sandbox, line| {
        if line == NESTED {
            // No init can stop itself, and the inner link is one: pid_namespaces(7).
            return;
        }
        let job = holding(sandbox, line);
        let inner = sandbox.inner("probe");
        job.signal(Signal::SIGTSTP);
        eventually("the command is stopped", || leak::state(inner) == Some('T'));
        eventually("the link is stopped", || leak::state(job.pid()) == Some('T'));
        job.signal(SIGCONT);
        eventually("the command goes on", || leak::state(inner) == Some('S'));
        job.signal(SIGTERM);
        job.done().is(143);
    });
}

#[test]
fn a_burst_of_signals_at_any_moment_leaves_nothing() {
    let Some(sandbox) = Sandbox::root() else { return };
    let started = std::time::Instant::now();
    for round in 0_u64.. {
        let job = sandbox.run(ROOT[0]).args(["probe", "hold"]).start();
        // Not to wait for something, but to hit a different moment of the start each time.
        sleep(Duration::from_micros(round * 300 % 9000));
        job.signal(SIGTERM);
        job.signal(SIGINT);
        let status = job.done().status;
        assert!([143, 130, -15, -2].contains(&status), "round {round}: {status}");
        if started.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
}
