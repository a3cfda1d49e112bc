//! Programs of the root that are after the host: its tools, its rights.

use crate::Canary;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use tests::tools::TOOLS;
use tests::{Job, Sandbox, bin, each, eventually, leak};

/// Nothing of the root is opened but to become it.
#[test]
fn a_command_that_is_a_fifo_is_not_waited_for() {
    let Some(canary) = Canary::new() else { return };
    let fifo = canary.path("rootfs/bin/fifo");
    mknodat(CWD, fifo, FileType::Fifo, Mode::from(0o755), 0).unwrap();
    for command in ["fifo", "/bin/fifo"] {
        canary.0.run("pivot rootfs").arg(command).limit(5).done().is(126).complains_as("pivot");
    }
}

/// The kernel runs this file by the program that asks for it, which then complains to one who does not listen.
const EVIL: &str = "#!/proc/self/exe --no-such-option\n";

/// A tool that stands still in a hostile root, and its file, as an accomplice outside of the container holds it.
struct Stuck {
    job: Job,
    pid: nix::unistd::Pid,
    file: OwnedFd,
    _full: fs::File,
}

impl Stuck {
    fn start(sandbox: &Sandbox, line: &str) -> Self {
        let fifo = sandbox.path("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::from(0o666), 0).unwrap();
        fs::set_permissions(&fifo, fs::Permissions::from_mode(0o666)).unwrap();
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let mut full =
            fs::File::options().read(true).write(true).custom_flags(nonblocking).open(&fifo).unwrap();
        while full.write(&[b'.'; 4096]).is_ok() {}
        let job = sandbox.shell(&format!("exec 2>fifo; {line}")).start();
        let is_evil = |pid: &nix::unistd::Pid| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"/proc/self/exe\0"))
        };
        let found = || sandbox.marker().processes().into_iter().find(is_evil);
        eventually("the kernel runs the tool by a script", || found().is_some());
        let pid = found().unwrap();
        let file = open(format!("/proc/{pid}/exe"), OFlags::PATH, Mode::empty()).unwrap();
        Stuck { job, pid, file, _full: full }
    }

    /// Tries to write the file, once nobody runs it any more.
    fn can_be_written(self) -> bool {
        let way = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        nix::sys::signal::kill(self.pid, nix::sys::signal::SIGKILL).unwrap();
        eventually("the tool has died", || leak::state(self.pid).is_none_or(|state| state == 'Z'));
        drop(self.job);
        let mut result = fs::File::options().append(true).open(&way);
        eventually("nobody runs the file", || {
            result = fs::File::options().append(true).open(&way);
            !result.as_ref().is_err_and(|e| e.kind() == ErrorKind::ExecutableFileBusy)
        });
        result.and_then(|mut file| file.write_all(b"pwned")).is_ok()
    }
}

/// A sandbox with a hostile root, and copies of the tools that may be lost.
fn with_copies(sandbox: Sandbox) -> Sandbox {
    let sandbox = sandbox.with_own_root();
    sandbox.file("rootfs/evil", EVIL, 0o755);
    for tool in ["pivot", "unshare-rs"] {
        sandbox.file(&format!("copy-{tool}"), fs::read(bin(tool)).unwrap(), 0o755);
    }
    sandbox
}

/// CVE-2019-5736 (runc): the program that enters the root is run there once more, by a script, and is written when it
/// has ended.
#[test]
fn the_own_file_cannot_be_written_from_inside() {
    let lines = [
        "exec unshare-rs -pum ./copy-pivot rootfs /evil",
        // Not the first there, so that the mount namespace may have others in it.
        "unshare-rs -pum sh -c 'true; ./copy-pivot rootfs /evil; true'",
        // In the mount namespace that is left behind something is open for writing.
        "exec unshare-rs -pum sh -c 'exec ./copy-pivot rootfs /evil >out'",
        "exec unshare -m sh -ec 'mkdir m; mount -t tmpfs x m; cp copy-pivot m/b; exec unshare-rs -pum m/b rootfs /evil'",
        "exec unshare -m sh -ec '>b; mount --bind copy-pivot b; exec unshare-rs -pum ./b rootfs /evil'",
    ];
    each(lines, |line| {
        let Some(sandbox) = Sandbox::root() else { return };
        let sandbox = with_copies(sandbox);
        let stuck = Stuck::start(&sandbox, line);
        let enter = format!(
            "nsenter-rs -t {} -m -p /bin/probe try loosen /proc/{}/exe",
            stuck.pid,
            inner_pid(&stuck)
        );
        assert_eq!(sandbox.run(&enter).done().is(0).text(), "none", "{line}");
        assert!(!stuck.can_be_written(), "{line}");
        assert_eq!(fs::read(sandbox.path("copy-pivot")).unwrap(), fs::read(bin("pivot")).unwrap());
    });
}

