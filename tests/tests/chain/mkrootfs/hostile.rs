//! Archives that nobody vouches for: hostile members, cut off, damaged, compressed.

use super::{is_root, mkrootfs, names, path_without, place};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use tests::archive::{Format, Kind, Member, cpio, dir, file, hard, link, node, noise, tar};
use tests::{Sandbox, each};

as_root_and_as_user! {
    hostile_tar_archives_reach_nothing_outside
    hostile_cpio_archives_reach_nothing_outside
    members_arrive_as_they_are
    device_nodes_and_setuid_bits_are_for_root
}

/// Everything that could lead out of a directory, aimed at the directory `out`, in which there is a file `secret`.
fn attacks(out: &str) -> Vec<(&'static str, Vec<Member>)> {
    let up = "../".repeat(9);
    let (evil, secret) = (format!("{out}/evil"), format!("{out}/secret"));
    let points = ["proc", "sys", "dev", "tmp", "etc"].map(|point| link(point, out));
    vec![
        ("an absolute name", vec![file(&evil, "")]),
        ("dots", vec![file(format!("{up}{evil}"), "")]),
        ("dots, beside DIR", vec![file("../../evil", ""), dir("../../evildir")]),
        ("through a link", vec![link("x", out), file("x/evil", "")]),
        ("through a relative link", vec![link("x", format!("{up}{out}")), file("x/evil", "")]),
        ("through a link to /", vec![link("x", "/"), file(format!("x{evil}"), "")]),
        ("through two links", vec![link("x", "y"), link("y", out), file("x/evil", "")]),
        ("over a link", vec![link("x", &secret), file("x", "overwritten")]),
        ("the root is a link", vec![link(".", out), file("evil", "")]),
        ("links for mount points", points.into_iter().chain([file("file", "")]).collect()),
        ("a mode through a link", vec![link("x", out), dir("x").mode(0o777)]),
        ("a hard link", vec![hard("h", &secret), file("h", "overwritten")]),
        ("a relative hard link", vec![hard("h", "../../canary/secret"), file("h", "overwritten")]),
        ("a hard link to a link", vec![link("s", &secret), hard("h", "s"), file("h", "overwritten")]),
        ("an option for a name", vec![file(format!("--to-command=touch {evil}"), "x")]),
        ("a message for a name", vec![file("../../a: Cannot mknod: Operation not permitted", "")]),
    ]
}

fn hostile_tar_archives_reach_nothing_outside(sandbox: &Sandbox) {
    attack(sandbox, "--tar a", tar);
}

fn hostile_cpio_archives_reach_nothing_outside(sandbox: &Sandbox) {
    attack(sandbox, "--cpio a", cpio);
}

fn attack(sandbox: &Sandbox, source: &str, format: Format) {
    each(0..attacks("").len(), |number| {
        let place = place(sandbox, &number.to_string());
        let canary = place.join("canary");
        let (what, members) = attacks(canary.to_str().unwrap()).swap_remove(number);
        if source.contains("cpio") && members.iter().any(|member| matches!(member.kind, Kind::Hard(_))) {
            return;
        }
        sandbox.shell("mkdir canary; echo secret >canary/secret").cwd(&place).done().is(0);
        fs::write(place.join("a"), format(&members)).unwrap();
        let done = mkrootfs(sandbox, &place, &format!("d {source}")).done();
        assert_eq!(names(&canary), ["secret"], "{what}: {done}");
        assert_eq!(fs::read(canary.join("secret")).unwrap(), b"secret\n", "{what}: {done}");
        assert_eq!(fs::metadata(&canary).unwrap().mode() & 0o777, 0o755, "{what}: {done}");
        let left: &[&str] = if done.status == 0 { &["a", "canary", "d"] } else { &["a", "canary"] };
        assert_eq!(names(&place), left, "{what}: {done}");
        if done.status != 0 {
            done.is(125).complains_as("mkrootfs");
        }
    });
}

/// A bit of everything.
fn sample() -> Vec<Member> {
    vec![
        dir("bin"),
        file("bin/sh", "#!x\n"),
        file("a b\n*", "odd").mode(0o640),
        file(b"\xff\xfe", "bytes"),
        file("-n", noise(1500)),
        link("absolute", "/bin/sh"),
        dir("sticky").mode(0o1777),
        dir("closed").mode(0o500),
        file("closed/file", ""),
        file("own", "").owner(1234),
    ]
}

fn members_arrive_as_they_are(sandbox: &Sandbox) {
    let bare = path_without(sandbox, &["tar", "cpio", "gzip", "bzip2", "xz", "lzma"]);
    let script = sandbox.shell("command -v mkrootfs").done().text();
    let unpackers = |path: &str| format!("{path}:/usr/sbin:/sbin");
    let host = unpackers("/usr/bin:/bin");
    let all = if is_root(sandbox) { PACKERS.len() } else { 2 };
    let rows = PACKERS[..all].iter().map(|packer| (("--tar", tar as Format), *packer));
    let rows = rows.chain(PACKERS[..2].iter().map(|packer| (("--cpio", cpio as Format), *packer)));
    each((0..).zip(rows), |(number, ((option, format), packer)): (u32, _)| {
        let archive = sandbox.file(&format!("archive.{number}"), format(&sample()), 0o644);
        let Some(packed) = pack(sandbox, packer, &archive) else { return };
        for path in [&host, &bare] {
            // The busybox of Debian does not know all of them.
            if *path == bare && ["zstd", "lz4"].contains(&packer) {
                continue;
            }
            let place = place(sandbox, &format!("{number}.{}", path.len()));
            let run = sandbox.run(&script).args(["d", option, "-"]).env("PATH", path).stdin(&packed);
            run.cwd(&place).done().is(0).quiet();
            check_sample(&place.join("d"));
        }
    });
}

