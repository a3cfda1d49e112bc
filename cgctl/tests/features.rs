//! FEATURES.md names a test for what it says: it must be there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().flat_map(|entry| sources(&entry.unwrap().path())).collect();
    }
    vec![path.to_owned()]
}

/// `FILE::TEST`: a file of that name, or any in a directory of that name, has the function.
fn exists(name: &str) -> bool {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (file, test) = name.split_once("::").unwrap();
    let place = [tests.join(file), tests.join(format!("{file}.rs"))].into_iter().find(|place| place.exists());
    let all = place.map(|place| sources(&place)).unwrap_or_default();
    all.iter().any(|file| fs::read_to_string(file).unwrap().contains(&format!("#[test]\nfn {test}()")))
}

#[test]
fn every_test_that_the_table_of_features_names_is_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("FEATURES.md");
    let text = fs::read_to_string(page).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.ends_with('|'));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next()).map(str::trim);
    let named: Vec<&str> =
        last.filter(|cell| cell.contains("::")).map(|cell| cell.trim_matches('`')).collect();
    assert!(named.len() > 50, "{named:?}");
    let missing: Vec<&&str> = named.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
