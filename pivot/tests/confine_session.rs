//! `--pty` and `--new-session`: whose terminal the command has, who gets its keys, and who waits.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use nix::sys::signal::Signal;
use std::process::Command;
use tests::leak::{name, state};
use tests::pty::{INTERRUPT, SUSPEND};
use tests::{Pty, Run, Sandbox, each, eventually};

const NEW: &str = "unshare-rs -pum";

fn in_pivot(sandbox: &Sandbox, links: &str, options: &str, script: &str) -> Run {
    sandbox.run(&format!("{links} pivot {options} rootfs sh -c")).arg(script)
}

#[test]
fn the_terminal_is_one_of_the_new_root_and_leads_a_session() {
    for (sandbox, links) in [(Sandbox::root(), NEW), (Some(Sandbox::user()), "unshare-rs -Urpum")] {
        let Some(sandbox) = sandbox else { continue };
        let script =
            "tty; readlink /proc/$$/fd/0; cut -d' ' -f5-8 /proc/$$/stat; : >/dev/tty; echo $$; echo end";
        for options in ["--pty", "--pty --confine"] {
            let mut terminal = Pty::start(&in_pivot(&sandbox, links, options, script));
            let shown = terminal.until("end").replace('\r', "");
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines[0], "/dev/pts/0", "{options}: {shown:?}");
            let facts: Vec<&str> = lines[2].split(' ').collect();
            assert!(facts[0] == facts[1] && facts[0] == facts[3] && facts[2] != "0", "{options}: {shown:?}");
            // Process 1 is the one that waits.
            assert_eq!(lines[3], "2");
            assert_eq!(terminal.done(), 0);
        }
    }
}

#[test]
fn the_user_owns_the_terminal() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "stat -c '%u %g %a' $(tty); echo open >$(tty); id -u; echo end";
    let mut terminal = Pty::start(&in_pivot(&sandbox, NEW, "--pty --user 1000", script));
    let shown = terminal.until("end").replace('\r', "");
    assert_eq!(shown, "1000 5 620\nopen\n1000\n");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn without_terminals_of_its_own_it_is_one_of_the_old_root() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script =
        "test -t 0 && test -t 1 && test -t 2 && : >/proc/self/fd/1; cut -d' ' -f7 /proc/self/stat; echo end";
    let mut terminal = Pty::start(&in_pivot(&sandbox, NEW, "--pty --bare --bind /proc:/proc", script));
    terminal.until("end");
    assert_eq!(terminal.done(), 0);
    // A device of the root is no terminal, whatever its name.
    let hostile = Sandbox::root().unwrap().with_own_root();
    std::fs::create_dir_all(hostile.path("rootfs/dev/pts")).unwrap();
    for node in ["c 1 3", "c 1 5", "p", "c 5 2"] {
        hostile.run(&format!("mknod rootfs/dev/pts/ptmx {node}")).done().is(0);
        let mut terminal =
            Pty::start(&in_pivot(&hostile, NEW, "--pty --bare", "test -t 0 && echo is; echo end"));
        terminal.until("is");
        assert_eq!(terminal.done(), 0, "{node}");
        std::fs::remove_file(hostile.path("rootfs/dev/pts/ptmx")).unwrap();
    }
}

#[test]
fn the_status_is_the_commands() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("exit 7", 7),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
        ("exec /none", 127),
        ("exec /etc", 126),
    ];
    for links in [NEW, "", "unshare-rs -pm --init"] {
        each(rows, |(script, status)| {
            for options in ["--pty", "--new-session", "--pty --confine"] {
                // Process 1 cannot kill itself.
                if links != NEW || options != "--new-session" || status < 128 {
                    in_pivot(&sandbox, links, options, script).done().is(status);
                }
            }
        });
        sandbox.run(&format!("{links} pivot --pty rootfs no-such-program")).done().is(127);
        sandbox
            .run(&format!("{links} pivot --pty --user none rootfs true"))
            .done()
            .is(125)
            .complains_as("pivot");
    }
}

