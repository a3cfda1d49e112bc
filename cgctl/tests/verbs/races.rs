//! `kill -9` at any moment, and many at once: nothing remains, and nothing of others is touched.

use crate::support::{Groups, alone};
use nix::sys::signal::{
    Signal::{SIGKILL, SIGTERM},
    kill,
};
use std::thread::scope;
use tests::{Job, Outcome, Random, leak};

/// Groups of somebody else, who would notice.
struct Others {
    stays: Job,
    owned: Job,
    usual: Job,
    groups: Groups,
}

impl Others {
    fn new() -> Option<Self> {
        let groups = Groups::new()?;
        groups.cgctl("new stays m=32M pids=9").done().is(0).quiet();
        groups.cgctl("new stays/inside").done().is(0).quiet();
        let stays = groups.hold("stays");
        let start = |run: tests::Run| {
            let job = run.start();
            job.until("ready");
            job
        };
        let owned = start(groups.cgctl("new owned m=32M -- probe hold"));
        let usual = start(groups.sandbox.run("cgctl new m=32M -- probe hold"));
        Some(Others { groups, stays, owned, usual })
    }

    #[track_caller]
    fn end(self) {
        self.are_as_before();
        for (job, status) in [(self.stays, -15), (self.owned, 143), (self.usual, 143)] {
            job.signal(SIGTERM);
            job.done().is(status).quiet();
        }
    }

    #[track_caller]
    fn are_as_before(&self) {
        for job in [&self.stays, &self.owned, &self.usual] {
            assert!(!matches!(leak::state(job.pid()), None | Some('Z')), "a process of others was killed");
        }
        assert_eq!(self.groups.cgctl("pids stays").done().is(0).text(), self.stays.pid().to_string());
        assert!(!self.groups.directories("stays/inside").is_empty());
        assert_eq!(self.groups.cgctl("pids owned").done().is(0).text().lines().count(), 1);
    }
}

const HOLD: &str = "probe hold & setsid probe hold & exec probe hold";

/// Lines that are killed, `NAME` being a name of their own; `true` where the names begin in the usual place.
const LINES: [(&str, bool); 9] = [
    ("cgctl new NAME m=64M pids=50 -- sh -c", false),
    ("cgctl new NAME m=64M pids=50 -- sh -c", true),
    ("cgctl new m=64M pids=50 -- sh -c", false),
    ("cgctl new m=64M -- sh -c", true),
    ("cgctl new NAME m=64M -- cgctl new NAME m=32M -- sh -c", true),
    ("cgctl new NAME/b/c m=64M pids=50", false),
    ("cgctl rm --kill OLD", false),
    ("cgctl freeze OLD", false),
    ("cgctl gc", false),
];

/// The killed line may be that of a group that stays: so each has one, made before.
fn round(groups: &Groups, number: u64, random: &mut Random) -> Job {
    let (line, is_usual) = random.pick(&LINES);
    let name = format!("{}.{number}", groups.sandbox.name());
    let line = line.replace("NAME", &name).replace("OLD", &format!("{name}.old"));
    if line.contains(".old") {
        groups.cgctl("new").arg(format!("{name}.old")).args(["m=32M", "pids=20"]).done().is(0).quiet();
        groups
            .cgctl("exec")
            .arg(format!("{name}.old"))
            .args(["--", "sh", "-c"])
            .arg("setsid probe hold &")
            .done()
            .is(0);
    }
    let run = if is_usual { groups.sandbox.run(&line) } else { groups.run(&line) };
    let run = if line.ends_with("sh -c") { run.arg(HOLD) } else { run };
    run.start()
}

/// Kills cgctl, what it has started, or both.
fn strike(job: &Job, random: &mut Random) {
    random.pause(12_000);
    let children = leak::children(job.pid());
    let victims = match random.below(3) {
        0 => vec![job.pid()],
        1 => children,
        _ => children.into_iter().chain([job.pid()]).collect(),
    };
    for victim in victims {
        let _ = kill(victim, SIGKILL);
    }
}

