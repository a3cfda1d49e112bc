//! `--toolbox`: tools for a container that has none, which is not changed by it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use tests::{Job, Outcome, Sandbox, bin, each, eventually, leak};

/// How a container with a root directory of one static program is made; ROOT is that, HOLD the program.
const ROOT: &str = "unshare-rs -pumin pivot ROOT HOLD";
const USER: &str = "unshare-rs -Urpumin pivot ROOT HOLD";

/// A container in a sandbox, and what it looked like before.
struct Container<'a> {
    sandbox: &'a Sandbox,
    pid: Pid,
    before: String,
    _job: Job,
}

impl<'a> Container<'a> {
    fn new(sandbox: &'a Sandbox, line: &str) -> Self {
        Self::with(sandbox, line, |_| {})
    }

    /// With more in its root directory.
    fn with(sandbox: &'a Sandbox, line: &str, fill: impl FnOnce(&Path)) -> Self {
        let root = sandbox.path("root");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).unwrap();
        tests::program::copy(bin("probe"), root.join("hold"));
        let owner = sandbox.dir().metadata().unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&owner);
        chown(&root, Some(owner), Some(owner)).unwrap();
        fill(&root);
        let line = line.replace("ROOT", root.to_str().unwrap()).replace("HOLD", "/hold hold");
        let job =
            if line.contains('\n') { sandbox.shell(&line) } else { sandbox.run(&line) }.limit(60).start();
        job.until("ready");
        let pid = sandbox.inner("hold");
        let before = looks(pid, &root);
        Container { sandbox, pid, before, _job: job }
    }

    /// nsenter-rs with the words of `line`, where TARGET is replaced, and then `script` for a shell.
    fn enter(&self, line: &str, script: &str) -> Outcome {
        let line = format!("nsenter-rs {}", line.replace("TARGET", &self.pid.to_string()));
        let run = self.sandbox.run(&line);
        if script.is_empty() { run } else { run.args(["sh", "-c", script]) }.done()
    }

    #[track_caller]
    fn out(&self, line: &str, script: &str) -> String {
        let text = self.enter(line, script).is(0).quiet().text();
        self.is_unchanged();
        text
    }

    #[track_caller]
    fn is_unchanged(&self) {
        let now = looks(self.pid, &self.sandbox.path("root"));
        let missing: Vec<_> =
            self.before.lines().filter(|line| !now.lines().any(|other| other == *line)).collect();
        let new: Vec<_> =
            now.lines().filter(|line| !self.before.lines().any(|other| other == *line)).collect();
        assert!(now == self.before, "the container has changed: no more {missing:#?}, but {new:#?}");
    }
}

/// Everything that could show a trace: the mounts of a process, every file of its root directory and of the directory
/// that this is, with sizes, owners, times and link counts.
fn looks(pid: Pid, root: &Path) -> String {
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    let inside = format!("/proc/{pid}/root/.");
    let list = std::process::Command::new("find")
        .args([&inside, root.to_str().unwrap()])
        .args(["-xdev", "-printf", "%D %p %i %m %n %U %G %s %t %c %l\\n"])
        .output()
        .unwrap();
    assert!(list.status.success());
    // Not the roots of other file systems: the link count of a /proc is that of its processes.
    let list = String::from_utf8(list.stdout).unwrap();
    let device = list.split(' ').next().unwrap();
    let list: Vec<&str> = list.lines().filter(|line| line.split(' ').next() == Some(device)).collect();
    assert!(list.len() > 1);
    format!("{mounts}{}", list.join("\n"))
}