#[test]
fn keys_are_signals_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "trap 'echo taken; exit 3' INT; echo ready; while :; do :; done";
    for links in [NEW, ""] {
        let mut terminal = Pty::start(&in_pivot(&sandbox, links, "--pty", script));
        terminal.until("ready");
        terminal.keys(INTERRUPT);
        terminal.until("taken");
        assert_eq!(terminal.done(), 3);
    }
}

#[test]
fn job_control_is_that_of_the_shell_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    for options in ["--pty", "--pty --confine --user 1000"] {
        let mut terminal = Pty::start(&sandbox.run(&format!("{NEW} pivot {options} rootfs sh -i")));
        terminal.line("sh -c 'echo r''uns; exec sleep 1000'");
        terminal.until("runs");
        terminal.keys(SUSPEND);
        terminal.until("Stopped");
        terminal.line("echo a''gain; fg");
        terminal.until("again");
        terminal.until("sleep 1000");
        terminal.keys(INTERRUPT);
        terminal.until("\r\n/ ");
        terminal.line("echo left $?");
        terminal.until("left 130");
        terminal.line("exit 4");
        terminal.line("exit 4");
        assert_eq!(terminal.done(), 4);
    }
}

#[test]
fn a_whole_job_with_a_shared_terminal_is_stopped_and_continued_under_confinement() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mut terminal = Pty::start(&sandbox.run("bash -i"));
    terminal.line(&format!("{NEW} pivot --confine --env CHAIN_TEST rootfs sleep 1000"));
    let runs = || sandbox.marker().processes().into_iter().find(|pid| name(*pid).as_deref() == Some("sleep"));
    eventually("the command runs", || runs().is_some());
    let inner = runs().unwrap();
    terminal.keys(SUSPEND);
    terminal.until("Stopped");
    eventually("it stands still", || state(inner) == Some('T'));
    terminal.line("fg");
    eventually("it goes on", || state(inner) == Some('S'));
    terminal.keys(INTERRUPT);
    terminal.until("# ");
    terminal.line("echo left $?");
    terminal.until("left 130");
    terminal.line("exit 0");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn a_new_session_has_no_terminal_and_still_ends_by_its_keys() {
    let Some(sandbox) = Sandbox::root() else { return };
    for links in [NEW, "", "unshare-rs -m --fork"] {
        let script =
            "cut -d' ' -f5,6,7 /proc/self/stat; (: >/dev/tty) 2>/dev/null || echo none; sleep 1000; exit 3";
        let options = "--new-session --bind /proc:/proc --seccomp-deny @tiocsti";
        let mut terminal = Pty::start(&in_pivot(&sandbox, links, options, script));
        let shown = terminal.until("none");
        assert!(shown.trim().ends_with(" 0"), "{links}: {shown:?}");
        terminal.keys(INTERRUPT);
        assert_eq!(terminal.done(), 130, "{links}");
    }
}

#[test]
fn a_session_that_is_not_enough_is_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let says = |options: &str| {
        let mut terminal = Pty::start(&in_pivot(&sandbox, NEW, options, "echo end"));
        let shown = terminal.until("end");
        assert_eq!(terminal.done(), 0);
        shown.contains("hint: CAP_SYS_ADMIN, which CMD keeps")
    };
    let rows = [
        ("--new-session", true),
        ("--new-session --cap-drop net_raw", true),
        ("--new-session --cap-drop sys_admin", false),
        ("--new-session --seccomp-deny @tiocsti", false),
        ("--new-session --pty", false),
        ("--new-session --confine", false),
        ("--new-session=no", false),
    ];
    each(rows, |(options, expected)| assert_eq!(says(options), expected, "{options}"));
}

