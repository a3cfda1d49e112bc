//! Hostile containers: what goes in must not be turned against the host that it comes from.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use tests::{Outcome, Run, Sandbox};

/// The kernel runs this file by the program that asked to run it, inside, over and over.
const EVIL: &str = "#!/proc/self/exe -w/\n";

/// Waits for such a program, keeps its file, kills it, and writes.
const ATTACK: &str = r#"
    until [ "${found:-}" ]; do
        for process in /proc/[0-9]*; do
            if grep -q ^/proc/self/exe $process/cmdline 2>/dev/null && exec 9<$process/exe; then
                found=$process; break
            fi
        done
    done 2>/dev/null
    kill -9 ${found#/proc/}
    while [ -e $found ]; do :; done
    mount -o remount,rw,bind /proc/self/fd/9 2>/dev/null
    tries=0
    until echo pwned >>/proc/self/fd/9 || [ $tries = 300 ]; do
        tries=$((tries + 1)); usleep 10000
    done 2>/dev/null
    [ $tries = 300 ] && echo refused || echo written
"#;

/// A copy of a tool that the test may lose.
fn canary(sandbox: &Sandbox, tool: &str, owner: Option<u32>) -> PathBuf {
    let file = sandbox.path(&format!("canary-{tool}"));
    tests::program::copy(tests::bin(tool), &file);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    chown(&file, owner, owner).unwrap();
    file
}

fn is_intact(canary: &Path, tool: &str) -> bool {
    fs::read(canary).unwrap() == fs::read(tests::bin(tool)).unwrap()
}

/// Runs the attack inside, beside the victim, whose end is that of the attack.
fn attack(sandbox: &Sandbox, target: &Target, victim: Run) -> Outcome {
    let victim = victim.start();
    let line = "-t T -a --preserve-credentials /bin/busybox sh -uc";
    let outcome = target.enter(sandbox, line).arg(ATTACK).done();
    victim.done();
    outcome.is(0)
}

fn container(sandbox: &Sandbox, options: &str) -> Target {
    sandbox.make_root("hostile");
    sandbox.file("hostile/evil", EVIL, 0o755);
    Target::start(sandbox, &format!("unshare-rs {options} pivot hostile"))
}

#[test]
fn the_own_program_cannot_be_written_from_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let canary = canary(&sandbox, "nsenter-rs", None);
    let target = container(&sandbox, "-pum");
    for options in ["-t T -a /evil", "-t T -m -p /evil"] {
        let victim = target.with(&sandbox, canary.to_str().unwrap(), options);
        assert_eq!(attack(&sandbox, &target, victim).text(), "refused", "{options}");
        assert!(is_intact(&canary, "nsenter-rs"), "{options}");
    }
}

#[test]
fn a_program_without_that_protection_is_written() {
    let Some(sandbox) = Sandbox::root() else { return };
    let canary = canary(&sandbox, "unshare-rs", None);
    let target = container(&sandbox, "-pum");
    // Util-linux's nsenter takes the directory of the host along, and with it the program in there.
    let line = format!("-t T -m -p -w{} ./canary-unshare-rs -w/ /evil", sandbox.dir().display());
    let victim = target.with(&sandbox, "nsenter", &line);
    assert_eq!(attack(&sandbox, &target, victim).text(), "written");
    assert!(!is_intact(&canary, "unshare-rs"));
}

#[test]
fn the_own_program_of_a_user_cannot_be_written_from_inside() {
    let sandbox = Sandbox::user();
    let user = fs::metadata(sandbox.dir()).unwrap().uid();
    let canary = canary(&sandbox, "nsenter-rs", Some(user));
    let target = container(&sandbox, "-rpum");
    let victim = target.with(&sandbox, canary.to_str().unwrap(), "-t T -a /evil");
    assert_eq!(attack(&sandbox, &target, victim).text(), "refused");
    assert!(is_intact(&canary, "nsenter-rs"));
}

/// How often the program starts itself again.
fn restarts(sandbox: &Sandbox, target: &Target, line: &str) -> usize {
    let run = target.with(sandbox, "strace", &format!("-f -qq -e trace=execveat -o calls {line}"));
    run.done().is(0);
    fs::read_to_string(sandbox.path("calls"))
        .unwrap()
        .lines()
        .filter(|line| line.contains("execveat("))
        .count()
}

