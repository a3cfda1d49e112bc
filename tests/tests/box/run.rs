//! `box run`: the command, its status, and what it sees.

use crate::world::{SHELLS, World};
use tests::each;

#[test]
fn the_command_is_pid_1_and_its_status_is_that_of_box() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let run = world.boxed("run --rm --net none small sh -c").arg("echo $$; exit 7").done().is(7).quiet();
        assert_eq!(run.text(), "1");
    });
}
