//! What `--toolbox` was asked for: `[SRC][:DST]`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// Where the tools appear, unless another place is named.
const PLACE: &str = "/.toolbox";

/// Tools of the caller's, and their place in the root of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A directory or a program; without one busybox is looked for.
    pub source: Option<PathBuf>,
    /// An absolute path without `.` and `..`, and not `/`.
    pub place: PathBuf,
}

impl Request {
    /// The place begins at the last `:/`, so that a source may have colons in its name.
    pub fn parse(text: &OsStr) -> Result<Self, &'static str> {
        let bytes = text.as_bytes();
        let split = bytes.windows(2).rposition(|pair| pair == b":/");
        let (source, place) = match split {
            Some(at) => (&bytes[..at], OsStr::from_bytes(&bytes[at + 1..])),
            None => (bytes, OsStr::new(PLACE)),
        };
        let place = PathBuf::from(place);
        let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        if !place.components().all(is_plain) {
            return Err("the tools cannot have a place with .. in its path");
        }
        match place.components().count() {
            0 | 1 => Err("the tools cannot take the place of the root directory"),
            _ => Ok(Request { source: (!source.is_empty()).then(|| path(source)), place }),
        }
    }

    /// The same without a value.
    pub fn usual() -> Self {
        Request { source: None, place: PLACE.into() }
    }

    /// The place relative to the root.
    pub fn below_root(&self) -> Vec<&OsStr> {
        names(&self.place)
    }
}

/// The names on a path, without its root.
fn names(path: &Path) -> Vec<&OsStr> {
    let name = |part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

fn path(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_vec()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_place_are_told_apart() {
        for (text, source, place) in [
            ("/srv/tools", Some("/srv/tools"), PLACE),
            ("tools", Some("tools"), PLACE),
            ("/nix:/nix", Some("/nix"), "/nix"),
            (":/opt/t", None, "/opt/t"),
            ("a:b:/c", Some("a:b"), "/c"),
            ("a:b", Some("a:b"), PLACE),
            ("/a:/b/./c/", Some("/a"), "/b/c"),
        ] {
            let request = Request::parse(OsStr::new(text)).unwrap();
            assert_eq!(request.source.as_deref(), source.map(Path::new), "{text}");
            assert_eq!(request.place.components().collect::<PathBuf>(), Path::new(place), "{text}");
        }
        assert_eq!(Request::parse(OsStr::new("/a:/b/c")).unwrap().below_root(), ["b", "c"]);
    }

    #[test]
    fn places_that_are_none_are_refused() {
        for text in ["/a:/", "/a://", ":/", "/a:/b/../c", "/a:/.."] {
            assert!(Request::parse(OsStr::new(text)).is_err(), "{text}");
        }
    }
}
