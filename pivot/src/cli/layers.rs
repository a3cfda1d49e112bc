//! The options that make the root of layers.

use crate::layers::{Changes, Layers};
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
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
        value_parser = OsStringValueParser::new().try_map(size))]
    pub upper_size: Option<OsString>,
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
                Changes::Lost { size: upper_size }
            }
        };
        (!lower.is_empty()).then_some(Layers { lower, changes })
    }
}

/// A number with one of the letters that tmpfs(5) knows, or none, or a share of the memory.
fn size(text: OsString) -> Result<OsString, &'static str> {
    let is_size = |text: &OsStr| {
        let bytes = text.as_bytes();
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let unit = &bytes[digits..];
        (1..=18).contains(&digits) && matches!(unit, [] | [b'k' | b'm' | b'g' | b'K' | b'M' | b'G' | b'%'])
    };
    if is_size(&text) { Ok(text) } else { Err("it is no size, such as 64M, 1G or 10%") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for good in ["0", "1", "64M", "64m", "1G", "100%", "123456789012345678k"] {
            assert!(size(good.into()).is_ok(), "{good}");
        }
        for bad in ["", "M", "-1", "1T", "1 M", "1Mi", "1,mode=0", "1234567890123456789", "%"] {
            assert!(size(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn of_a_read_only_root_the_upper_directory_is_the_topmost_layer() {
        let options =
            || LayerOptions { lower: vec!["a".into()], upper: Some("b".into()), ..Default::default() };
        assert_eq!(options().stack(true).unwrap().lower, ["a", "b"].map(PathBuf::from));
        assert_eq!(options().stack(false).unwrap().lower, ["a"].map(PathBuf::from));
        assert!(LayerOptions::default().stack(false).is_none());
    }
}
