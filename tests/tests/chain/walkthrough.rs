//! The course: every block of every page is run, and prints what the page shows.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tests::tools::workspace;
use tests::{Outcome, Pty, Sandbox, each, eventually};

/// What `play` is told to leave out where it cannot be had, and nothing else.
const OTHER_CGROUPS: [&str; 2] = ["not run here: it needs v1", "not run here: it needs v2"];

/// The one that depends on the version of control groups, for another kernel too.
#[test]
fn cgroups_page_shows_what_its_blocks_print() {
    let Some(sandbox) = Sandbox::root() else { return };
    let done = check(&sandbox, "4", &[]).is(0);
    assert!(left_out(&done).iter().all(|line| OTHER_CGROUPS.iter().any(|words| line.ends_with(words))), "{done}");
}

#[test]
fn every_page_shows_what_its_blocks_print() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(pages(), |page| {
        let done = check(&sandbox, &page, &[]).is(0);
        let wrong: Vec<_> = left_out(&done).into_iter().filter(|line| !OTHER_CGROUPS.iter().any(|words| line.ends_with(words))).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    });
}
