//! `box --explain`: what is printed does the same when it is pasted, and printing it does nothing.

use crate::world::{SHELLS, World};
use tests::each;

#[test]
fn a_pasted_line_does_what_box_does() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let words = "-m 64M -e A=it's --hostname hh small sh -c";
        let script = "echo \"$A\" $(hostname) $$; grep -E 'Cap|Seccomp' /proc/self/status; exit 7";
        let told = world.boxed(&format!("--explain run --net none {words}")).arg(script).done().is(0).quiet();
        world.is_empty();
        let pasted = world.script(&told.text()).done().is(7).quiet();
        let ran = world.run(&format!("--rm {words}")).arg(script).done().is(7).quiet();
        assert_eq!(pasted.text(), ran.text());
        world.is_empty();
    });
}

#[test]
fn every_verb_that_changes_something_tells_what_it_would_do() {
    let Some(world) = World::dash() else { return };
    world.start("web", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done");
    world.until_log("web", "ready");
    let told = |words: &str| world.boxed(&format!("--explain {words}")).done().is(0).quiet().text();
    assert_eq!(world.script(&told("exec web sh -c 'exit'")).done().status, 0);
    assert!(told("exec -t web sh").contains(" --pty "));
    for words in
        ["stop web", "kill web", "kill -s USR1 web", "rm -f web", "rename web other", "gc", "start web"]
    {
        told(words);
        assert_eq!(world.state("web"), "running", "{words}");
    }
    world.script(&told("rename web other")).done().is(0).quiet();
    world.script(&told("kill -s USR1 other")).done().is(0).quiet();
    assert_eq!(world.boxed("wait other").done().is(0).text(), "5");
    world.script(&told("rm other")).done().is(0).quiet();
    world.is_empty();
}
