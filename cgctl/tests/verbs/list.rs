//! `ls` and `pids`.

use crate::support::Groups;
use nix::sys::signal::Signal::SIGTERM;
use tests::each;

#[test]
fn groups_are_listed_as_a_tree_with_what_is_in_them() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    groups.cgctl("new c").done().is(0).quiet();
    let (outer, inner) = (groups.hold("a"), groups.hold("a/b"));
    let expected = format!("a\n|- {} probe\n`- b\n   `- {} probe\nc", outer.pid(), inner.pid());
    assert_eq!(groups.cgctl("ls").done().is(0).quiet().text(), expected);
    let expected = format!("a/b\n`- {} probe", inner.pid());
    assert_eq!(groups.cgctl("ls a/b").done().is(0).quiet().text(), expected);
    let lines = groups.cgctl("ls a").env("LANG", "C.UTF-8").done().is(0).text();
    assert!(lines.contains("├─ ") && lines.contains("└─ b"), "{lines}");
}

#[test]
fn ls_has_an_object_for_each_group() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9").done().is(0).quiet();
    let job = groups.hold("a");
    let found = groups.objects("ls --json");
    assert_eq!(found.len(), 1);
    let directories: Vec<_> = groups.directories("a");
    assert_eq!(found[0]["group"], "a");
    assert_eq!(found[0]["stays"], true);
    assert_eq!(found[0]["owner"], serde_json::Value::Null);
    assert_eq!(found[0]["frozen"], false);
    assert_eq!(found[0]["processes"], serde_json::json!([{ "pid": job.pid().as_raw(), "comm": "probe" }]));
    let told = found[0]["directories"].as_array().unwrap();
    assert_eq!(told.len(), directories.len());
    assert!(directories.iter().all(|directory| told.iter().any(|one| one == directory.to_str().unwrap())));
}

#[test]
fn groups_without_a_name_are_listed_when_asked_for_with_their_owner() {
    let Some(groups) = Groups::new() else { return };
    let job = groups.cgctl("new pids=9 -- probe hold").start();
    job.until("ready");
    assert_eq!(groups.cgctl("ls").done().is(0).quiet().text(), "");
    let text = groups.cgctl("ls -a").done().is(0).quiet().text();
    let first = format!("cgctl.run-{0}  in use by cgctl {0}\n", job.pid());
    assert!(text.starts_with(&first), "{text}");
    assert_eq!(groups.objects("ls --all --json")[0]["owner"], job.pid().as_raw());
}

#[test]
fn names_in_the_usual_place_are_found_as_they_are_listed() {
    let Some(groups) = Groups::new() else { return };
    let job = groups.sandbox.run("cgctl new pids=9 -- probe hold").start();
    job.until("ready");
    let name = format!("run-{}", job.pid());
    let listed = groups.sandbox.run("cgctl ls --all").done().is(0).text();
    assert!(listed.lines().any(|line| line.starts_with(&format!("{name}  in use by cgctl "))), "{listed}");
    let child = groups.sandbox.run("cgctl pids").arg(&name).done().is(0).quiet().text();
    assert_eq!(child, groups.sandbox.inner("probe").to_string());
    job.signal(SIGTERM);
    job.done().is(143);
}

#[test]
fn processes_are_listed_with_and_without_those_of_the_groups_inside() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    assert_eq!(groups.cgctl("pids a").done().is(0).quiet().text(), "");
    let mut pids = [groups.hold("a"), groups.hold("a/b")].map(|job| (job.pid().as_raw(), job));
    assert_eq!(groups.cgctl("pids a").done().is(0).quiet().text(), pids[0].0.to_string());
    pids.sort_by_key(|(pid, _)| *pid);
    let both = format!("{}\n{}", pids[0].0, pids[1].0);
    assert_eq!(groups.cgctl("pids -r a").done().is(0).quiet().text(), both);
    let objects = groups.objects("pids --recursive --json a");
    assert_eq!(objects[1], serde_json::json!({ "pid": pids[1].0, "comm": "probe" }));
}

#[test]
fn what_is_not_there_is_told_by_every_verb() {
    let Some(groups) = Groups::new() else { return };
    let verbs = ["ls", "stat", "pids", "freeze", "thaw", "kill", "wait", "events", "rm", "rm --kill", "move"];
    each(verbs, |verb| {
        let run = groups.cgctl(verb).arg("no such\n");
        let run = if verb == "move" { run.arg("1") } else { run };
        let done = run.done().is(125).complains_as("cgctl");
        let message = "cgctl: cannot find group 'no such\\x0a': there is no such group\n";
        assert!(done.talk().starts_with(message), "{done}");
    });
}
