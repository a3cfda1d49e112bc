//! `box pull` from a registry that listens on the loopback of a throw-away network namespace.

use super::{inside, layout, nothing_is_kept, system};
use crate::world::World;
use tests::archive::file;

const SCRIPT: &str = "ip link set lo up
    mkdir registry
    printf 'version: 0.1\nlog: {accesslog: {disabled: true}, level: error}
storage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: 127.0.0.1:5000}\n' $PWD >registry.yml
    docker-registry serve registry.yml 2>/dev/null & registry=$!
    trap 'kill $registry; wait' EXIT
    until curl -sf http://127.0.0.1:5000/v2/ >/dev/null; do kill -0 $registry; done
    skopeo --insecure-policy copy -q --dest-tls-verify=false oci:lay docker://127.0.0.1:5000/lib/app:7
    BOX pull 127.0.0.1:5000/lib/app:7 >named
    BOX pull --platform linux/amd64 docker://localhost:5000/lib/app:7 other >>named
    ! BOX pull localhost:5000/lib/none 2>none
    ! BOX pull 'bad reference' 2>bad
    ! BOX pull localhost:1/x 2>refused";

#[test]
fn an_image_is_pulled_from_a_registry_on_this_host() {
    let Some(world) = World::root("dash") else { return };
    layout(&world, "lay", &[system("1"), vec![file("pulled", "")]]);
    let script = SCRIPT
        .replace("BOX", &format!("dash {}", tests::tools::workspace().join("shell-scripts/box").display()));
    let run = world.sandbox().run("unshare-rs -n sh -euc").arg(script).limit(180);
    world.with_places(run).done().is(0);
    let read = |name: &str| std::fs::read_to_string(world.sandbox().path(name)).unwrap();
    assert_eq!(read("named"), "app-7\nother\n");
    assert_eq!(inside(&world, "app-7", "cd /; cat mark; ls pulled"), "1pulled");
    for (name, says) in [("none", "cannot pull localhost:5000/lib/none: "), ("refused", "connection refused")]
    {
        assert!(read(name).contains(says) && read(name).lines().count() == 1, "{name}: {}", read(name));
    }
    assert!(
        read("bad").starts_with("box: cannot pull bad reference: that is no reference\n"),
        "{}",
        read("bad")
    );
    world.boxed("rmi app-7 other").done().is(0);
    nothing_is_kept(&world);
}
