//! The table of keys against the kernel.

use crate::kept::Kept;
use serde_json::Value;
use tests::{Sandbox, each};

/// Something to set each key to.
const SAMPLES: [(&str, &str); 21] = [
    ("m", "64M"),
    ("swap", "1M"),
    ("mem.high", "48M"),
    ("mem.low", "1M"),
    ("mem.min", "4k"),
    ("swap.high", "1M"),
    ("zswap.max", "1M"),
    ("zswap.writeback", "0"),
    ("oom.group", "1"),
    ("cpu", "0.5"),
    ("cpu.burst", "0.25"),
    ("weight", "33"),
    ("cpu.idle", "1"),
    ("cpus", "0"),
    ("mems", "0"),
    ("pids", "5"),
    ("io", "DEVICE:rbps=1M,wiops=120"),
    ("io.weight", "50"),
    ("hugetlb.SIZE", "max"),
    ("depth", "3"),
    ("descendants", "7"),
];

fn keys(sandbox: &Sandbox) -> Vec<Value> {
    let text = sandbox.run("cgctl keys --json").done().is(0).quiet().text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `MAJ:MIN` of a disk, where there is one.
fn disk() -> Option<String> {
    let disks = std::fs::read_dir("/sys/block").ok()?.flatten();
    let device = |disk: std::fs::DirEntry| {
        let read = |file: &str| std::fs::read_to_string(disk.path().join(file)).ok();
        (read("size")?.trim() != "0").then(|| read("dev")).flatten()
    };
    disks.filter_map(device).map(|device| device.trim().to_owned()).min()
}

fn setting(key: &Value) -> Option<String> {
    let name = key["key"].as_str().unwrap();
    let (_, value) = SAMPLES.iter().find(|(sample, _)| *sample == name).unwrap_or_else(|| panic!("{name}"));
    let size = key["sizes"].as_array().and_then(|sizes| sizes.first()?.as_str());
    let name = name.replace("SIZE", size.unwrap_or("2MB"));
    let device = if value.contains("DEVICE") { disk()? } else { String::new() };
    Some(format!("{name}={}", value.replace("DEVICE", &device)))
}

#[test]
fn every_key_that_is_said_to_work_is_written_and_read_again() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=64M cpu=1 pids=50");
    let works: Vec<Value> = keys(&sandbox).into_iter().filter(|key| key["works"] == true).collect();
    assert!(works.len() > 5, "{works:?}");
    each(works.iter().filter_map(setting), |word| {
        kept.run("set", &word).done().is(0).quiet();
        let (name, value) = word.split_once('=').unwrap();
        let read = kept.get(name);
        assert!(
            read == value || name == "io" && read.starts_with(value.split(',').next().unwrap()),
            "{word}: {read}"
        );
    });
}

#[test]
fn every_key_that_is_said_not_to_work_is_refused_with_the_reason() {
    let Some(sandbox) = Sandbox::root() else { return };
    let fails: Vec<Value> = keys(&sandbox).into_iter().filter(|key| key["works"] == false).collect();
    each(fails.iter().filter(|key| setting(key).is_some()), |key| {
        let word = setting(key).unwrap();
        sandbox.run("cgctl new").args([&word, "--", "true"]).done().is(125).complains_as("cgctl");
        assert!(!key["why"].as_str().unwrap().is_empty());
    });
}

#[test]
fn the_table_lists_each_key_once() {
    let Some(sandbox) = Sandbox::root() else { return };
    let table = sandbox.run("cgctl keys").done().is(0).quiet().text();
    for (name, _) in SAMPLES {
        assert_eq!(table.lines().filter(|line| line.split(' ').next() == Some(name)).count(), 1, "{name}");
    }
    assert_eq!(table.lines().count(), SAMPLES.len() + 1);
}

#[test]
fn the_value_of_one_key_is_printed_bare_and_of_more_as_words() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=64M pids=5");
    assert_eq!(kept.get("m"), "64M");
    assert_eq!(kept.get("m pids"), "m=64M\npids=5");
    assert_eq!(kept.get("mem.max"), "64M");
    assert_eq!(kept.get("pids.max"), "5");
    let json = kept.run("get", "--json m pids").done().is(0).json();
    assert_eq!(json, serde_json::json!({"group": kept.name, "m": 64 << 20, "pids": 5}));
    let file = if kept.file("memory.max").is_some() { "memory.max" } else { "memory.limit_in_bytes" };
    assert_eq!(kept.get(file), "67108864");
    assert!(kept.get("memory.stat").lines().count() > 5);
    for (key, why) in [("nosuch", "there is no such key"), ("memory.nosuch", "the group has no such file")] {
        kept.run("get", key).done().is(125).complains_as("cgctl").says(why);
    }
}

#[test]
fn what_one_group_says_is_what_another_takes() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=64M pids=5 cpu=0.5 weight=50");
    let copy = Kept { sandbox: &sandbox, name: format!("{}-copy", kept.name) };
    copy.run("new", "").done().is(0).quiet();
    let words = kept.get("");
    copy.run("set", &words).done().is(0).quiet();
    assert_eq!(copy.get(""), words);
}

/// A file on a disk, or a disk made of a file: what to write to, and what to call its device.
fn scratch_disk(sandbox: &Sandbox) -> Option<(String, String)> {
    let file = sandbox.file("disk", vec![0; 4 << 20], 0o644).to_string_lossy().into_owned();
    if rustix::fs::major(rustix::fs::stat(&file).unwrap().st_dev) != 0 {
        return Some((file.clone(), file));
    }
    let device = sandbox.run("losetup -f --show").arg(&file).done();
    (device.status == 0).then(|| (device.text(), device.text()))
}

#[test]
fn a_device_has_its_limit() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((file, device)) = scratch_disk(&sandbox) else { return tests::skip("it needs a disk") };
    let start = std::time::Instant::now();
    let run = sandbox.run("cgctl new").arg(format!("io={device}:wbps=1M"));
    let write = [
        "--",
        "dd",
        "if=/dev/zero",
        &format!("of={file}"),
        "bs=64k",
        "count=24",
        "oflag=direct",
        "conv=notrunc",
    ];
    let done = run.args(write).done();
    let took = start.elapsed();
    if file.starts_with("/dev/") {
        sandbox.run("losetup -d").arg(&file).done().is(0);
    }
    done.is(0);
    assert!(took.as_millis() > 1000, "1.5 MiB at 1 MiB a second took {took:?}");
}
