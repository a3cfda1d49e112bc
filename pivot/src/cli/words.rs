//! The reader of OPTIONS.

use crate::cli::split::split_unescaped;
use crate::cli::vocabulary::{ATTRIBUTES, Effect, Word};
use crate::mount::idmap;
use crate::plan::MountOptions;
use chain::text::show;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Reads words parted by commas. `None` when none of them is known, and they do not look like options either: then
/// they are part of a name.
pub fn read(text: &[u8], known: &[&[Word]]) -> Result<Option<MountOptions>, String> {
    let words: Vec<&[u8]> = text.split(|byte| *byte == b',').collect();
    let find = |word: &&[u8]| {
        known.iter().copied().flatten().find(|row| row.name.as_bytes() == name_and_value(word).0)
    };
    let rows: Vec<_> = words.iter().map(find).collect();
    let looks_like_options = text.contains(&b'=') && !text.contains(&b'/');
    if rows.iter().all(Option::is_none) && !looks_like_options {
        return Ok(None);
    }
    let mut options = MountOptions::default();
    for (word, row) in words.iter().zip(rows) {
        let row = row.ok_or_else(|| {
            format!("{} is no option here; if it belongs to the name, add :rw", show(OsStr::from_bytes(word)))
        })?;
        row.apply(name_and_value(word).1, &mut options)?;
    }
    Ok(Some(options))
}

fn name_and_value(word: &[u8]) -> (&[u8], Option<&OsStr>) {
    match word.iter().position(|byte| *byte == b'=') {
        Some(at) => (&word[..at], Some(OsStr::from_bytes(&word[at + 1..]))),
        None => (word, None),
    }
}

impl Word {
    fn apply(&self, value: Option<&OsStr>, options: &mut MountOptions) -> Result<(), String> {
        let name = self.name;
        match (&self.effect, value) {
            (Effect::Ids, Some(map)) => options.ids = Some(idmap::parse(map)?),
            (Effect::Ids, None) => return Err("idmap needs a value: idmap=MAP".to_owned()),
            (Effect::Value(check), Some(value)) => {
                let text = value.to_str().unwrap_or_default();
                check(text).map_err(|why| format!("{name}={} is wrong: {why}", show(value)))?;
                options.parameters.push((name.into(), Some(value.to_owned())));
            }
            (Effect::Name, Some(value)) => options.parameters.push((name.into(), Some(value.to_owned()))),
            (Effect::Value(_) | Effect::Name, None) => {
                return Err(format!("{name} needs a value: {name}=VALUE"));
            }
            (_, Some(_)) => return Err(format!("{name} takes no value")),
            (Effect::Attributes(clear, set), None) => {
                options.set = options.set & !clear | set;
                options.clear = options.clear & !set | clear;
            }
            (Effect::Propagation(kind), None) => options.propagation = Some(*kind),
            (Effect::TopOnly, None) => options.top_only = true,
            (Effect::Fixed(name, value), None) => {
                options.parameters.push(((*name).into(), Some((*value).into())));
            }
        }
        Ok(())
    }
}