/// Its pid in its own pid namespace, proc_pid_status(5).
fn inner_pid(stuck: &Stuck) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", stuck.pid)).unwrap();
    let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    pids.split_whitespace().next_back().unwrap().to_owned()
}

/// What the test above would show without that protection.
#[test]
fn a_file_without_that_protection_is_written() {
    let Some(sandbox) = Sandbox::root() else { return };
    let sandbox = with_copies(sandbox);
    let line = "exec unshare-rs -pum ./copy-unshare-rs --root rootfs --mount-proc=/proc /evil";
    assert!(Stuck::start(&sandbox, line).can_be_written());
    assert_ne!(fs::read(sandbox.path("copy-unshare-rs")).unwrap(), fs::read(bin("unshare-rs")).unwrap());
}

/// The same by a user who owns the file.
#[test]
fn the_own_file_of_a_user_cannot_be_written_from_inside() {
    for line in [
        "exec unshare-rs -rpum ./copy-pivot rootfs /evil",
        "exec unshare-rs -rpm sh -c 'true; ./copy-pivot rootfs /evil'",
    ] {
        let sandbox = with_copies(Sandbox::user());
        assert!(!Stuck::start(&sandbox, line).can_be_written(), "{line}");
        assert_eq!(fs::read(sandbox.path("copy-pivot")).unwrap(), fs::read(bin("pivot")).unwrap());
    }
}

#[test]
fn it_starts_again_only_where_the_file_could_be_written_and_is_not_left_behind() {
    let starts = |sandbox: &Sandbox, line: &str| {
        let line = format!("strace -f -qq -o calls -e trace=execveat {line}");
        sandbox.shell(&line).done().is(0);
        fs::read_to_string(sandbox.path("calls")).unwrap().matches("execveat(").count()
    };
    let own = with_copies(Sandbox::user());
    let others = with_copies(Sandbox::user());
    chown(others.path("copy-pivot"), Some(0), Some(0)).unwrap();
    for (sandbox, again) in [(&own, 1), (&others, 0)] {
        assert_eq!(starts(sandbox, "unshare-rs -rpum ./copy-pivot rootfs true"), 0);
        assert_eq!(starts(sandbox, "unshare-rs -rm ./copy-pivot rootfs true"), again);
    }
    let Some(root) = Sandbox::root() else { return };
    for (line, again) in [
        ("unshare-rs -pum pivot", 0),
        ("unshare-rs --init -pum pivot", 0),
        ("unshare-rs -m pivot", 1),
        ("pivot", 1),
    ] {
        assert_eq!(starts(&root, &format!("{line} rootfs true")), again, "{line}");
    }
}

/// CVE-2026-41163, CVE-2020-5291, CVE-2016-8659 (bubblewrap): rights that the file lends to everybody.
#[test]
fn no_tool_runs_with_lent_rights() {
    let Some(root) = Sandbox::root() else { return };
    let user = Sandbox::user();
    each(TOOLS, |tool| {
        let copy = root.file(tool, fs::read(bin(tool)).unwrap(), 0o755);
        let run = || user.run(copy.to_str().unwrap()).arg("--version").done();
        run().is(0).quiet();
        for mode in [0o4755, 0o2755] {
            fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).unwrap();
            run().is(125).complains_as(tool).says("a set-user-ID or set-group-ID bit, or file capabilities");
        }
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        for capability in ["cap_sys_admin+ep", "cap_sys_admin+p"] {
            root.run(&format!("setcap {capability}")).arg(&copy).done().is(0);
            run().is(125).complains_as(tool).says("hint: take them off its file");
        }
    });
}
