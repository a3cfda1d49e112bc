//! `stat`.

use crate::support::{Groups, has_v2};
use std::fs;
use tests::patience;
use tests::wait::becomes;

#[test]
fn what_is_used_is_told_beside_what_may_be_used() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9 cpu=0.5").done().is(0).quiet();
    let job = groups
        .cgctl("exec a -- sh -c")
        .arg("x=$(head -c 8000000 /dev/zero | tr '\\0' x); echo ready; read -r x")
        .stdin_pipe()
        .start();
    job.until("ready");
    let found = &groups.objects("stat --json a")[0];
    assert_eq!(found["group"], "a");
    assert_eq!(
        (&found["processes"], &found["populated"], &found["frozen"]),
        (&1.into(), &true.into(), &false.into())
    );
    assert_eq!(found["memory"]["limit"], 32 << 20);
    let number = |name: &str| found["memory"][name].as_u64().unwrap();
    assert!((8_000_000..32 << 20).contains(&number("current")), "{found}");
    assert!(number("anon") >= 8_000_000 && number("anon") <= number("current"), "{found}");
    assert_eq!((&found["memory"]["oom_kill"], &found["memory"]["limit_reached"]), (&0.into(), &0.into()));
    assert_eq!((&found["pids"]["current"], &found["pids"]["limit"]), (&1.into(), &9.into()));
    assert_eq!((&found["cpu"]["limit"], found["pids"]["refused"].as_u64()), (&0.5.into(), Some(0)));
    if has_v2() {
        assert!(found["cpu"]["usage_usec"].as_u64().unwrap() > 0, "{found}");
    }
    let text = groups.cgctl("stat a").done().is(0).quiet().text();
    assert!(text.starts_with("a\n  processes  1\n  memory     "), "{text}");
    assert!(text.contains(" of 32M (") && text.contains("\n  pids       1 of 9 (11%)"), "{text}");
    assert!(
        text.contains("limit 0.5\n") && text.contains("\n  oom        killed 0, limit reached 0"),
        "{text}"
    );
}

#[test]
fn what_the_limits_did_is_told() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=16M pids=2").done().is(0).quiet();
    groups.cgctl("exec a -- probe memhog 60000000").done();
    groups.cgctl("exec a -- sh -c").arg("sleep 0 & sleep 0 & sleep 0 & wait").done();
    let found = &groups.objects("stat --json a")[0];
    assert_eq!(found["memory"]["oom_kill"], 1, "{found}");
    assert!(found["pids"]["refused"].as_u64().unwrap() >= 1, "{found}");
    assert!(found["memory"]["peak"].as_u64().is_none_or(|peak| peak > 15 << 20), "{found}");
    let text = groups.cgctl("stat a").done().is(0).quiet().text();
    assert!(text.contains("killed 1, ") && text.contains(", refused "), "{text}");
}

#[test]
fn throttled_time_is_told() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a cpu=0.05").done().is(0).quiet();
    let job = groups.cgctl("exec a -- sh -c").arg("echo ready; while :; do :; done").start();
    job.until("ready");
    let throttled = || groups.objects("stat --json a")[0]["cpu"]["throttled"].as_u64().unwrap_or(0) > 0;
    assert!(becomes(patience(30), throttled));
    let text = groups.cgctl("stat a").done().is(0).text();
    assert!(text.contains("throttled in "), "{text}");
}

#[test]
fn without_a_name_there_is_a_paragraph_for_each_group() {
    let Some(groups) = Groups::new() else { return };
    for name in ["a", "a/b", "c"] {
        groups.cgctl("new").arg(name).done().is(0).quiet();
    }
    let text = groups.cgctl("stat").done().is(0).quiet().text();
    let heads: Vec<&str> = text.split("\n\n").map(|part| part.lines().next().unwrap()).collect();
    assert_eq!(heads, ["a", "a/b", "c"]);
    assert_eq!(groups.objects("stat --json").len(), 3);
    assert_eq!(groups.objects("stat --json c a").len(), 2);
}

#[test]
fn pressure_is_told_where_the_kernel_measures_it() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let is_measured = groups.with("a", "memory.pressure").is_some_and(|file| fs::read(file).is_ok());
    let found = &groups.objects("stat --json a")[0];
    assert_eq!(found["pressure"]["memory"]["some"]["avg10"].is_number(), is_measured, "{found}");
    assert_eq!(found["pressure"].is_null(), !is_measured, "{found}");
}
