//! The options for layers.

use crate::cli::steps::{Parsed, mounted, read_only, two_paths};
use crate::cli::vocabulary::{self, ATTRIBUTES, SIZE, WORK};
use crate::cli::words;
use crate::layers::{Changes, Layers};
use crate::plan::{Mount, MountOptions, Source, Step};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Instead of ROOT.
#[derive(clap::Args, Debug, Default)]
pub struct LayerOptions {
    /// Make the root of layers: each DIR lies over those before it. There is no ROOT then
    #[arg(long = "layer", value_name = "DIR")]
    pub lower: Vec<PathBuf>,
    /// Keep the changes to the layers in DIR; they are lost without it
    #[arg(long, value_name = "DIR", requires = "lower")]
    pub upper: Option<PathBuf>,
    /// Let overlayfs work in DIR, on the file system of the upper one, instead of UPPER.work
    #[arg(long, value_name = "DIR", requires = "upper")]
    pub work: Option<PathBuf>,
    /// Let the changes that are lost take no more than SIZE, such as 64M or 10%, of the memory
    #[arg(long, value_name = "SIZE", requires = "lower", conflicts_with = "upper",
        value_parser = size)]
    pub upper_size: Option<String>,
}

impl LayerOptions {
    /// What they ask for; `None` when there is no layer. Of a read-only root, the upper directory is but the topmost
    /// layer.
    pub fn stack(self, read_only: bool) -> Option<Layers> {
        let LayerOptions { mut lower, upper, work, upper_size } = self;
        let changes = match upper {
            Some(upper) if !read_only => Changes::Kept { upper, work },
            upper => {
                lower.extend(upper);
                Changes::Lost { size: upper_size.map(OsString::from) }
            }
        };
        (!lower.is_empty()).then_some(Layers { lower, changes })
    }
}

fn size(text: &str) -> Result<String, &'static str> {
    vocabulary::size(text).map(|()| text.to_owned())
}

/// `DIR`
pub fn layer(text: &OsStr) -> Parsed {
    if text.is_empty() {
        return Err("DIR is empty".to_owned());
    }
    let source = Source::Layer(text.into());
    Ok(Step::Mount(Mount::new(PathBuf::new(), source, MountOptions::default())))
}

/// `UPPER:DST[:OPTIONS]`, parted like a bind.
pub fn overlay(text: &OsStr) -> Parsed {
    let (paths, options) = words::part(text, &[ATTRIBUTES, WORK])?;
    let (upper, target) = two_paths(paths)?;
    if upper.is_empty() {
        return Err("UPPER is empty".to_owned());
    }
    let work = last_value(&options).map(PathBuf::from);
    stacked(target, Changes::Kept { upper: upper.into(), work }, options)
}

/// `DST[:OPTIONS]`
pub fn tmp_overlay(text: &OsStr) -> Parsed {
    let (target, options) = words::part(text, &[ATTRIBUTES, SIZE])?;
    stacked(target, Changes::Lost { size: last_value(&options) }, options)
}

/// That of the only word that has one.
fn last_value(options: &MountOptions) -> Option<OsString> {
    options.parameters.last().and_then(|(_, value)| value.clone())
}

/// `DST[:OPTIONS]`
pub fn ro_overlay(text: &OsStr) -> Parsed {
    let (target, options) = words::part(text, &[ATTRIBUTES])?;
    stacked(target, Changes::Refused, options).map(read_only)
}

/// The layers come from the options before it.
fn stacked(target: &OsStr, changes: Changes, options: MountOptions) -> Parsed {
    mounted(target, Source::Overlay(Layers { lower: Vec::new(), changes }), options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_read_only_root_the_upper_directory_is_the_topmost_layer() {
        let options =
            || LayerOptions { lower: vec!["a".into()], upper: Some("b".into()), ..Default::default() };
        assert_eq!(options().stack(true).unwrap().lower, ["a", "b"].map(PathBuf::from));
        assert_eq!(options().stack(false).unwrap().lower, ["a"].map(PathBuf::from));
        assert!(LayerOptions::default().stack(false).is_none());
    }
}