/// Parts what stands before a colon from the options behind it: the shortest tail that is options. Where there is
/// none, all is a name, unless a tail looks like options: its fault is then told. A map of ids has colons itself.
pub fn part<'a>(text: &'a OsStr, known: &[&[Word]]) -> Result<(&'a OsStr, MountOptions), String> {
    let bytes = text.as_bytes();
    let mut fault = None;
    for at in (0..bytes.len()).rev().filter(|at| bytes[*at] == b':') {
        let tail = &bytes[at + 1..];
        // Only names stand before a ":/".
        if tail.first() == Some(&b'/') {
            break;
        }
        match read(tail, known) {
            Ok(Some(options)) => return Ok((OsStr::from_bytes(&bytes[..at]), options)),
            Ok(None) => {}
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    fault.map_or(Ok((text, MountOptions::default())), Err)
}

/// OPTIONS of a file system that only the kernel knows: attributes are taken out, and the rest goes to it as it is. A
/// backslash before a comma makes it part of a value.
pub fn read_any(text: &OsStr) -> Result<MountOptions, String> {
    let mut options = MountOptions::default();
    for word in split_unescaped(text.as_bytes(), b',').into_iter().filter(|word| !word.is_empty()) {
        let (name, value) = name_and_value(&word);
        match ATTRIBUTES.iter().find(|row| row.name.as_bytes() == name) {
            Some(row) => row.apply(value, &mut options)?,
            None => options.parameters.push(parameter(name, value)?),
        }
    }
    Ok(options)
}

fn parameter(name: &[u8], value: Option<&OsStr>) -> Result<(OsString, Option<OsString>), String> {
    let name = OsStr::from_bytes(name);
    match value {
        _ if name.is_empty() => Err("an option has no name".to_owned()),
        Some(value) if value.len() > VALUE_MAX => {
            Err(format!("the value of {} is longer than 255 bytes, which fsconfig does not take", show(name)))
        }
        value => Ok((name.to_owned(), value.map(OsStr::to_owned))),
    }
}

/// fsconfig(2), FSCONFIG_SET_STRING
const VALUE_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::vocabulary::{BIND, PROC, TMPFS};
    use chain::sys::mount::{NOATIME, NODEV, NOSUID, RDONLY, STRICTATIME};

    fn of_bind(text: &str) -> Result<(String, MountOptions), String> {
        let (name, options) = part(OsStr::new(text), &[ATTRIBUTES, BIND])?;
        Ok((name.to_str().unwrap().to_owned(), options))
    }

    #[test]
    fn options_are_the_shortest_tail_that_is_known() {
        for (text, name) in [
            ("/b", "/b"),
            ("/b:ro", "/b"),
            ("/b:ro:rw", "/b:ro"),
            ("/b:c", "/b:c"),
            ("/b:", "/b:"),
            ("/b:c/d=e", "/b:c/d=e"),
            ("/b:noexec,idmap=0:1:2+g:3:4:5,slave", "/b"),
            ("a:/b:idmap=/proc/1/ns/user", "a:/b"),
            ("/x:size=3:rw", "/x:size=3"),
        ] {
            assert_eq!(of_bind(text).unwrap().0, name, "{text}");
        }
    }

    #[test]
    fn a_word_that_is_not_known_among_those_that_are_is_refused() {
        for text in ["/b:ro,nosiud", "/b:sise=1", "/b:ro,", "/b:ro=1", "/b:idmap=1", "/b:x,ro"] {
            assert!(of_bind(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        let attributes = |text: &str, default| of_bind(text).unwrap().1.attributes(default);
        assert_eq!(attributes("/b:ro,rw", 0), 0);
        assert_eq!(attributes("/b:rw,ro", 0), RDONLY);
        assert_eq!(attributes("/b:noatime,strictatime,nosuid", NOATIME), STRICTATIME | NOSUID);
        assert_eq!(attributes("/b:relatime,dev", NOATIME | NODEV), 0);
    }

    #[test]
    fn values_are_checked() {
        let read = |text: &str| read(text.as_bytes(), &[TMPFS, PROC]);
        for good in
            ["size=64M", "size=50%", "size=1", "mode=1777,uid=0,gid=5", "nr_inodes=10k", "pid,hidepid=2"]
        {
            assert!(read(good).unwrap().is_some(), "{good}");
        }
        for bad in [
            "size=",
            "size=M",
            "size=-1",
            "size",
            "mode=8",
            "mode=17777",
            "uid=4294967295",
            "uid=+1",
            "hidepid=x",
            "pid=1",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_backslash_keeps_a_separator() {
        assert_eq!(split_unescaped(br"a,b\,c\d,", b','), [&b"a"[..], br"b,c\d", b""]);
        let options = read_any(OsStr::new(r"ro,source=/a\,b,x,lower=1=2")).unwrap();
        let text = |text: &str| OsString::from(text);
        let expected =
            [(text("source"), Some(text("/a,b"))), (text("x"), None), (text("lower"), Some(text("1=2")))];
        assert_eq!((options.set, &options.parameters[..]), (RDONLY, &expected[..]));
    }
}