fn kill_at_random(count: u64, batch: u64) {
    let _turn = alone();
    let Some(groups) = Groups::new() else { return };
    let mut random = Random::new();
    let mut done = 0;
    while done < count {
        let Some(others) = Others::new() else { return };
        for first in (done..done + batch).step_by(4) {
            let jobs: Vec<Job> =
                (first..first + 4).map(|number| round(&groups, number, &mut random)).collect();
            jobs.iter().for_each(|job| strike(job, &mut random));
            for job in jobs {
                let _ = kill(job.pid(), SIGKILL);
                job.done();
            }
        }
        done += batch;
        nothing_remains(&groups);
        others.end();
        println!("{done} killed");
    }
}

/// What has no owner is removed by gc; what stays, by its name.
fn nothing_remains(groups: &Groups) {
    let mut left = Vec::new();
    let gone = tests::wait::becomes(tests::patience(60), || {
        groups.sandbox.run("cgctl gc").done();
        // What has no owner and does not stay is for gc alone.
        for group in groups.objects("ls --all --json").iter().filter(|group| group["stays"] == true) {
            groups.cgctl("rm --kill --force").arg(group["group"].as_str().unwrap()).done();
        }
        let name = groups.sandbox.name();
        left =
            tests::cgroup::ours().into_iter().filter(|path| path.to_string_lossy().contains(name)).collect();
        let inside = groups.directories("").iter().any(|top| {
            std::fs::read_dir(top)
                .unwrap()
                .flatten()
                .any(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        });
        left.is_empty() && !inside && groups.sandbox.marker().processes().is_empty()
    });
    let processes = leak::describe(&groups.sandbox.marker().processes());
    assert!(gone, "{left:?} {:?} remain, and\n{processes}", groups.cgctl("ls -a").done().text());
}

#[test]
fn whatever_is_killed_at_any_moment_nothing_remains() {
    kill_at_random(if std::env::var_os("CHAIN_UML").is_some() { 24 } else { 120 }, 24);
}

/// `cargo test -p cgctl --test verbs -- --ignored --nocapture`: takes minutes.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_kills_leave_nothing() {
    kill_at_random(10_000, 100);
}

/// What may be said when somebody else does the same at the same time.
const EXPECTED: &[&str] = &[
    "it is in use by ",
    "it is there already",
    "there is no such group",
    " is in it",
    "somebody has removed it",
    "it has been removed",
    "so it takes no process itself",
    "hint: ",
];

fn check(done: &Outcome) {
    assert!([0, 125, 137].contains(&done.status), "{done}");
    for line in done.talk().lines() {
        assert!(EXPECTED.iter().any(|part| line.contains(part)), "{line}\n{done}");
    }
}

#[test]
fn many_can_make_and_remove_the_same_names() {
    let _turn = alone();
    let (Some(groups), Some(others)) = (Groups::new(), Others::new()) else { return };
    const LINES: [&str; 7] = [
        "cgctl new NAME m=64M pids=50 -- true",
        "cgctl new NAME m=64M -- true",
        "cgctl new NAME m=64M pids=50",
        "cgctl new NAME",
        "cgctl rm --force NAME",
        "cgctl rm --force --kill NAME",
        "cgctl gc",
    ];
    let rounds = if std::env::var_os("CHAIN_UML").is_some() { 6 } else { 40 };
    let seed = Random::new();
    scope(|threads| {
        for number in 0..6 {
            let (groups, seed) = (&groups, &seed);
            threads.spawn(move || {
                let mut random = seed.of_thread(number);
                for _ in 0..rounds {
                    let name = random.pick(&["a", "b", "a/c"]);
                    check(&groups.run(&random.pick(&LINES).replace("NAME", name)).done());
                }
            });
        }
    });
    groups.cgctl("rm --force a b").done().is(0).quiet();
    nothing_remains(&groups);
    others.end();
}
