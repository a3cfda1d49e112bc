//! The description at /openapi.json, against what is really answered: checked by schemathesis, which makes requests
//! from it, right ones and wrong ones.

use crate::curl::Remote;
use crate::world::World;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::tools::workspace;

/// The newest that Python 3.11 of Debian 12 runs.
const VERSION: &str = "schemathesis==4.32.5";

#[test]
fn what_is_answered_is_as_described() {
    let Some(program) = schemathesis() else { return };
    let Some(world) = World::dash() else { return };
    world.image("BusyBox", "rootfs");
    world.start("web", "exec sleep 1000");
    let remote = Remote::over(world, "--listen 127.0.0.1:1337");
    let config = workspace().join("tests/tests/api/schemathesis.toml");
    let url = "http://127.0.0.1:1337";
    // The same requests each time, so that what fails is due to a change; others are for who looks for them.
    let seed = std::env::var("CHAIN_TESTS_SEED").unwrap_or_else(|_| "1".to_owned());
    let line = format!(
        "nsenter-rs -t {} -n {} --config-file {} run {url}/openapi.json --url {url} --exclude-path /events --exclude-path /stats \
         --max-examples 3 --seed {seed} --no-color --output-truncate true -H",
        remote.job().pid(),
        program.display(),
        config.display(),
    );
    let run = remote.world.sandbox().run(&line).arg(format!("Authorization: Bearer {}", remote.token()));
    let done = run.limit(600).done();
    assert_eq!(done.status, 0, "{}", done.text().chars().take(20_000).collect::<String>());
}

/// In a virtual environment of its own below the target directory, made when it is first wanted.
fn schemathesis() -> Option<PathBuf> {
    let place = workspace().join("target").join(VERSION.replace("==", "-"));
    let program = place.join("bin/schemathesis");
    if !program.exists() && !install(&place) {
        let _ = std::fs::remove_dir_all(&place);
        tests::skip("schemathesis cannot be installed from PyPI");
        return None;
    }
    Some(program)
}

fn install(place: &Path) -> bool {
    let works = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    works(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(place))
        && works(Command::new(place.join("bin/pip")).args(["install", "--quiet", VERSION]))
}
