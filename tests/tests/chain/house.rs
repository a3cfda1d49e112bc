//! Rules of the house that no compiler knows.

use std::fs;
use std::path::{Path, PathBuf};
use tests::tools::{TOOLS, bin, workspace};

#[test]
fn unsafe_code_is_in_one_module() {
    let mut files = Vec::new();
    for part in TOOLS.into_iter().chain(["chain", "tests"]) {
        sources(&workspace().join(part), &mut files);
    }
    assert!(files.len() > 20, "{files:?}");
    let word = concat!("un", "safe");
    // What is shipped, and what hostile payloads of the tests call.
    let allowed = |file: &Path| file.starts_with("chain/src/sys") || file == Path::new("tests/src/raw.rs");
    for file in files {
        let name = file.strip_prefix(workspace()).unwrap();
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap();
            // The entry point for C's start-up code: that of the tools, and that of a program which tries it out.
            let makes_entry = ["chain/src/link.rs", "chain/build.rs"].map(Path::new).contains(&name);
            let entry = makes_entry && code.contains("no_mangle");
            let named = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word);
            assert!(!named || entry || allowed(name), "{}:{}: {line}", name.display(), number + 1);
        }
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_program_is_static() {
    for tool in TOOLS.into_iter().chain(["probe"]) {
        let elf = fs::read(bin(tool)).unwrap();
        assert!(elf.starts_with(b"\x7fELF\x02"), "{tool} is a 64-bit ELF file");
        assert!(!program_headers(&elf).contains(&PT_INTERP), "{tool} wants an interpreter");
    }
}

/// A header of this type names a dynamic loader, elf(5).
const PT_INTERP: u64 = 3;

fn program_headers(elf: &[u8]) -> Vec<u64> {
    let number = |at: usize, length: usize| {
        elf[at..at + length].iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).map(|index| number((table + index * size) as usize, 4)).collect()
}

/// The tables that say how something is tested name tests that there are: `file::test`, where the file is one of a
/// directory `tests`, or a module of one.
#[test]
fn every_test_that_a_table_names_is_there() {
    let mut files = Vec::new();
    for part in TOOLS.into_iter().chain(["tests"]) {
        let tests = workspace().join(part).join("tests");
        if tests.is_dir() {
            sources(&tests, &mut files);
        }
    }
    let has = |file: &Path, part: &str, test: &str| {
        let text = || fs::read_to_string(file).unwrap();
        file.with_extension("").iter().any(|name| name == part) && text().contains(&format!("fn {test}("))
    };
    let mut named = 0;
    for page in ["pivot/SECURITY.md", "pivot/FEATURES.md", "netns/FEATURES.md", "shell-scripts/FEATURES.md"] {
        let text = fs::read_to_string(workspace().join(page)).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let Some((parts, test)) = name.rsplit_once("::").filter(|(_, test)| *test != "test") else {
                continue;
            };
            let part = parts.rsplit("::").next().unwrap();
            assert!(
                files.iter().any(|file| has(file, part, test)),
                "{page} names {name}, and there is no such test"
            );
            named += 1;
        }
    }
    assert!(named > 50, "only {named} names were found");
}
