//! The description at /openapi.json, against what is really answered: checked by schemathesis, which makes requests
//! from it, right ones and wrong ones.

use crate::served::Served;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::tools::workspace;

/// The newest that Python 3.11 of Debian 12 runs.
const VERSION: &str = "schemathesis==4.32.5";

#[test]
fn what_is_answered_is_as_described() {
    let Some(program) = schemathesis() else { return };
    let Some(served) = Served::root() else { return };
    served.world().image("BusyBox", "rootfs");
    served.run(&json!({"state": "run", "image": "small", "command": "sleep 1000", "net": "none", "name": "web"}));
    let token = "t".repeat(40);
    served.world().sandbox().file("token", format!("{token}\n"), 0o600);
    let config = workspace().join("tests/tests/api/schemathesis.toml");
    let script = format!(
        "box serve --listen 127.0.0.1:1337 --token-file token 2>told &
        trap 'kill $!; wait $! || :' EXIT
        until grep -q 'try curl' told; do sleep 0.05; done
        url=http://127.0.0.1:1337
        {} --config-file {} run $url/openapi.json --url $url -H 'Authorization: Bearer {token}' \\
          --exclude-path /events --workers 4 --max-examples 4 --seed \"$SEED\" --no-color --output-truncate true",
        program.display(),
        config.display(),
    );
    let seed = tests::Random::new().below(1 << 30).to_string();
    let run = served.world().script(&script).env("SEED", seed).limit(300);
    let done = run.done();
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
