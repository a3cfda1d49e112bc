//! The course: every block of every page is run, and prints what the page shows.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tests::tools::workspace;
use tests::{Outcome, Pty, Sandbox, each};

/// A machine has one of the two versions of control groups that can limit memory.
const VERSIONS: [&str; 2] = ["v1", "v2"];

fn source() -> PathBuf {
    workspace().join("shell-scripts/walkthrough")
}

/// The numbers of the pages.
fn pages() -> Vec<String> {
    let names =
        fs::read_dir(source()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut numbers: Vec<String> =
        names.filter_map(|name| Some(name.split_once('-')?.0.to_owned())).collect();
    numbers.sort();
    assert_eq!(numbers.concat(), "01234567");
    numbers
}

/// `play`, where `make install` puts it.
fn play(sandbox: &Sandbox) -> PathBuf {
    sandbox.dir().parent().unwrap().join("share/chain/walkthrough/play")
}

fn check(sandbox: &Sandbox, page: &str) -> Outcome {
    sandbox.run("sh").arg(play(sandbox)).args(["--check", page]).limit(180).done()
}

/// Asserts that a page is right, and that nothing was left out but for want of one of these.
fn is_right(done: &Outcome, but_for: &[&str]) {
    let allowed =
        |line: &str| but_for.iter().any(|what| line.ends_with(&format!(": not run here: it needs {what}")));
    assert!(done.status == 0 && done.text().lines().all(allowed), "{}\n{done}", done.text());
}

/// A test of its own, for kernels that have the other version, but no nftables.
#[test]
fn the_page_of_control_groups_shows_what_is_printed() {
    let Some(sandbox) = Sandbox::root() else { return };
    is_right(&check(&sandbox, "4"), &VERSIONS);
}

#[test]
fn every_page_shows_what_is_printed() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(pages(), |page| is_right(&check(&sandbox, &page), &VERSIONS));
}

#[test]
fn an_ordinary_user_sees_all_that_needs_no_root() {
    let sandbox = Sandbox::user();
    each(pages(), |page| is_right(&check(&sandbox, &page), &["root", "v1", "v2"]));
}

/// Where the shell, and `ip` and `unshare` in it, are those of busybox.
#[test]
fn every_page_runs_under_busybox() {
    let Some(sandbox) = Sandbox::root() else { return };
    fs::create_dir(sandbox.path("busybox")).unwrap();
    symlink("/bin/busybox", sandbox.path("busybox/sh")).unwrap();
    each(pages(), |page| {
        let script = "PATH=$PWD/busybox:$PATH; exec sh \"$0\" --check \"$1\"";
        let done = sandbox.shell(script).arg(play(&sandbox)).arg(&page).limit(180).done();
        is_right(&done, &["gnu-tar", "iproute2", "util-linux", "v1", "v2"]);
    });
}

/// The leak check of the sandbox sees to processes, links and groups.
#[test]
fn nothing_of_the_host_is_changed() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file(
        "page.md",
        "```sh\nhostname x; mount -t tmpfs none /mnt; netns add x; touch /run/x\n```\n",
        0o644,
    );
    // In namespaces that no other test changes meanwhile.
    let look = "hostname; ls -A /run /mnt; cut -d' ' -f5- /proc/self/mountinfo; cat /proc/net/dev";
    let apart = "mount -t tmpfs none /run; look=$0; before=$(sh -c \"$look\"); sh \"$1\" --check page.md
        test \"$before\" = \"$(sh -c \"$look\")\"";
    let apart = sandbox.run("unshare-rs -numi sh -euc").args([apart, look]).arg(play(&sandbox));
    apart.done().is(0).quiet();
    assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), 2, "page.md and rootfs");
}

/// The tests above can fail.
#[test]
fn a_page_that_is_wrong_is_told() {
    let sandbox = Sandbox::own();
    let rows = [
        ("```text\none\ntwo\n```\n", true),
        ("\n```text\none\ntwo\n```\n", true),
        ("```text\no...\n...\n```\n", true),
        ("```text\n...\none\n...\ntwo\n...\n```\n", true),
        ("```text\n...\n```\n", true),
        ("```text\none\n```\n", false),
        ("```text\ntwo\none\n```\n", false),
        ("```text\none...two\n```\n", false),
        ("```text\nonetwo\n```\n", false),
        ("```text\n.ne\ntwo\n```\n", false),
        ("Text.\n```text\none\ntwo\n```\n", false),
        ("", false),
    ];
    each(rows, |(shown, right)| {
        sandbox.file("page.md", format!("Text.\n\n```sh\necho one; echo two\n```\n{shown}"), 0o644);
        let told = check(&sandbox, "page.md").is(i32::from(!right)).text();
        let first = told.lines().next();
        assert_eq!(first, (!right).then_some("page.md:3: the output is not what the page shows"), "{shown}");
    });
    sandbox.file("page.md", "```sh\nfalse\n```\n```sh magic\nfalse\n```\n", 0o644);
    let told = check(&sandbox, "page.md").is(1).text();
    assert_eq!(told, "page.md:1: status 1\npage.md:4: not run here: it needs magic");
}

#[test]
fn a_wrong_line_is_told() {
    let sandbox = Sandbox::own();
    let rows: [(&[&str], &str); 5] = [
        (&[], "PAGE is missing"),
        (&["--quick", "1"], "unknown option --quick"),
        (&["1", "2"], "unexpected operand 2"),
        (&["99"], "cannot find page 99: no such file"),
        (&["."], "cannot find page .: no such file"),
    ];
    each(rows, |(words, reason)| {
        sandbox.run("sh").arg(play(&sandbox)).args(words).done().is(125).complains_as("play").says(reason);
    });
}

#[test]
fn a_reader_goes_step_by_step() {
    let sandbox = Sandbox::own();
    let page = "# Title\n\n```sh\nword=seen; echo is $word\n```\n```text\nhidden\n```\n\n```sh\necho $word again\n```\n";
    sandbox.file("page.md", page, 0o644);
    let mut terminal =
        Pty::start(&sandbox.run("sh").arg(play(&sandbox)).arg("page.md").env("SHELL", "/bin/sh"));
    terminal.until("# Title");
    terminal.until("[Enter runs it");
    terminal.line("s");
    terminal.line("echo $((40 + 2)); exit");
    terminal.until("42");
    // The terminal is given back: what is typed next is read here.
    terminal.until("[Enter] ");
    terminal.line("");
    assert!(!terminal.until("is seen").contains("hidden"));
    terminal.until("echo $word again");
    terminal.until("[Enter] ");
    terminal.line("");
    terminal.until("seen again");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn a_reader_can_leave() {
    let sandbox = Sandbox::own();
    sandbox.file("page.md", "```sh\nsleep 100\n```\n", 0o644);
    each([("q\n", 0), (tests::pty::INTERRUPT, 130)], |(keys, status)| {
        let mut terminal = Pty::start(&sandbox.run("sh").arg(play(&sandbox)).arg("page.md"));
        terminal.until("the end] ");
        terminal.keys(keys);
        assert_eq!(terminal.done(), status);
    });
}

#[test]
fn links_of_the_course_lead_to_pages() {
    let pages = fs::read_dir(source()).unwrap().map(|entry| entry.unwrap().path());
    for page in pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            assert!(source().join(target.0).is_file(), "{} leads to {}", page.display(), target.0);
        }
    }
}
