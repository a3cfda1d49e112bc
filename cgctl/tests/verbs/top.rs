//! `top`.

use crate::support::Groups;
use nix::sys::signal::{Signal, kill};
use tests::pty::{INTERRUPT, SUSPEND};
use tests::{Job, Pty, each};

/// The end of what is shown last when the screen is given back.
const RESTORED: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

fn busy(groups: &Groups, name: &str) -> Job {
    let job = groups.cgctl(&format!("exec {name} -- sh -c")).arg("echo ready; while :; do :; done").start();
    job.until("ready");
    job
}

fn top(groups: &Groups, script: &str) -> Pty {
    let run = groups.run("sh -c").arg(script).env("TERM", "xterm").env("NO_COLOR", "1");
    Pty::start(&run)
}

#[test]
fn a_script_gets_tables() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a cpu=0.2 m=32M pids=9").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    groups.cgctl("new c m=32M").done().is(0).quiet();
    let _busy = busy(&groups, "a");
    let text = groups.cgctl("top --batch --number 2 --delay 0.3").done().is(0).quiet().text();
    let tables: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(tables.len(), 2, "{text}");
    let lines: Vec<Vec<&str>> = tables[1].lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "CPU%", "MEMORY", "PIDS", "IO/S"]);
    assert_eq!(lines.len(), 4);
    assert!(lines[1][2].ends_with("/32M") && lines[1][3] == "1/9", "{text}");
    let found = groups.objects("top -n 1 -d 0.5 --json");
    if !found[0]["cpu_percent"].is_null() {
        assert_eq!(found[0]["group"], "a");
        let percent = found[0]["cpu_percent"].as_f64().unwrap();
        assert!((1.0..60.0).contains(&percent), "{percent}");
    }
    assert_eq!(found[0]["cpu_limit_percent"], 20.0);
}

#[test]
fn tables_are_sorted_and_drawn_as_a_tree() {
    let Some(groups) = Groups::new() else { return };
    for name in ["a", "a/b", "c", "d"] {
        groups.cgctl("new").arg(name).arg("pids=9").done().is(0).quiet();
    }
    let (_one, _two, _three) = (groups.hold("c"), groups.hold("c"), groups.hold("a/b"));
    let names = |words: &str| {
        let text = groups.cgctl(&format!("top -b -n1 -d 50ms {words}")).done().is(0).quiet().text();
        let name = |line: &str| line.split("   ").next().unwrap().trim().to_owned();
        text.lines().skip(1).map(name).collect::<Vec<String>>()
    };
    assert_eq!(names("--sort name"), ["a", "a/b", "c", "d"]);
    assert_eq!(names("--sort pids")[0], "c");
    assert_eq!(names("-s name --tree"), ["a", "`- b", "c", "d"]);
}

#[test]
fn without_a_terminal_there_is_one_table() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let text = groups.cgctl("top -d 0.1").done().is(0).quiet().text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
    let mut pty = top(&groups, "TERM=dumb exec cgctl top -d 0.1");
    pty.until("NAME");
    assert_eq!(pty.done(), 0);
    assert!(!pty.text().contains('\x1b'), "{:?}", pty.text());
}

#[test]
fn keys_sort_and_end_it() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9").done().is(0).quiet();
    let mut pty = top(&groups, "stty rows 24 cols 80; cgctl top; echo status $?");
    pty.until("by cpu");
    pty.until("OF LIMIT");
    for (key, order) in [("m", "memory"), ("i", "io"), ("p", "pids"), ("n", "name"), ("c", "cpu")] {
        pty.keys(key);
        pty.until(&format!("by {order}"));
    }
    pty.keys("t");
    pty.until("t list");
    pty.keys("+");
    pty.until("every 5s");
    pty.keys("-");
    pty.until("every 2s");
    pty.keys("x\x1b[A\x1b[B");
    pty.keys("q");
    pty.until(RESTORED);
    pty.until("status 0");
    assert_eq!(pty.done(), 0);
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let show = "stty -a | tr ' ;' '\\n' | grep -x -e '-*icanon' -e '-*echo' | tr '\\n' ' '";
    each(["^C", "TERM", "HUP", "q"], |how| {
        let script = format!("trap : INT; stty echo; {show}; cgctl top; echo status $?; {show}; echo end");
        let mut pty = top(&groups, &script);
        let before = pty.until("\x1b[?1049h");
        pty.until("q quit");
        let child = pty.foreground();
        let cgctl = tests::leak::children(child)
            .into_iter()
            .find(|pid| tests::leak::name(*pid).as_deref() == Some("cgctl"));
        match how {
            "^C" => pty.keys(INTERRUPT),
            "TERM" => kill(cgctl.unwrap(), Signal::SIGTERM).unwrap(),
            "HUP" => kill(cgctl.unwrap(), Signal::SIGHUP).unwrap(),
            _ => pty.keys("q"),
        }
        pty.until(RESTORED);
        let status = match how {
            "^C" => 130,
            "TERM" => 143,
            "HUP" => 129,
            _ => 0,
        };
        pty.until(&format!("status {status}\r\n"));
        assert_eq!(pty.until("end").trim(), before.trim(), "{how}");
        assert_eq!(pty.done(), 0);
    });
}

#[test]
fn it_stops_and_goes_on_with_the_shells_job_control() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let mut pty = top(&groups, "exec bash --norc -i");
    pty.line("PS1='$ '; cgctl top");
    pty.until("q quit");
    pty.keys(SUSPEND);
    pty.until(RESTORED);
    pty.until("Stopped");
    pty.line("echo modes $(stty -a | grep -o -e ' icanon') here");
    pty.until("modes icanon here");
    pty.line("fg");
    pty.until("\x1b[?1049h");
    pty.until("q quit");
    pty.keys("q");
    pty.until(RESTORED);
    pty.line("exit");
    pty.done();
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a-group-with-a-name m=32M pids=9").done().is(0).quiet();
    let mut pty = top(&groups, "stty rows 24 cols 80; exec cgctl top");
    pty.until("a-group-with");
    let tty = std::fs::read_link(format!("/proc/{}/fd/0", pty.pid())).unwrap();
    std::process::Command::new("stty")
        .arg("-F")
        .arg(tty)
        .args(["rows", "10", "cols", "30"])
        .status()
        .unwrap();
    pty.until("cgctl top: 1 group, 0 processe\r");
    let narrow = pty.until("a-group-with");
    assert!(!narrow.contains("OF LIMIT") && narrow.contains("CPU%"), "{narrow:?}");
    pty.keys("q");
    assert_eq!(pty.done(), 0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let Some(groups) = Groups::new() else { return };
    for words in ["top -d 0", "top -d 10ms", "top -d x", "top -n x", "top --sort colour", "top a"] {
        groups.cgctl(words).done().is(125).complains_as("cgctl");
    }
}
