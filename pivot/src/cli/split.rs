//! Values parted into names, and names into paths.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// Splits at `separator`, unless a backslash stands before it, which is then left out.
pub fn split_unescaped(text: &[u8], separator: u8) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let mut rest = text.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match (byte, parts.last_mut()) {
            (byte, _) if byte == separator => parts.push(Vec::new()),
            (b'\\', Some(last)) if rest.peek() == Some(&separator) => last.extend(rest.next()),
            (byte, Some(last)) => last.push(byte),
            (_, None) => {}
        }
    }
    parts
}

/// What stands before and after the first `=`; `\=` is one that belongs to DST.
pub fn parted_at_equals(text: &OsStr) -> Result<(OsString, OsString), String> {
    let bytes = text.as_bytes();
    let at = unescaped(bytes, b'=').ok_or("it has no =")?;
    let place = split_unescaped(&bytes[..at], b'=').concat();
    Ok((OsString::from_vec(place), OsStr::from_bytes(&bytes[at + 1..]).to_owned()))
}

/// Where the first `separator` without a backslash before it stands.
pub fn unescaped(text: &[u8], separator: u8) -> Option<usize> {
    (0..text.len()).find(|at| text[*at] == separator && (*at == 0 || text[at - 1] != b'\\'))
}

/// What stands before and after the first `separator`.
pub fn cut(text: &OsStr, separator: u8) -> Option<(&OsStr, &OsStr)> {
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..])))
}

/// The path below the root that an absolute path inside it means.
pub fn inside(target: &OsStr) -> Result<PathBuf, String> {
    let below = below_root(target)?;
    if below.as_os_str().is_empty() { Err("DST is the root itself".to_owned()) } else { Ok(below) }
}

/// The same; empty for the root.
pub fn below_root(target: &OsStr) -> Result<PathBuf, String> {
    let path = Path::new(target);
    if !path.is_absolute() {
        return Err("DST is not absolute".to_owned());
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err("DST has a .. in it".to_owned());
    }
    Ok(path.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}