/// CVE-2017-5226: TIOCSTI, also with high bits that the kernel does not look at (CVE-2019-10063).
#[test]
fn nothing_is_typed_into_the_callers_terminal() {
    let Some(sandbox) = Sandbox::root() else { return };
    let may_push =
        std::fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").is_ok_and(|value| value.trim() == "1");
    if Command::new("perl").arg("-e1").status().is_err() || !may_push {
        return tests::skip("it takes perl, and dev.tty.legacy_tiocsti=1");
    }
    let system = "--bind /usr:/usr:ro --bind /lib:/lib:ro --bind /lib64:/lib64:ro";
    for request in ["0x5412", "0x100005412", "0xffffffff00005412"] {
        let number = if cfg!(target_arch = "x86_64") { 16 } else { 29 };
        let attack =
            format!(r#"for (split //, "owned\n") {{ my $c = $_; syscall({number}, 0, {request}, $c) }}"#);
        for (options, got) in [
            ("", "owned"),
            ("--confine", "typed"),
            ("--pty", "typed"),
            ("--seccomp-deny @tiocsti", "typed"),
            ("--confine --pty", "typed"),
        ] {
            let script = format!(
                "{NEW} pivot {options} {system} rootfs perl -e '{attack}'; echo ready; read line; echo got:$line."
            );
            let mut terminal = Pty::start(&sandbox.run("sh -c").arg(script));
            terminal.until("ready");
            terminal.line("typed");
            terminal.until(&format!("got:{got}."));
            assert_eq!(terminal.done(), 0);
        }
    }
}

#[test]
fn the_one_that_waits_cannot_be_looked_into_and_reaps() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "for f in exe root cwd fd/0 mem maps environ; do
            cat /proc/1/$f 2>/dev/null >/dev/null && echo read $f; ls /proc/1/$f/ 2>/dev/null >/dev/null && echo listed $f; done
        probe orphans 3 >/dev/null; while pid=$(pidof probe); do kill -KILL $pid 2>/dev/null; done; while ps | grep -q '[[]probe'; do :; done; echo end";
    let run = in_pivot(&sandbox, NEW, "--pty --confine", script);
    assert_eq!(run.done().is(0).text().replace('\r', ""), "end");
}

#[test]
fn no_descriptor_of_the_caller_is_held_by_the_one_that_waits() {
    let Some(sandbox) = Sandbox::root() else { return };
    // The reader sees the end of the pipe while the command runs: nobody has the other side any more.
    let script = "mkfifo pipe; (exec 9>pipe; exec pivot --pty rootfs sleep 1000) & (cat pipe; echo over); kill $!; wait $!";
    assert_eq!(sandbox.run("sh -c").arg(script).done().is(143).text(), "over");
}

#[test]
fn the_end_of_either_is_the_end_of_both() {
    let Some(sandbox) = Sandbox::root() else { return };
    for options in ["--pty", "--new-session", "--pty --user 1000"] {
        for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL] {
            let job = sandbox.run(&format!("pivot {options} rootfs probe hold")).start();
            job.until("ready");
            let inner = sandbox.inner("probe");
            job.signal(signal);
            eventually("the command ends", || matches!(state(inner), None | Some('Z')));
            let expected = if signal == Signal::SIGKILL { -9 } else { 128 + signal as i32 };
            assert_eq!(job.done().status, expected, "{options} {signal}");
        }
    }
}

#[test]
fn signals_that_the_caller_ignores_can_be_made_to_count_again() {
    let Some(sandbox) = Sandbox::root() else { return };
    let ignored = |options: &str| {
        let line = format!(
            "trap '' HUP INT QUIT; exec unshare-rs -pum pivot {options} rootfs grep SigIgn /proc/self/status"
        );
        sandbox.shell(&line).done().is(0).quiet().text()
    };
    assert!(ignored("").ends_with('7'));
    for options in ["--default-signals", "--confine --default-signals", "--default-signals --user nobody"] {
        assert_eq!(ignored(options), "SigIgn:\t0000000000000000", "{options}");
    }
    assert!(ignored("--default-signals --default-signals=no").ends_with('7'));
}