#[test]
fn it_starts_again_only_where_the_root_changes_and_the_file_could_be_written() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum --mount-proc");
    for (options, expected) in [("-a", 1), ("-m", 1), ("-r", 1), ("-r/", 1), ("-u", 0), ("-p", 0), ("-uw", 0)]
    {
        let line = format!("nsenter-rs -t T {options} true");
        assert_eq!(restarts(&sandbox, &target, &line), expected, "{options}");
    }
    let user = Sandbox::user();
    let target = Target::start(&user, "unshare-rs -rpum --mount-proc");
    assert_eq!(restarts(&user, &target, "nsenter-rs -t T -a true"), 0);
    let own = fs::metadata(user.dir()).unwrap().uid();
    let own = canary(&user, "nsenter-rs", Some(own));
    assert_eq!(restarts(&user, &target, &format!("{} -t T -a true", own.display())), 1);
}

#[test]
fn its_name_stays_what_it_was() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum --mount-proc");
    let job = target.enter(&sandbox, "-t T -a cat").stdin_pipe().start();
    tests::eventually("the command runs", || tests::leak::children(job.pid()).len() == 1);
    assert_eq!(tests::leak::name(job.pid()).as_deref(), Some("nsenter-rs"));
}

#[test]
fn nothing_of_the_host_is_open_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum pivot rootfs");
    for options in ["-a", "-ac", "-ar", "-arw", "--like-target", "-m -p", "-ae -S follow"] {
        let script = "exec 7</ 9</etc/passwd 200<.; exec nsenter-rs \"$@\" probe report";
        let line = format!("-c {} bash -t T {options}", script.replace(' ', "\u{a0}"));
        let report = target.with(&sandbox, "bash", &line).done().is(0).json();
        let open: Vec<&String> = report["descriptors"].as_object().unwrap().keys().collect();
        assert_eq!(open, ["0", "1", "2"], "{options}: {report}");
    }
}

/// While it is in there, a process of the container cannot look into it, whatever it is allowed to.
#[test]
fn the_inside_cannot_look_into_it_before_the_command_runs() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -u");
    // The dynamic linker's view of when the command starts: the last state before its exec.
    let line = "-f -qq -e trace=prctl,setns,execve,setresuid -o calls nsenter-rs -t T -u -S 7 true";
    target.with(&sandbox, "strace", line).done().is(0);
    let calls = fs::read_to_string(sandbox.path("calls")).unwrap();
    let order: Vec<&str> = calls
        .lines()
        .filter_map(|call| {
            [
                "PR_SET_DUMPABLE, SUID_DUMP_DISABLE",
                "setns(",
                "setresuid(",
                "\"/usr/bin/true\"",
                "\"/bin/true\"",
            ]
            .into_iter()
            .find(|name| call.contains(name))
        })
        .collect();
    let (off, on) = ("PR_SET_DUMPABLE, SUID_DUMP_DISABLE", "setns(");
    assert_eq!(&order[..5], [off, on, off, "setresuid(", off], "{calls}");
    assert!(order[5..].iter().all(|call| call.contains("/true")), "{calls}");
}

#[test]
fn a_link_to_a_descriptor_leads_nowhere() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.make_root("hostile");
    for fd in 3..20 {
        symlink(format!("/proc/self/fd/{fd}"), sandbox.path(&format!("hostile/fd{fd}"))).unwrap();
    }
    let target = Target::start(&sandbox, "unshare-rs -pum pivot hostile");
    let mut refused = 0;
    for fd in 3..20 {
        let outcome = target.enter(&sandbox, &format!("-t T -ac -S follow -W/fd{fd} /bin/pwd")).done();
        let is_refused = outcome.status == 125;
        assert!(is_refused || outcome.text() == "/", "{outcome}");
        refused += u32::from(outcome.talk().contains("it is not below the root directory"));
        // As the command it is not even found: everything is closed by then.
        let program = target.enter(&sandbox, &format!("-t T -a /fd{fd}/bin/true")).done();
        assert!([126, 127].contains(&program.status), "{program}");
    }
    assert!(refused > 0, "none of them was a directory of the host");
}

#[test]
fn the_accounts_of_the_inside_cannot_keep_it_busy() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.make_root("hostile");
    let target = Target::start(&sandbox, "unshare-rs -pum pivot hostile");
    for make in ["mkfifo", "ln -s /dev/zero", "mkdir", "cp /bin/busybox"] {
        let script = format!("rm -rf /etc/passwd; {make} /etc/passwd");
        target.enter(&sandbox, "-t T -a sh -euc").arg(script).done().is(0);
        let shell = target.enter(&sandbox, "-t T -a").env("SHELL", "/no/such").stdin(b"echo $0\n");
        assert_eq!(shell.done().is(0).text(), "-sh", "{make}");
    }
}
