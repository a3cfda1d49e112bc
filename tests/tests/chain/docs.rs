//! What the documents say is done: every example, and every option.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tests::tools::{TOOLS, workspace};
use tests::{Sandbox, each};

/// A block of shell, and where it stands.
type Block = (String, String);

#[test]
fn every_sh_block_of_the_readme_runs() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let blocks = blocks("README.md", &readme, "```sh", "```");
    assert!(!blocks.is_empty());
    run_all(blocks);
}

#[test]
fn every_example_of_the_man_pages_runs() {
    let blocks = pages().into_iter().flat_map(|page| {
        let name = page.strip_prefix(workspace()).unwrap().display().to_string();
        let text = fs::read_to_string(&page).unwrap();
        let examples = section(&text, "EXAMPLES");
        let found = blocks(&name, &examples, ".Bd -literal", ".Ed");
        assert!(!found.is_empty(), "{name} has no examples");
        found
    });
    run_all(blocks.collect());
}

/// A block of output stands for what the last block of shell before it has printed: numbers and the width of columns
/// may be others elsewhere.
#[test]
fn what_the_readme_shows_is_what_comes() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let outputs = blocks("README.md", &readme, "```text", "```");
    assert!(!outputs.is_empty());
    if !tests::is_root() {
        return tests::skip("the examples need root");
    }
    let line_of = |block: &Block| block.0.rsplit(':').next().unwrap().parse::<usize>().unwrap();
    let scripts = blocks("README.md", &readme, "```sh", "```");
    each(outputs, |shown| {
        let script = scripts.iter().rev().find(|script| line_of(script) < line_of(&shown)).unwrap();
        let sandbox = Sandbox::own();
        // Nobody else's processes, so that no other namespaces are found.
        let apart = "mount -t proc none /proc; mount -t tmpfs -o mode=755 none /run; eval \"$0\"";
        let done = sandbox.run("unshare-rs -pnm sh -euc").args([apart, &script.1]).limit(120).done().is(0);
        assert_eq!(shape(&done.text()), shape(shown.1.trim_end()), "{}:\n{}", shown.0, done.text());
    });
}

/// Numbers, addresses and widths made alike.
fn shape(text: &str) -> String {
    let is_of_number = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let word = |word: &str| {
        let parts = word.split_inclusive(|c| !is_of_number(c));
        let part = |part: &str| match part.chars().any(|c| c.is_ascii_digit()) {
            true => format!(
                "0{}",
                part.chars().last().filter(|c| !is_of_number(*c)).map_or(String::new(), String::from)
            ),
            false => part.to_owned(),
        };
        parts.map(part).collect::<String>()
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn run_all(blocks: Vec<Block>) {
    if !tests::is_root() {
        return tests::skip("the examples need root");
    }
    each(blocks, |(place, block)| {
        let sandbox = Sandbox::own();
        if place.contains("mkrootfs") {
            // Its examples make their own.
            fs::remove_file(sandbox.path("rootfs")).unwrap();
        }
        // Interfaces and names of network namespaces are the machine's; these are made apart, with a /run of their own.
        let apart = "mount -t tmpfs -o mode=755 none /run; exec sh -euc \"$0\"";
        let run = sandbox.run("unshare-rs -nm sh -euc").args([apart, &block]).limit(120);
        // Nor is the state of box.
        let run = run.env("BOX_STORE", sandbox.path("store")).env("BOX_RUN", sandbox.path("runs"));
        let done = run.done();
        assert_eq!(done.status, 0, "{place}:\n{done}");
    });
}

/// The text between a line that begins with `open` and one that is `close`.
fn blocks(name: &str, text: &str, open: &str, close: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut current: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut current {
            None if line.starts_with(open) => {
                current = Some((format!("{name}:{}", number + 1), String::new()));
            }
            None => {}
            Some(_) if line == close => found.extend(current.take()),
            Some((_, block)) => *block += &format!("{}\n", plain(line)),
        }
    }
    found
}

/// Without the escapes of roff(7) that stand for characters of a shell.
fn plain(line: &str) -> String {
    let pairs = [
        ("\\(aq", "'"),
        ("\\(dq", "\""),
        ("\\(ga", "`"),
        ("\\(ha", "^"),
        ("\\(ti", "~"),
        ("\\-", "-"),
        ("\\&", ""),
    ];
    pairs
        .iter()
        .fold(line.to_owned(), |line, (escape, character)| line.replace(escape, character))
        .replace("\\e", "\\")
}

/// A section, with empty lines in place of all before it: the numbers of its lines stay.
fn section(page: &str, name: &str) -> String {
    let start = format!(".Sh {name}");
    let mut inside = false;
    let keep = |line: &str| {
        inside = line == start || inside && !line.starts_with(".Sh ");
        format!("{}\n", if inside { line } else { "" })
    };
    page.lines().map(keep).collect()
}

fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for dir in fs::read_dir(workspace()).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let files = fs::read_dir(dir.path()).unwrap().flatten().map(|file| file.path());
        found.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "1")));
    }
    found.sort();
    found
}

