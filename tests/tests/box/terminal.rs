//! `box run` at a terminal, as someone at a keyboard has it.

use crate::world::World;
use tests::pty::{INTERRUPT, SUSPEND};
use tests::{Pty, eventually};

/// A job-control shell in which `box` is that of the world.
fn shell(world: &World) -> Pty {
    let mut terminal = Pty::start(&world.script("exec dash -i").env("PS1", "<$?> "));
    terminal.until("<0> ");
    terminal
}

#[test]
fn keys_do_to_a_box_in_the_foreground_what_they_do_to_any_program() {
    let Some(world) = World::dash() else { return };
    let mut terminal = shell(&world);
    terminal.line("box run --net none --name fg small probe hold");
    terminal.until("ready");
    terminal.keys(SUSPEND);
    terminal.until("> ");
    terminal.line("fg");
    eventually("the box has the terminal", || terminal.foreground() != terminal.pid());
    eventually("it runs again", || world.state("fg") == "running");
    terminal.keys(INTERRUPT);
    terminal.until("<130> ");
    assert_eq!(world.state("fg"), "exited 130");
    terminal.line("box run --net none --rm --name killed small probe hold");
    terminal.until("ready");
    nix::sys::signal::kill(world.owner("killed"), nix::sys::signal::Signal::SIGTERM).unwrap();
    terminal.until("<143> ");
    terminal.line("exit 0");
    terminal.done();
}

#[test]
fn a_terminal_of_its_own_has_job_control_and_the_size_of_the_callers() {
    let Some(world) = World::dash() else { return };
    let mut terminal = shell(&world);
    terminal.line("stty rows 33 cols 77; box run --net none -it --rm small sh");
    terminal.until("# ");
    terminal.line("stty size; echo $TERM; tty");
    terminal.until("33 77");
    terminal.until("/dev/pts/0");
    terminal.line("probe hold");
    terminal.until("ready");
    terminal.keys(INTERRUPT);
    terminal.until("# ");
    terminal.line("exit 6");
    terminal.until("<6> ");
    terminal.line("exit 0");
    terminal.done();
    world.is_empty();
}

#[test]
fn another_command_can_have_a_terminal_too() {
    let Some(world) = World::dash() else { return };
    world.start("host", "exec sleep 60");
    let mut terminal = shell(&world);
    terminal.line("box exec -it host sh");
    terminal.until("# ");
    terminal.line("stty -a | grep -c isig; exit 4");
    terminal.until("1");
    terminal.until("<4> ");
    terminal.line("exit 0");
    terminal.done();
}

#[test]
fn closing_the_terminal_ends_a_box_in_front_and_leaves_one_behind() {
    let Some(world) = World::dash() else { return };
    let mut terminal = shell(&world);
    terminal.line("box run --net none -d --name behind small sleep 60; box run --net none --name front small probe hold");
    terminal.until("ready");
    terminal.hang_up();
    terminal.done();
    eventually("it has ended", || world.state("front").starts_with("exited"));
    assert_eq!(world.state("behind"), "running");
}