#[test]
fn a_container_of_one_file_gets_tools_and_a_shell() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::new(&sandbox, ROOT);
    let text = container.out("-t TARGET -a --toolbox", "ps; ls -a /; ip addr; cat /proc/$$/mountinfo");
    // Nothing is left below the new root.
    assert_eq!(text.lines().filter(|line| line.split(' ').nth(4) == Some("/")).count(), 1, "{text}");
    for part in ["/hold hold", ".toolbox", "127.0.0.1", "sh"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text =
        sandbox.run("nsenter-rs --toolbox -t").arg(container.pid.to_string()).stdin(b"echo $0; exit 3\n");
    assert_eq!(text.done().is(3).text(), "/.toolbox/sh");
    container.is_unchanged();
    assert!(!sandbox.path("root/.toolbox").exists());
}

#[test]
fn a_user_gets_into_the_own_container() {
    let sandbox = Sandbox::user();
    let container = Container::new(&sandbox, USER);
    let text = container.out("-t TARGET -a --toolbox", "ps | grep -c hold; id -u; stat -c %u /.toolbox/sh /");
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["0", "0", "0"], "{text}");
    let text = container.out("-t TARGET --toolbox --preserve-credentials", "echo $PATH");
    assert!(text.ends_with(":/.toolbox"), "{text}");
}

