//! Job control: the keys of a terminal, as someone at a shell prompt types them.

use nix::unistd::Pid;
use tests::pty::{INTERRUPT, QUIT, SUSPEND};
use tests::{Pty, Sandbox, eventually, leak};

const CHAIN: &str = "cgctl new m=64M -- unshare-rs -pum pivot rootfs";
const LINES: [&str; 5] =
    [CHAIN, "unshare-rs -p", "unshare-rs -p --init", "unshare-rs -pum pivot rootfs", "cgctl new pids=100 --"];

/// A job-control shell at its prompt.
fn shell(sandbox: &Sandbox) -> Pty {
    let mut terminal = Pty::start(&sandbox.run("dash -i").env("PS1", "<$?> "));
    terminal.until("<0> ");
    terminal
}

/// Types a line that holds the terminal, and waits until it runs.
fn hold(sandbox: &Sandbox, terminal: &mut Pty, line: &str) -> Pid {
    terminal.line(&format!("{line} probe hold"));
    terminal.until("ready");
    sandbox.inner("probe")
}

#[test]
fn interrupt_and_quit_end_the_chain() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in LINES.into_iter().chain(["unshare-rs -p unshare-rs -p"]) {
        let mut terminal = shell(&sandbox);
        hold(&sandbox, &mut terminal, line);
        terminal.keys(INTERRUPT);
        terminal.until("<130> ");
        hold(&sandbox, &mut terminal, line);
        terminal.keys(QUIT);
        terminal.until("<131> ");
        assert_eq!(terminal.foreground(), terminal.pid());
        terminal.line("exit 0");
        terminal.done();
    }
}

#[test]
fn interrupt_reaches_a_handler_once() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in LINES {
        let mut terminal = shell(&sandbox);
        terminal.line(&format!("{line} probe count SIGINT SIGUSR1"));
        terminal.until("ready");
        for n in 1..=10 {
            terminal.keys(INTERRUPT);
            terminal.until(&format!("{n} SIGINT"));
        }
        // The links take signals in the order of their numbers: what they made of the last INT comes first.
        nix::sys::signal::kill(terminal.foreground(), nix::sys::signal::Signal::SIGUSR1).unwrap();
        terminal.until("11 SIGUSR1");
        nix::sys::signal::kill(terminal.foreground(), nix::sys::signal::Signal::SIGTERM).unwrap();
        terminal.until("<11> ");
        terminal.line("exit 0");
        terminal.done();
    }
}

#[test]
fn suspend_stops_the_whole_chain_and_fg_continues_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in LINES {
        let mut terminal = shell(&sandbox);
        let inner = hold(&sandbox, &mut terminal, line);
        for _ in 0..3 {
            let group = terminal.foreground();
            terminal.keys(SUSPEND);
            terminal.until("> ");
            let stopped = |pid: &Pid| leak::state(*pid) == Some('T');
            // An init cannot be stopped: it tells the link outside, which stops in its place.
            let is_init = |pid: &Pid| line.contains("--init") && *pid != group && *pid != inner;
            let links =
                || members(&sandbox, group).into_iter().filter(|pid| !is_init(pid)).collect::<Vec<_>>();
            eventually("every link is stopped", || links().iter().all(stopped) && stopped(&inner));
            assert!(links().len() >= 2, "{}", leak::describe(&links()));
            terminal.line("fg");
            eventually("the command goes on", || leak::state(inner) == Some('S'));
            eventually("the job has the terminal", || terminal.foreground() == group);
        }
        terminal.keys(INTERRUPT);
        terminal.until("<130> ");
        terminal.line("exit 0");
        terminal.done();
    }
}

/// The link comes to continue the command when that has been stopped again already.
#[test]
fn suspend_at_once_after_fg_is_not_lost() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in ["cgctl new pids=100 --", "unshare-rs -u --fork", "unshare-rs -p --init"] {
        let mut terminal = shell(&sandbox);
        let late = "strace -DD -qq -o /dev/null -e trace=kill -e inject=kill:delay_enter=300000";
        let inner = hold(&sandbox, &mut terminal, &format!("{late} {line}"));
        for _ in 0..3 {
            let group = terminal.foreground();
            terminal.keys(SUSPEND);
            terminal.until("> ");
            terminal.line("fg");
            eventually("the job has the terminal", || terminal.foreground() == group);
            eventually("the command goes on", || leak::state(inner) == Some('S'));
        }
        terminal.keys(INTERRUPT);
        terminal.until("<130> ");
        terminal.line("exit 0");
        terminal.done();
    }
}

