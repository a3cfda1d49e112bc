//! Exit statuses and error messages: every link, every way to fail.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Mutex;
use tests::{Outcome, Run, Sandbox, each};

/// A link in front of a command: what a test can say about all of them alike.
struct Link {
    tool: &'static str,
    /// The line up to the command; PID is a process to join.
    line: &'static str,
    /// It stays and waits, instead of becoming the command.
    waits: bool,
    needs_root: bool,
    /// The command is the init of a pid namespace.
    is_init: bool,
}

const LINKS: [Link; 10] = [
    Link { tool: "unshare-rs", line: "unshare-rs -u", waits: false, needs_root: true, is_init: false },
    Link { tool: "unshare-rs", line: "unshare-rs -p", waits: true, needs_root: true, is_init: true },
    Link {
        tool: "unshare-rs",
        line: "unshare-rs -Ur --fork",
        waits: true,
        needs_root: false,
        is_init: false,
    },
    Link { tool: "pivot", line: "pivot rootfs", waits: false, needs_root: true, is_init: false },
    Link {
        tool: "pivot",
        line: "unshare-rs -Urpum pivot rootfs",
        waits: true,
        needs_root: false,
        is_init: true,
    },
    Link { tool: "pivot", line: "pivot --bare rootfs", waits: false, needs_root: true, is_init: false },
    Link { tool: "cgctl", line: "cgctl new pids=100 --", waits: true, needs_root: true, is_init: false },
    Link { tool: "nsenter-rs", line: "nsenter-rs -t PID -u", waits: false, needs_root: true, is_init: false },
    Link { tool: "netns", line: "netns new --", waits: false, needs_root: true, is_init: false },
    Link {
        tool: "pivot",
        line: "cgctl new m=64M -- unshare-rs -pum pivot rootfs",
        waits: true,
        needs_root: true,
        is_init: true,
    },
];

impl Link {
    fn sandbox(&self) -> Option<Sandbox> {
        let sandbox = if self.needs_root { Sandbox::root()? } else { Sandbox::user() };
        make_files(&sandbox);
        Some(sandbox)
    }

    fn run(&self, sandbox: &Sandbox) -> Run {
        sandbox.run(&self.line.replace("PID", &std::process::id().to_string()))
    }
}

/// The same files here and in the root directory: a relative name finds them from both.
fn make_files(sandbox: &Sandbox) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    for dir in ["files", "rootfs/files"].into_iter().filter(|dir| !sandbox.path(dir).exists()) {
        fs::create_dir(sandbox.path(dir)).unwrap();
        sandbox.file(&format!("{dir}/plain"), "no execute bit", 0o644);
        sandbox.file(&format!("{dir}/garbage"), "\x01\x02\x03", 0o755);
        sandbox.file(&format!("{dir}/script"), "#!/no/such/interpreter -x\n", 0o755);
        sandbox.file(&format!("{dir}/text"), "echo no mark\n", 0o755);
        symlink("/no/such/target", sandbox.path(dir).join("dangling")).unwrap();
    }
}

#[test]
fn a_command_that_cannot_run_is_126_or_127_and_says_why() {
    let rows = [
        ("no-such-program", 127, "cannot run no-such-program: not found in PATH"),
        ("files/missing", 127, "cannot run files/missing: no such file"),
        ("files/plain/below", 127, "cannot run files/plain/below: "),
        ("", 127, "cannot run '': "),
        ("files/plain", 126, "cannot run files/plain: Permission denied"),
        ("./files", 126, "cannot run ./files: it is a directory"),
        ("files/garbage", 126, "cannot run files/garbage: Exec format error"),
        ("files/text", 126, "a shell script runs as `sh FILE`"),
        ("files/script", 126, "cannot run files/script: /no/such/interpreter, which it needs, is missing"),
        ("files/dangling", 126, "cannot run files/dangling: it is a link to a missing file"),
        ("files/\x1b[2Jx", 127, r"cannot run 'files/\x1b[2Jx': no such file"),
    ];
    each(&LINKS, |link| {
        let Some(sandbox) = link.sandbox() else { return };
        each(rows, |(command, status, part)| {
            let outcome = link.run(&sandbox).arg(command).done();
            outcome.is(status).says(part).complains_as(link.tool);
        });
    });
}

#[test]
fn the_status_of_the_command_is_passed_on() {
    each(&LINKS, |link| {
        let Some(sandbox) = link.sandbox() else { return };
        each([0, 1, 7, 125, 255], |status| {
            let run = link.run(&sandbox).args(["sh", "-c"]).arg(format!("exit {status}"));
            run.done().is(status).quiet();
        });
    });
}

#[test]
fn a_command_killed_by_signal_n_is_128_and_n() {
    each(&LINKS, |link| {
        let Some(sandbox) = link.sandbox() else { return };
        // An init cannot kill itself, so the shell that does is a child where there is a pid namespace.
        each([9, 15, 10], |n| {
            let script = format!("sh -c 'kill -{n} $$'; exit $?");
            link.run(&sandbox).args(["sh", "-c"]).arg(script).done().is(128 + n);
        });
        if !link.is_init {
            let status = if link.waits { 143 } else { -15 };
            link.run(&sandbox).args(["sh", "-c", "kill -TERM $$"]).done().is(status);
        }
    });
}

/// Runs a line and checks that it is refused with status 125 and one line from the tool that it starts with.
fn refused(sandbox: &Sandbox, line: &str, part: &str) -> Outcome {
    let tool = line.split(' ').next().unwrap().to_owned();
    sandbox.run(line).done().is(125).says(part).complains_as(&tool)
}

