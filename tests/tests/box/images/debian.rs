//! A minimal Debian, as the registry of packages has it.

use super::layers;
use super::life::live;
use crate::world::World;

/// Minutes, most of them for downloads: `make test-debian`.
#[test]
#[ignore = "it downloads a Debian system"]
fn a_minimal_debian_runs() {
    let Some(world) = World::root("dash") else { return };
    let bootstrap =
        "debootstrap --variant=minbase bookworm debian http://deb.debian.org/debian >log 2>&1 || {
        tail -n 3 log >&2; exit 1; }";
    world.sandbox().shell(bootstrap).limit(400).done().is(0);
    world.boxed("import debian debian").limit(120).done().is(0).quiet();
    let script = "cat /etc/debian_version; dpkg-query -W -f '${db:Status-Status}\\n' | sort -u; stat -c %a /usr/bin/passwd";
    let run = world.boxed("run --rm --net none debian sh -euc").arg(script).done().is(0);
    let text = run.quiet().text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("12.") && lines[1..] == ["installed", "4755"], "{text}");
    assert!(layers(&world, "debian")[0].join("usr/bin/dpkg").exists());
    live(&world, "debian", "/etc/debian_version");
}