fn members(sandbox: &Sandbox, group: Pid) -> Vec<Pid> {
    let group = group.to_string();
    sandbox
        .marker()
        .processes()
        .into_iter()
        .filter(|pid| leak::stat(*pid, 2).as_deref() == Some(&group))
        .collect()
}

#[test]
fn a_stopped_chain_can_be_killed() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in LINES {
        let mut terminal = shell(&sandbox);
        hold(&sandbox, &mut terminal, line);
        terminal.keys(SUSPEND);
        terminal.until("> ");
        terminal.line("kill %1; fg; echo back");
        terminal.until("back");
        terminal.line("exit 0");
        terminal.done();
    }
}

#[test]
fn a_background_chain_that_reads_is_stopped_and_can_be_fetched() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in ["cgctl new pids=100 --", "unshare-rs -u --fork"] {
        let mut terminal = shell(&sandbox);
        terminal.line(&format!("{line} cat &"));
        // With the link, which would stop again after the shell has continued it.
        eventually("it is stopped", || {
            let all: Vec<Pid> =
                sandbox.marker().processes().into_iter().filter(|pid| *pid != terminal.pid()).collect();
            all.iter().any(|pid| leak::name(*pid).as_deref() == Some("cat"))
                && all.iter().all(|pid| leak::state(*pid) == Some('T'))
        });
        terminal.line("fg");
        terminal.line("hel''lo");
        terminal.until("hel''lo");
        terminal.keys("\x04");
        terminal.line("exit 0");
        terminal.done();
    }
}

#[test]
fn a_shell_inside_has_job_control_and_the_prompt_comes_back() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in [CHAIN, "unshare-rs -pum pivot rootfs", "cgctl new pids=100 --"] {
        let mut terminal = shell(&sandbox);
        let inner = if line.contains("pivot") { "sh" } else { "dash" };
        terminal.line(&format!("PS1='[$?] ' {line} {inner} -i"));
        terminal.until("[0] ");
        terminal.line("probe hold");
        terminal.until("ready");
        terminal.keys(SUSPEND);
        terminal.until("] ");
        terminal.line("fg");
        // The shell inside names the job, and the probe says nothing more.
        terminal.until("probe hold");
        eventually("the job inside has the terminal", || terminal.foreground() == sandbox.inner("probe"));
        terminal.keys(INTERRUPT);
        terminal.until("[130] ");
        terminal.line("exit 5");
        terminal.until("<5> ");
        assert_eq!(terminal.foreground(), terminal.pid());
        terminal.line("echo st''ill here");
        terminal.until("still here");
        terminal.line("exit 0");
        terminal.done();
    }
}

#[test]
fn closing_the_terminal_leaves_nothing() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in LINES {
        let mut terminal = shell(&sandbox);
        hold(&sandbox, &mut terminal, line);
        terminal.hang_up();
        terminal.done();
        eventually("all have ended", || sandbox.marker().processes().is_empty());
    }
    for line in LINES {
        let mut terminal = shell(&sandbox);
        let inner = if line.contains("pivot") { "sh" } else { "dash" };
        terminal.line(&format!("PS1='[$?] ' {line} {inner} -i"));
        terminal.until("[0] ");
        terminal.hang_up();
        terminal.done();
        eventually("all have ended", || sandbox.marker().processes().is_empty());
    }
}

#[test]
fn a_chain_can_be_the_session_leader() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in LINES {
        let mut terminal = Pty::start(&sandbox.run(line).args(["probe", "hold"]));
        terminal.until("ready");
        terminal.keys(INTERRUPT);
        assert_eq!(terminal.done(), 130, "{line}");
        let mut terminal = Pty::start(&sandbox.run(line).args(["probe", "hold"]));
        terminal.until("ready");
        terminal.hang_up();
        assert_eq!(terminal.done(), 129, "{line}");
    }
}
