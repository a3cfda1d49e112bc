//! What a word `KEY=VALUE` means.

use crate::vocabulary::keys::{self, KEYS, Key, Named};
use crate::vocabulary::value::Value;
use chain::text::show;
use chain::{Error, Result};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A wish of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The word as it was given, for messages.
    pub word: String,
    /// What it means.
    pub wish: Wish,
}

/// What a word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A row of [`KEYS`] and its value.
    Known(Named, Value),
    /// A file of the kernel and the text for it.
    Raw(String, String),
}

impl Setting {
    /// Reads a word `KEY=VALUE`. Refuses what is unknown or out of range, saying what is allowed.
    pub fn parse(word: &OsStr) -> Result<Self> {
        let text = word.to_str().ok_or_else(|| refused(word, "it is not UTF-8"))?;
        let (name, value) = text.split_once('=').ok_or_else(|| refused(word, "there is no ="))?;
        let wish = match keys::find(name) {
            Some((key, named)) => {
                let value = known(key, &named, value).map_err(|why| refused(word, why).hint(takes(key)))?;
                Wish::Known(named, value)
            }
            None => raw(name, value)
                .map_err(|why| Error::new(format_args!("set {}", show(word)), why).hint(instead(name)))?,
        };
        Ok(Setting { word: text.to_owned(), wish })
    }

    /// Reads all words, and refuses a key that is given twice.
    pub fn parse_all(words: &[OsString]) -> Result<Vec<Self>> {
        let settings = words.iter().map(|word| Setting::parse(word)).collect::<Result<Vec<_>>>()?;
        for (index, setting) in settings.iter().enumerate() {
            if let Some(first) = settings[..index].iter().find(|first| overrides(&setting.wish, &first.wish))
            {
                let why = format!("{} is there already", show(&first.word));
                return Err(Error::new(format_args!("set {}", show(&setting.word)), why));
            }
        }
        Ok(settings)
    }

    /// The value, when it is of this row.
    pub fn value_of(&self, row: &str) -> Option<&Value> {
        match &self.wish {
            Wish::Known(named, value) if named.row == row => Some(value),
            _ => None,
        }
    }
}

/// The word is one of this kind, and no name.
pub fn is_setting(word: &OsStr) -> bool {
    word.as_bytes().contains(&b'=')
}

/// A file that takes a line for each device may be written several times; its values are of several words.
fn overrides(second: &Wish, first: &Wish) -> bool {
    match (second, first) {
        (Wish::Known(_, Value::Io(second)), Wish::Known(_, Value::Io(first))) => {
            second.device == first.device
        }
        (Wish::Known(second, _), Wish::Known(first, _)) => second == first,
        (Wish::Raw(second, value), Wish::Raw(first, before)) => {
            second == first && (value == before || !value.contains(' '))
        }
        _ => false,
    }
}

fn refused(word: &OsStr, why: impl std::fmt::Display) -> Error {
    Error::new(format_args!("set {}", show(word)), why).hint(vocabulary())
}

fn takes(key: &Key) -> String {
    format!("{} takes {}", key.name, key.takes)
}

/// What there is to choose from.
pub fn vocabulary() -> String {
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    format!("the keys are {}, and files of the kernel such as memory.high or cpuset.cpus", names.join(", "))
}

fn known(key: &Key, named: &Named, value: &str) -> Result<Value, String> {
    if value.is_empty() {
        return Err("its value is missing".to_owned());
    }
    (key.parse)(value, &named.size)
}

/// Files that move, end or rearrange processes, or make the group unfit for one; and what does that here.
const NO_LIMITS: [(&str, &str); 8] = [
    ("cgroup.procs", "`cgctl move` puts a process into a group, `cgctl exec` starts one there"),
    ("cgroup.threads", "`cgctl move` puts a process into a group, with all its threads"),
    ("cgroup.kill", "`cgctl kill` ends what is in a group"),
    ("cgroup.type", "a group of cgctl has whole processes in it"),
    ("cgroup.subtree_control", "a limit enables the controller that it needs"),
    ("cgroup.event_control", "`cgctl events` tells what happens"),
    ("cgroup.freeze", "`cgctl freeze` and `cgctl thaw` do that"),
    ("freezer.state", "`cgctl freeze` and `cgctl thaw` do that"),
];