#[test]
fn root_gets_into_a_users_container_and_the_tools_are_roots_there() {
    let Some(_) = Sandbox::root() else { return };
    let sandbox = Sandbox::user();
    let container = Container::new(&sandbox, USER);
    let tool = bin("nsenter-rs");
    let enter = |script: &str| {
        let mut command = std::process::Command::new(&tool);
        command.args(["-t", &container.pid.to_string(), "-a", "--toolbox", "sh", "-c", script]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(enter("id -u; stat -c %u:%g /.toolbox/busybox /.toolbox /"), "0\n0:0\n0:0\n0:0\n");
    assert_eq!(enter("umount /.toolbox 2>/dev/null || umount /proc 2>/dev/null || echo locked"), "locked\n");
    container.is_unchanged();
}

#[test]
fn ids_of_a_range_are_mapped_too() {
    let Some(sandbox) = Sandbox::root() else { return };
    let line =
        "unshare-rs --map-users 0:200000:65536 --map-groups 0:200000:65536 -S0 -G0 -pum pivot ROOT HOLD";
    let container = Container::with(&sandbox, line, |root| {
        chown(root, Some(200_000), Some(200_000)).unwrap();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    });
    fs::create_dir(sandbox.path("tools")).unwrap();
    for tool in ["sh", "stat"] {
        tests::program::copy("/bin/busybox", sandbox.path("tools").join(tool));
    }
    for option in ["--toolbox", "--toolbox=tools"] {
        let text = container.out(&format!("-t TARGET -a {option}"), "stat -c %u:%g / /.toolbox /.toolbox/sh");
        assert_eq!(text, "0:0\n0:0\n0:0", "{option}");
    }
}

#[test]
fn a_read_only_root_with_peers_stays_as_it_is() {
    let Some(sandbox) = Sandbox::root() else { return };
    let line = "unshare-rs -pm sh -euc 'mount --bind ROOT ROOT; cd ROOT; pivot_root . .; /busybox umount -l .
        /busybox mount -t proc proc /proc; /busybox mount -o remount,bind,ro /
        /busybox mount --make-rshared /; exec HOLD'\n";
    let container = Container::with(&sandbox, line, |root| {
        tests::program::copy("/bin/busybox", root.join("busybox"));
        fs::create_dir(root.join("proc")).unwrap();
    });
    let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", container.pid)).unwrap();
    assert!(mounts.contains(" / / ") || mounts.contains("shared:"), "{mounts}");
    assert!(mounts.lines().all(|line| line.contains(" shared:")), "{mounts}");
    assert_eq!(
        container.out("-t TARGET -a --toolbox", "test -x /.toolbox/sh && ps | grep -c '/[h]old'"),
        "1"
    );
    let refused =
        container.enter("-t TARGET -a --toolbox", "touch /x || touch /.toolbox/x || mkdir /y").is(1);
    assert_eq!(refused.talk().matches("Read-only file system").count(), 3, "{refused}");
    container.is_unchanged();
}

#[test]
fn every_kind_of_name_in_the_root_stays_usable() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::with(&sandbox, ROOT, |root| {
        fs::create_dir_all(root.join("sub/deep")).unwrap();
        fs::write(root.join("sub/deep/file"), "deep").unwrap();
        symlink("sub/deep", root.join("link")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        fs::write(root.join("odd \n\u{1b}name"), "odd").unwrap();
        fs::write(root.join(".hidden"), "hidden").unwrap();
        drop(UnixListener::bind(root.join("socket")).unwrap());
        nix::unistd::mkfifo(&root.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    });
    let script =
        r#"cat link/file .hidden odd*; readlink dangling; stat -c %F socket fifo; echo new >sub/new"#;
    let text = container.enter("-t TARGET -a --toolbox", script).is(0).quiet().text();
    assert_eq!(text, "deephiddenoddnowhere\nsocket\nfifo");
    // What is in the container's directories is the container's.
    assert_eq!(fs::read_to_string(sandbox.path("root/sub/new")).unwrap(), "new\n");
}

#[test]
fn a_place_that_exists_is_covered_and_others_are_made() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::with(&sandbox, ROOT, |root| {
        fs::create_dir_all(root.join("there")).unwrap();
        fs::write(root.join("there/mine"), "").unwrap();
        fs::create_dir_all(root.join("opt/else")).unwrap();
        fs::write(root.join("opt/file"), "").unwrap();
        fs::write(root.join("file"), "").unwrap();
        symlink("opt", root.join("link")).unwrap();
    });
    let out = |place: &str, script: &str| container.out(&format!("-t TARGET -a --toolbox=:{place}"), script);
    assert_eq!(
        out("/there", "test -x /there/sh; ls -d /there/mine 2>&1; ls -ad /.toolbox 2>&1; ls /opt")
            .lines()
            .last(),
        Some("file")
    );
    assert_eq!(
        out("/opt/new/t", "test -x /opt/new/t/sh && ls /opt; ls /opt/new; echo $PATH | tail -c 12"),
        "else\nfile\nnew\nt\n:/opt/new/t"
    );
    for (place, reason) in
        [("/file", "/file is no directory"), ("/link/x", "/link is no directory"), ("/file/x", "/file is")]
    {
        let refused = container.enter(&format!("-t TARGET -a --toolbox=:{place}"), "echo in").is(125);
        assert!(refused.clone().complains_as("nsenter-rs").says(reason).text().is_empty(), "{refused}");
    }
    container.is_unchanged();
}

#[test]
fn a_directory_is_brought_with_its_mounts_read_only() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::new(&sandbox, ROOT);
    let bring = format!("-t {} -a --toolbox=tools:/nix", container.pid);
    let script = format!(
        "mkdir -p tools/bin tools/more; cp /bin/busybox tools/bin/sh; cp /bin/busybox tools/bin/cat
         mount -t tmpfs tmpfs tools/more; echo more >tools/more/file; touch ns
         until unshare-rs --mount=ns true 2>/dev/null; do :; done; mkdir tools/pinned; touch tools/pinned/mnt; mount --bind ns tools/pinned/mnt
         nsenter-rs {bring} sh -c 'cat /nix/more/file; echo x 2>/dev/null >/nix/more/new || echo read-only; echo $PATH'
         grep -c ' /nix' /proc/{}/mountinfo || :",
        container.pid
    );
    // A mount namespace can be kept on a file of a private mount only, and not of a newer mount namespace; Linux 6.18
    // takes one for newer that was made on another processor.
    let text = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0).quiet().text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[1], lines[3]), ("more", "read-only", "0"));
    assert!(lines[2].ends_with(":/nix:/nix/bin"), "{text}");
    container.is_unchanged();
}