#[test]
fn misuse_is_125_and_says_what_is_wrong() {
    let sandbox = Sandbox::own();
    fs::write(sandbox.path("file"), "").unwrap();
    let rows = [
        ("unshare-rs --bogus true", "--bogus"),
        ("unshare-rs -pq true", "-q"),
        ("unshare-rs -m --propagation=odd true", "odd"),
        ("unshare-rs --map-users=x true", "x"),
        ("unshare-rs --hostname= true", "host name"),
        ("unshare-rs --net=/no/such/dir/file true", "/no/such/dir/file"),
        ("pivot", "missing"),
        ("pivot --bogus rootfs true", "--bogus"),
        ("pivot missing true", "missing"),
        ("pivot file true", "file"),
        ("pivot / true", "/"),
        ("pivot rootfs/../../../../../../../.. true", "/"),
        ("pivot --bind nothing rootfs true", "nothing"),
        ("pivot --bind missing:/mnt rootfs true", "missing"),
        ("pivot --env =x rootfs true", "=x"),
        ("cgctl", "verb"),
        ("cgctl bogus", "bogus"),
        ("cgctl new --bogus m=64M -- true", "--bogus"),
        ("cgctl new m=64X -- true", "m"),
        ("cgctl new m= -- true", "m"),
        ("cgctl new m=-1 -- true", "m"),
        ("cgctl new cpu=-1 -- true", "cpu"),
        ("cgctl new cpu=abc -- true", "cpu"),
        ("cgctl new pids=0x10 -- true", "pids"),
        ("cgctl new pids=99999999999999999999999 -- true", "pids"),
        ("cgctl new weight=0 -- true", "weight"),
        ("cgctl new weight=10001 -- true", "weight"),
        ("cgctl new unknown=1 -- true", "unknown"),
        ("cgctl new ../escape m=64M -- true", "../escape"),
        ("cgctl new a/../../b m=64M -- true", ".."),
        ("cgctl new m=64M m=32M -- true", "m"),
        ("nsenter-rs --bogus true", "--bogus"),
        ("nsenter-rs -t x -u true", "x"),
        ("nsenter-rs -t 999999999 -u true", "999999999"),
        ("nsenter-rs -t 0 -u true", "0"),
        ("netns", "verb"),
        ("netns bogus", "bogus"),
        ("netns new --bogus -- true", "--bogus"),
        ("netns add", "missing"),
        ("netns add ../escape", "../escape"),
        ("netns exec chain-test-missing true", "chain-test-missing"),
    ];
    each(rows, |(line, part)| drop(refused(&sandbox, line, part)));
}

#[test]
fn names_cannot_move_the_cursor() {
    let sandbox = Sandbox::own();
    let odd = "\u{1b}[31m\n\u{202e}x";
    let lines = [
        "pivot",
        "unshare-rs --propagation",
        "nsenter-rs -t",
        "cgctl",
        "netns",
        "cgctl new",
        "pivot --chdir",
    ];
    each(lines, |line| {
        let tool = line.split(' ').next().unwrap();
        sandbox.run(line).arg(odd).done().is(125).complains_as(tool);
    });
    let value = format!("m={odd}");
    sandbox.run("cgctl new").args([&value, "--", "true"]).done().is(125).complains_as("cgctl");
}

#[test]
fn without_rights_it_is_125_and_a_hint_names_the_cure() {
    let sandbox = Sandbox::user();
    let join = format!("nsenter-rs -t {} -m true", std::process::id());
    let rows = [
        ("unshare-rs -m true", "-Ur"),
        ("unshare-rs -pum true", "-Ur"),
        ("unshare-rs --hostname x true", "-Ur"),
        ("pivot rootfs true", "-Ur"),
        ("cgctl new m=64M -- true", "root"),
        ("netns new -- true", "hint: "),
        (&join, if tests::is_root() { "root" } else { "cannot" }),
    ];
    each(rows, |(line, part)| drop(refused(&sandbox, line, part)));
}

#[test]
fn help_and_version_are_0_and_on_standard_output() {
    let sandbox = Sandbox::own();
    each(tests::tools::TOOLS, |tool| {
        let help = sandbox.run(tool).arg("--help").done().is(0).quiet();
        assert!(help.text().contains("Usage: ") && help.text().contains(tool), "{help}");
        let short = sandbox.run(tool).arg("-h").done();
        assert!(short.status == 0 && short.err.is_empty(), "{short}");
        let version = sandbox.run(tool).arg("--version").done().is(0).quiet();
        assert_eq!(version.text(), format!("{tool} {}", env!("CARGO_PKG_VERSION")));
        let full = sandbox.shell(&format!("{tool} --help >/dev/full")).done();
        full.is(125).says("No space left on device").complains_as(tool);
    });
}

#[test]
fn a_closed_standard_error_changes_no_status() {
    let sandbox = Sandbox::own();
    for (line, status) in
        [("unshare-rs --bogus", 125), ("unshare-rs no-such-program", 127), ("cgctl bogus", 125)]
    {
        let closed = sandbox.run("sh -c").arg(format!("exec 2>&-; {line}")).done();
        assert_eq!(closed.status, status, "{closed}");
        let full = sandbox.run("sh -c").arg(format!("exec 2>/dev/full; {line}")).done();
        assert_eq!(full.status, status, "{full}");
    }
}

#[test]
fn closed_standard_descriptors_do_no_harm() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(["<&-", "<&- >&-", "<&- >&- 2>&-"], |closed| {
        each(LINKS.iter().filter(|link| link.tool != "nsenter-rs"), |link| {
            let line = link.line;
            sandbox.run("sh -c").arg(format!("{line} sh -c 'exit 7' {closed}")).done().is(7);
        });
    });
}