/// What to write in place of a word that is none.
fn instead(name: &str) -> String {
    if let Some((_, verb)) = NO_LIMITS.iter().find(|(file, _)| *file == name) {
        return (*verb).to_owned();
    }
    let lower = name.to_lowercase();
    let near =
        KEYS.iter().map(|key| key.name).filter(|key| lower.starts_with(key)).max_by_key(|key| key.len());
    match near {
        Some(key) if !is_file(name) => format!("did you mean {key}=? {}", vocabulary()),
        _ => vocabulary(),
    }
}

fn raw(file: &str, value: &str) -> Result<Wish, String> {
    match () {
        () if !is_file(file) => Err(format!("there is no key {}", show(file))),
        () if NO_LIMITS.iter().any(|(name, _)| *name == file) => Err(format!("{file} is no limit")),
        () if value.is_empty() => Err("its value is missing".to_owned()),
        () if value.contains(char::is_control) => Err("the value has a control character in it".to_owned()),
        () => Ok(Wish::Raw(file.to_owned(), value.to_owned())),
    }
}

/// It can be the name of a file of a controller.
pub fn is_file(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let in_a_controller =
        name.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty());
    in_a_controller && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text for the files of v2 and v1.
    fn written(word: &str) -> (String, String) {
        let Wish::Known(named, value) = Setting::parse(OsStr::new(word)).unwrap().wish else {
            panic!("{word} is no key");
        };
        let text = |side: &keys::Side| side.file().map_or("none".to_owned(), |file| (file.text)(&value));
        (text(&named.key().v2), text(&named.key().v1))
    }

    #[test]
    fn each_key_is_written_as_either_version_wants_it() {
        let table = [
            ("m=64M", "67108864", "67108864"),
            ("mem.max=max", "max", "-1"),
            ("swap=0", "0", "0"),
            ("mem.high=1k", "1024", "none"),
            ("mem.low=0", "0", "none"),
            ("mem.min=max", "max", "none"),
            ("swap.high=1M", "1048576", "none"),
            ("zswap.max=0", "0", "none"),
            ("zswap.writeback=0", "0", "none"),
            ("oom.group=1", "1", "none"),
            ("cpu=0.5", "50000 100000", "50000"),
            ("cpu=150%", "150000 100000", "150000"),
            ("cpu=max", "max 100000", "-1"),
            ("cpu=0.01", "1000 100000", "1000"),
            ("cpu.burst=0.25", "25000", "25000"),
            ("cpu.burst=0", "0", "0"),
            ("weight=100", "100", "1024"),
            ("weight=1", "1", "10"),
            ("weight=10000", "10000", "102400"),
            ("cpu.idle=1", "1", "1"),
            ("cpus=0-1,3", "0-1,3", "0-1,3"),
            ("mems=all", "\n", "\n"),
            ("pids=5", "5", "5"),
            ("pids=max", "max", "max"),
            ("io.weight=50", "50", "50"),
            ("io.weight=10000", "10000", "1000"),
            ("hugetlb.2MB=4M", "4194304", "4194304"),
            ("hugetlb.1G=max", "max", "-1"),
            ("depth=3", "3", "none"),
            ("descendants=max", "max", "none"),
        ];
        for (word, v2, v1) in table {
            assert_eq!(written(word), (v2.to_owned(), v1.to_owned()), "{word}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_reason() {
        let table = [
            ("m=64X", "X is not a unit"),
            ("m=", "its value is missing"),
            ("m=0", "the least is 4096"),
            ("m=-1", "-1 is not a number"),
            ("m=99999999999999999999", "too large"),
            ("cpu=-1", "-1 is not a number"),
            ("cpu=0", "the least is 0.01"),
            ("cpu=2x", "x is not a unit of it"),
            ("cpu=999999999", "too large"),
            ("cpu.burst=max", "max is not a number"),
            ("weight=0", "the least is 1"),
            ("weight=10001", "the most is 10000"),
            ("weight=max", "max is not a number"),
            ("weight=1.5", "1.5 is not a whole number"),
            ("pids=0", "the least is 1"),
            ("pids=5%", "5% is not a whole number"),
            ("pids=4194305", "the most is 4194304"),
            ("oom.group=yes", "yes is neither 0 nor 1"),
            ("cpus=1-0", "1-0 is neither a number nor a range"),
            ("io=/dev/null:rbps=1", "is a character device"),
            ("hugetlb.2MB=3M", "no multiple of the page size 2MB"),
            ("hugetlb.2X=3M", "hugetlb controller"),
            ("hugetlb.SIZE=1", "hugetlb controller"),
            ("depth=-1", "-1 is not a number"),
            ("foo=1", "there is no key foo"),
            ("=1", "there is no key ''"),
            ("memory.=1", "there is no key memory."),
            ("../memory.max=1", "there is no key ../memory.max"),
            ("memory.high=", "its value is missing"),
            ("cgroup.procs=1", "cgroup.procs is no limit"),
            ("release_agent=/x", "there is no key release_agent"),
            ("memory.high=1\n2", "control character"),
        ];
        for (word, why) in table {
            match Setting::parse(OsStr::new(word)) {
                Err(error) => assert!(error.to_string().contains(why), "{word}: {error}"),
                // A file of the kernel for all that the table knows; the kernel says no.
                Ok(setting) => {
                    assert!(matches!(setting.wish, Wish::Raw(..)) && why.contains("hugetlb"), "{word}");
                }
            }
        }
    }

    #[test]
    fn files_of_the_kernel_pass_as_they_are() {
        let wish = Setting::parse(OsStr::new("hugetlb.2MB.max=1 a=b")).unwrap().wish;
        assert_eq!(wish, Wish::Raw("hugetlb.2MB.max".to_owned(), "1 a=b".to_owned()));
    }

    /// Reading what was written gives the same value, in both versions.
    #[test]
    fn each_key_is_read_as_it_was_written() {
        let words = "m=64M m=max mem.high=1k mem.low=0 mem.min=max swap.high=1M zswap.max=0 zswap.writeback=0 oom.group=1 \
            cpu=0.5 cpu=max cpu.burst=0.25 weight=1 weight=33 weight=100 weight=10000 cpu.idle=1 cpus=0-1,3 mems=all \
            pids=5 pids=max io.weight=50 io.weight=1090 hugetlb.2MB=4M depth=3 descendants=max";
        for word in words.split_whitespace() {
            let setting = Setting::parse(OsStr::new(word)).unwrap();
            let Wish::Known(named, value) = &setting.wish else { panic!("{word} is no key") };
            let key = named.key();
            for file in [&key.v2, &key.v1].into_iter().filter_map(keys::Side::file) {
                let written = (file.text)(value);
                let sibling = |name: &str| (name == "cpu.cfs_period_us").then(|| "100000\n".to_owned());
                let read = (file.read)(written.trim(), &sibling);
                assert_eq!(read.as_ref(), Some(value), "{word}: {}", file.name);
                let shown = format!("{named}={}", crate::vocabulary::value::text(value, key.unit));
                assert_eq!(Setting::parse(OsStr::new(&shown)).unwrap().wish, setting.wish, "{shown}");
            }
        }
    }

    #[test]
    fn swap_of_v1_is_what_is_left_of_both() {
        let file = keys::find("swap").unwrap().0.v1.file().unwrap();
        let number = |number| Some(Value::Amount(crate::vocabulary::value::Amount::Number(number)));
        let sibling = |limit: &'static str| move |_: &str| Some(limit.to_owned());
        assert_eq!((file.read)("3000", &sibling("1000\n")), number(2000));
        let max = Some(Value::Amount(crate::vocabulary::value::Amount::Max));
        assert_eq!((file.read)("9223372036854771712", &sibling("1000")), max);
        assert_eq!((file.read)("9223372036854771712", &sibling("9223372036854771712")), max);
    }
}