#[test]
fn path_is_the_targets_and_then_the_toolbox() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::new(&sandbox, &ROOT.replace("ROOT", "--env PATH=/a:/b ROOT"));
    assert_eq!(container.out("-t TARGET -a --toolbox", "echo $PATH"), "/a:/b:/.toolbox");
    assert_eq!(container.out("-t TARGET -a -e --toolbox=:/t", "echo $PATH"), "/a:/b:/t");
}

#[test]
fn it_starts_where_it_is_told_to() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script =
        "unshare-rs -m sh -euc 'cd ROOT/sub; exec chroot ROOT /busybox sh -c \"cd /sub; exec HOLD\"'\n";
    let container = Container::with(&sandbox, script, |root| {
        tests::program::copy("/bin/busybox", root.join("busybox"));
        fs::create_dir(root.join("sub")).unwrap();
    });
    for (option, place) in [("", "/"), ("-w", "/sub"), ("-W/sub", "/sub"), ("-r", "/")] {
        let line = format!("-t TARGET -a {option} --toolbox");
        // The root directory is that of a process which has only used chroot(2).
        assert_eq!(container.out(&line, "pwd; ls /"), format!("{place}\nbusybox\nhold\nsub"), "{option}");
    }
}

#[test]
fn it_takes_no_mount_namespace_of_the_targets_own() {
    let Some(sandbox) = Sandbox::root() else { return };
    let job = sandbox.run("unshare-rs -u probe hold").start();
    job.until("ready");
    let target = sandbox.inner("probe");
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = format!("nsenter-rs -t {target} -a --toolbox /.toolbox/busybox readlink /proc/self/ns/uts");
    let uts = sandbox.run(&line).done().is(0).text();
    assert_eq!(Path::new(&uts), fs::read_link(format!("/proc/{target}/ns/uts")).unwrap());
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}

#[test]
fn nothing_remains_when_it_is_killed() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::new(&sandbox, ROOT);
    let line = format!("nsenter-rs -t {} -a --toolbox sh -c", container.pid);
    let job = sandbox.run(&line).arg("echo in; sleep 1000").start();
    job.until("in");
    job.signal(Signal::SIGKILL);
    eventually("its processes are gone", || {
        let alive = |pid: &&Pid| leak::name(**pid).is_some_and(|name| name == "sh" || name == "sleep");
        sandbox.marker().processes().iter().filter(alive).count() == 0
    });
    container.is_unchanged();
}

#[test]
fn what_is_wrong_is_said() {
    let Some(sandbox) = Sandbox::root() else { return };
    let container = Container::new(&sandbox, ROOT);
    let says = |line: &str, reason: &str, hint: &str| {
        let refused =
            container.enter(line, "echo in").is(125).complains_as("nsenter-rs").says(reason).says(hint);
        assert!(refused.text().is_empty(), "{refused}");
    };
    each(
        [
            ("-a --toolbox", "cannot", "-t PID"),
            ("-t 2147483647 -a --toolbox", "there is none of this number", ""),
            ("-t TARGET -a --toolbox=/no/such", "cannot use /no/such as a toolbox: No such file", ""),
            ("-t TARGET -a --toolbox=/dev/null", "neither a directory nor a program", ""),
            ("-t TARGET -a --toolbox=/a:/b/../c", "..", ""),
            ("-t TARGET -a --toolbox=:/", "root directory", ""),
            ("-t TARGET -a --root=/tmp --toolbox", "--root=DIR", ""),
        ],
        |(line, reason, hint)| says(line, reason, hint),
    );
    let user = Sandbox::user();
    let line = format!("nsenter-rs -t {} -a --toolbox true", container.pid);
    user.run(&line).done().is(125).complains_as("nsenter-rs").says("hint: run it as root");
    // A host without busybox.
    let script = format!("mount --bind /dev/null /bin/busybox; exec {line}");
    let refused = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(125).complains_as("nsenter-rs");
    refused.says("there is no static busybox").says("apt-get install busybox-static");
    container.is_unchanged();
}
