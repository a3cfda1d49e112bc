//! The terminal of the caller: what is pushed into its input is what he seems to have typed.

use crate::Canary;
use tests::{Pty, Sandbox};

/// Runs the attack on a terminal, and then a program that reads a line from it: what comes of the attack, and the line.
fn attack(sandbox: &Sandbox, link: &str, call: &str) -> (String, String) {
    let script = format!(
        "stty -icanon min 0 time 5; {link} rootfs probe try {call}; printf 'typed=<'; dd bs=9 count=1 2>/dev/null; echo '>'"
    );
    let mut pty = Pty::start(&sandbox.run("sh -c").arg(script));
    let said = pty.until("typed=<");
    let typed = pty.until(">");
    assert_eq!(pty.done(), 0);
    (said.lines().last().unwrap_or_default().trim().to_owned(), typed.trim().to_owned())
}

/// Whether this kernel has the attack at all: dev.tty.legacy_tiocsti.
fn can_be_attacked(sandbox: &Sandbox) -> bool {
    let works = attack(sandbox, "unshare-rs -pum pivot", "key 0") == ("ok".into(), "x".into());
    if !works {
        tests::skip("the kernel lets nobody push input into a terminal (dev.tty.legacy_tiocsti)");
    }
    works
}

/// CVE-2017-5226 and CVE-2019-10063 (bubblewrap, flatpak): TIOCSTI, also with bits in the upper half of its number,
/// which a filter that compares 64 bits does not know.
#[test]
fn nothing_can_be_typed_into_the_callers_terminal() {
    let Some(canary) = Canary::new() else { return };
    if !can_be_attacked(&canary.0) {
        return;
    }
    let confined = "unshare-rs -pum pivot --confine";
    let links =
        [confined.to_owned(), format!("{confined} --new-session=no"), format!("{confined} --user 4321:4321")];
    for link in &links {
        for high in [0, 1, u32::MAX] {
            let (said, typed) = attack(&canary.0, link, &format!("key {high}"));
            assert_eq!((said.as_str(), typed.as_str()), ("EPERM", ""), "{link} {high}");
            let (said, _) = attack(&canary.0, link, &format!("paste {high}"));
            assert!(["EPERM", "ENOTTY"].contains(&said.as_str()), "{link} {high}: {said}");
        }
    }
}

/// With a terminal of its own a program can only type into that.
#[test]
fn what_is_typed_into_a_terminal_of_its_own_stays_there() {
    let Some(canary) = Canary::new() else { return };
    if !can_be_attacked(&canary.0) {
        return;
    }
    for link in ["unshare-rs -pum pivot --pty", "unshare-rs -pum pivot --confine --pty --seccomp none"] {
        let (_, typed) = attack(&canary.0, link, "key 0");
        assert_eq!(typed, "", "{link}");
    }
    // A new session alone is no defence against CAP_SYS_ADMIN, which pivot takes from nobody unasked.
    let (said, typed) = attack(&canary.0, "unshare-rs -pum pivot --new-session", "key 0");
    assert_eq!((said.as_str(), typed.as_str()), ("ok", "x"));
    let link = "unshare-rs -pum pivot --new-session --cap-drop sys_admin";
    assert_eq!(attack(&canary.0, link, "key 0"), ("EPERM".into(), String::new()));
}