fn check_sample(root: &Path) {
    let mode = |name: &str| fs::symlink_metadata(root.join(name)).unwrap().mode() & 0o7777;
    assert_eq!(fs::read(root.join("a b\n*")).unwrap(), b"odd");
    assert_eq!(fs::read(root.join("-n")).unwrap(), noise(1500));
    assert_eq!(names(root).len(), sample().len() - 2 + 4, "the mount points are added: {:?}", names(root));
    assert_eq!(fs::read_link(root.join("absolute")).unwrap(), Path::new("/bin/sh"));
    let modes = ["bin/sh", "a b\n*", "sticky", "closed"].map(mode);
    assert_eq!(modes, [0o755, 0o640, 0o1777, 0o500]);
    let (here, own) = (fs::metadata(root).unwrap().uid(), fs::metadata(root.join("own")).unwrap().uid());
    assert_eq!(own, if here == 0 { 1234 } else { here });
    // A directory without write permission is in the way of removing it all.
    fs::set_permissions(root.join("closed"), PermissionsExt::from_mode(0o700)).unwrap();
}

/// What the archive may be packed with; the first is no packer.
const PACKERS: [&str; 7] = ["cat", "gzip", "bzip2", "xz", "lzma", "zstd", "lz4"];

/// A file packed by the host or by busybox; says so where neither can.
fn pack(sandbox: &Sandbox, packer: &str, file: &Path) -> Option<Vec<u8>> {
    let script = format!("{{ {packer} 2>/dev/null || busybox {packer} 2>/dev/null; }} <\"$0\"");
    let done = sandbox.shell(&script).arg(file).done();
    if done.status != 0 {
        let line = format!("no {packer} here: not tested with it\n");
        let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
    }
    (done.status == 0).then_some(done.out)
}

fn device_nodes_and_setuid_bits_are_for_root(sandbox: &Sandbox) {
    let members = [
        dir("dev"),
        node("dev/null", Kind::Char(1, 3)),
        node("disk", Kind::Block(7, 200)),
        file("suid", "").mode(0o4755),
    ];
    let formats: [(&str, Format); 2] = [("--tar", tar), ("--cpio", cpio)];
    each(formats, |(option, format)| {
        let place = place(sandbox, &option[2..]);
        fs::write(place.join("a"), format(&members)).unwrap();
        let done = mkrootfs(sandbox, &place, &format!("d {option} a")).done().is(0);
        let suid = fs::metadata(place.join("d/suid")).unwrap().mode() & 0o4000 != 0;
        if is_root(sandbox) {
            let done = done.quiet();
            let node = fs::metadata(place.join("d/dev/null")).unwrap();
            assert_eq!((node.rdev(), suid), (rustix::fs::makedev(1, 3), true), "{done}");
        } else {
            let done = done.says("warning: left out the device nodes").says("warning: cleared the setuid");
            assert_eq!(done.talk().lines().count(), 2, "{done}");
            assert!(!place.join("d/dev/null").exists() && !place.join("d/disk").exists() && !suid, "{done}");
        }
    });
}

#[test]
fn an_archive_that_is_not_whole_is_refused() {
    let sandbox = Sandbox::own();
    let (tape, tree) = (tar(&sample()), cpio(&sample()));
    let mut rows: Vec<(String, &str, Vec<u8>)> = Vec::new();
    // The last two blocks are the end mark.
    for at in (1..tape.len() / 512 - 1).map(|block| block * 512).chain([700, tape.len() - 1300]) {
        rows.push((format!("tar, cut at {at}"), "--tar", tape[..at].to_vec()));
    }
    for at in [50, 300, tree.len() / 2, tree.len() - 130] {
        rows.push((format!("cpio, cut at {at}"), "--cpio", tree[..at].to_vec()));
    }
    for packer in &PACKERS[1..] {
        let Some(packed) = pack(&sandbox, packer, &sandbox.file("whole", &tape, 0o644)) else { continue };
        rows.push((format!("{packer}, cut"), "--tar", packed[..packed.len() * 2 / 3].to_vec()));
    }
    let mut damaged = pack(&sandbox, "gzip", &sandbox.file("whole", &tape, 0o644)).unwrap();
    let sum = damaged.len() - 6;
    damaged[sum] ^= 1;
    rows.push(("a wrong sum".to_owned(), "--tar", damaged));
    for (what, bytes) in [("nothing", Vec::new()), ("two bytes", b"ab".to_vec()), ("noise", noise(5000))] {
        rows.push((what.to_owned(), "--tar", bytes.clone()));
        rows.push((what.to_owned(), "--cpio", bytes));
    }
    rows.push(("no members".to_owned(), "--tar", tar(&[])));
    rows.push(("no members".to_owned(), "--cpio", cpio(&[])));
    let work = place(&sandbox, "work");
    each(rows, |(what, option, bytes)| {
        let done = sandbox.run("mkrootfs d").args([option, "-"]).stdin(&bytes).cwd(&work).done();
        assert!(names(&work).is_empty(), "{what}: {done}");
        assert_eq!(done.status, 125, "{what}: {done}");
        done.complains_as("mkrootfs");
    });
}
