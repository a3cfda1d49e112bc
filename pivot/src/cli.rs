//! The options.

mod confinement;
mod environment;
mod layers;
mod mounts;
mod ordered;
mod split;
mod steps;
mod surroundings;
mod vocabulary;
mod words;

use crate::confine::policy::Policy;
use crate::environment::Variables;
use crate::explain::Form;
use clap::builder::{OsStringValueParser, TypedValueParser};
use layers::LayerOptions;
use mounts::Mounts;
use ordered::Ordered;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use surroundings::Surroundings;

const COMMAND: &str = "Command";

/// Make a directory the root, then run a command in it
///
/// ROOT is a directory. CMD is looked up in it; it is /bin/sh when not given. The old root is detached: no path leads
/// to it any more. The new root gets a /dev, a read-only /sys and, in a new pid namespace, a /proc. The caller sees
/// none of these mounts.
#[derive(clap::Parser, Debug)]
#[command(
    version,
    args_override_self = true,
    override_usage = "pivot [OPTIONS] ROOT [CMD [ARG]...]\n       pivot [OPTIONS] --layer DIR... [CMD [ARG]...]"
)]
pub struct Options {
    /// Only switch the root: no /dev, /proc or /sys
    #[arg(long)]
    pub bare: bool,
    /// Make the root read-only, with all that is mounted in it
    #[arg(long)]
    pub ro: bool,
    /// Instead of ROOT.
    #[command(flatten, next_help_heading = "Layers, instead of ROOT")]
    pub layers: LayerOptions,
    /// In the order given.
    #[command(flatten)]
    pub mounts: Ordered<Mounts>,
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Start CMD in this directory of the new root instead of /
    #[arg(long, value_name = "DIR", help_heading = COMMAND)]
    pub chdir: Option<PathBuf>,
    /// Tell CMD another name than its own
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, help_heading = COMMAND)]
    pub argv0: Option<OsString>,
    /// Leave descriptor N open for CMD; all others above 2 are closed
    #[arg(long, value_name = "N", help_heading = COMMAND, value_parser = OsStringValueParser::new().try_map(|text| descriptor(&text)))]
    pub keep_fd: Vec<u32>,
    /// Print what would be done, and do nothing
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub explain: Option<Form>,
    /// In the order given.
    #[command(flatten)]
    pub variables: Ordered<Variables>,
    /// In the order given.
    #[command(flatten)]
    pub policy: Ordered<Policy>,
    /// ROOT, CMD and its arguments.
    #[arg(hide = true, trailing_var_arg = true)]
    pub operands: Vec<OsString>,
}

fn descriptor(text: &OsStr) -> Result<u32, &'static str> {
    text.to_str().and_then(|text| text.parse().ok()).ok_or("it is not the number of a descriptor")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Step;
    use clap::{CommandFactory, Parser};

    fn targets(options: &Options) -> Vec<String> {
        let target = |step: &Step| match step {
            Step::Mount(mount) => mount.target.display().to_string(),
            Step::Edit(edit) => edit.target.display().to_string(),
        };
        options.mounts.0.0.iter().map(target).collect()
    }

    fn parsed(line: &[&str]) -> Options {
        Options::try_parse_from([&["pivot"], line].concat()).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn mounts_keep_the_order_of_the_line() {
        let options = parsed(&["--tmpfs", "/a", "--bind", "x:/a/b", "--tmpfs", "/c", "ROOT"]);
        assert_eq!(targets(&options), ["a", "a/b", "c"]);
    }

    #[test]
    fn a_value_that_may_be_left_out_stands_behind_an_equals_sign() {
        let options =
            parsed(&["--shm=size=1", "--proc", "--tmpfs", "/a", "--sys=/b:rw", "--proc=pid", "ROOT"]);
        assert_eq!(targets(&options), ["dev/shm", "proc", "a", "b", "proc"]);
        assert_eq!(options.operands, ["ROOT"]);
    }

    #[test]
    fn what_counts_once_counts_as_it_was_said_last() {
        let line =
            ["--ro", "--chdir", "/a", "--tmpfs", "/x", "--ro", "--chdir", "/b", "--tmpfs", "/y", "ROOT"];
        let options = parsed(&line);
        assert!(options.ro && options.chdir == Some("/b".into()));
        assert_eq!(targets(&options), ["x", "y"]);
    }

    #[test]
    fn nothing_after_the_root_is_an_option_of_ours() {
        let options = parsed(&["--ro", "ROOT", "sh", "--bare", "-c", "x", "--", "--help"]);
        assert!(options.ro && !options.bare);
        assert_eq!(options.operands, ["ROOT", "sh", "--bare", "-c", "x", "--", "--help"]);
    }
}