#[test]
fn every_option_is_in_the_man_page_and_the_other_way_round() {
    let sandbox = Sandbox::own();
    each(TOOLS.into_iter().chain(["box"]), |tool| {
        let dir = if tool == "box" { "shell-scripts" } else { tool };
        let pages = pages_of(&workspace().join(dir), tool);
        let mut help = sandbox.run(tool).arg("--help").done().text();
        for verb in verbs(&help) {
            let of_verb = sandbox.run(tool).args([&verb, "--help"]).done().text();
            for below in verbs(&of_verb) {
                help += &sandbox.run(tool).args([&verb, &below, "--help"]).done().text();
            }
            help += &of_verb;
        }
        let documented: BTreeSet<String> =
            pages.lines().filter(|line| line.starts_with(".It Fl ")).flat_map(of_page).collect();
        let accepted: BTreeSet<String> = help.lines().flat_map(of_help).collect();
        let common =
            BTreeSet::from(["--help".to_owned(), "--version".to_owned(), "-h".to_owned(), "-V".to_owned()]);
        let differ: Vec<_> =
            documented.symmetric_difference(&accepted).filter(|name| !common.contains(*name)).collect();
        assert!(differ.is_empty(), "{tool}: only in one of help and page: {differ:?}");
    });
}

/// The page of a tool, and those of its verbs that have one.
fn pages_of(dir: &Path, tool: &str) -> String {
    let is_of = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name == format!("{tool}.1") || name.starts_with(&format!("{tool}-")) && name.ends_with(".1")
    };
    let found: Vec<PathBuf> =
        pages().into_iter().filter(|page| page.starts_with(dir) && is_of(page)).collect();
    assert!(!found.is_empty(), "{tool} has no page");
    found.iter().map(|page| fs::read_to_string(page).unwrap()).collect()
}

/// The verbs below "Commands:".
fn verbs(help: &str) -> Vec<String> {
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    list.filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

/// `  -m, --mount[=<FILE>]`
fn of_help(line: &str) -> Vec<String> {
    let line = line.trim_start();
    let names = line.split(", ").take_while(|word| word.starts_with('-') && !word.starts_with("- "));
    names.filter_map(|word| word.split([' ', '[', '=', '<']).next()).map(str::to_owned).collect()
}

/// `.It Fl m , -mount Ns Op = Ns Ar FILE`
fn of_page(line: &str) -> Vec<String> {
    let words = line.trim_start_matches(".It Fl ").split(' ').map_while(|word| match word {
        "," | "Fl" => Some(None),
        word if word.starts_with('-') || word.len() == 1 => Some(Some(format!("-{word}"))),
        _ => None,
    });
    words.flatten().collect()
}
