//! Which hierarchies a group needs, and which file of them gets which text. Plain data.

use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::setting::{self, Amount, Key, MEMORY, SWAP, Setting, Wish};
use chain::text::show;
use chain::{Error, Result};

/// A line for a file of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The place in [`Hierarchies`].
    pub hierarchy: usize,
    /// The name of the file.
    pub file: String,
    /// What it gets.
    pub text: String,
    /// The word of the user's behind it; `None` for what follows from another, and is left out without its file.
    pub word: Option<String>,
}

/// A hierarchy in which the group gets a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The place in [`Hierarchies`].
    pub hierarchy: usize,
    /// What has to be enabled there.
    pub controllers: Vec<String>,
}

/// What is to be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Never empty. The first tracks the group: it is made first and removed last.
    pub uses: Vec<Use>,
    /// In the order in which the kernel accepts them.
    pub writes: Vec<Write>,
}

impl Plan {
    /// Finds a file for each setting, or says why there is none.
    pub fn new(settings: &[Setting], hierarchies: &Hierarchies) -> Result<Self> {
        let mut plan = Plan { uses: tracking(hierarchies), writes: Vec::new() };
        for setting in settings {
            match &setting.wish {
                Wish::Known(SWAP, _) => {}
                Wish::Known(name, amount) => {
                    let row = setting::key(name).ok_or_else(|| refused(setting, "there is no such key"))?;
                    plan.add(hierarchies, setting, row.controller, |hierarchy| {
                        (row.file(hierarchy), row.text(hierarchy, *amount))
                    })?;
                }
                Wish::Raw(file, text) => plan.add_raw(hierarchies, setting, file, text)?,
            }
        }
        plan.limit_swap(settings, hierarchies)?;
        plan.need_any(hierarchies)?;
        Ok(plan)
    }

    fn add(
        &mut self,
        hierarchies: &Hierarchies,
        setting: &Setting,
        controller: &str,
        line: impl FnOnce(&Hierarchy) -> (String, String),
    ) -> Result<()> {
        let hierarchy = hierarchies.of(controller).ok_or_else(|| absent(setting, controller, hierarchies))?;
        let (file, text) = line(&hierarchies.0[hierarchy]);
        let same = |other: &&Write| other.hierarchy == hierarchy && other.file == file;
        let first = self.writes.iter().find(same).and_then(|other| other.word.as_deref());
        if let Some(first) = first.filter(|first| !(is_line(first, &file) && is_line(&setting.word, &file))) {
            return Err(refused(setting, format_args!("{} sets {file} already", show(first))));
        }
        self.writes.push(Write { hierarchy, file, text, word: Some(setting.word.clone()) });
        self.enable(hierarchy, controller);
        Ok(())
    }

    fn add_raw(
        &mut self,
        hierarchies: &Hierarchies,
        setting: &Setting,
        file: &str,
        text: &str,
    ) -> Result<()> {
        let (controller, _) = file.split_once('.').unwrap_or((file, ""));
        let line = |_: &Hierarchy| (file.to_owned(), text.to_owned());
        if controller == "cgroup" {
            let unified =
                hierarchies.unified().ok_or_else(|| refused(setting, "cgroup v2 is not mounted here"))?;
            self.writes.push(Write {
                hierarchy: unified,
                file: file.to_owned(),
                text: text.to_owned(),
                word: Some(setting.word.clone()),
            });
            return Ok(());
        }
        if let (Some(index), Some(key)) = (hierarchies.of(controller), setting::key_of_file(file))
            && key.file(&hierarchies.0[index]) != file
        {
            let why = format!("the {controller} controller of this machine has no such file");
            return Err(refused(setting, why).hint(format_args!(
                "{}= sets {} here",
                key.name,
                key.file(&hierarchies.0[index])
            )));
        }
        self.add(hierarchies, setting, controller, line)
    }

    fn enable(&mut self, hierarchy: usize, controller: &str) {
        let at = self.uses.iter().position(|used| used.hierarchy == hierarchy).unwrap_or_else(|| {
            self.uses.push(Use { hierarchy, controllers: Vec::new() });
            self.uses.len() - 1
        });
        let controllers = &mut self.uses[at].controllers;
        if !controllers.iter().any(|name| name == controller) {
            controllers.push(controller.to_owned());
        }
    }

    /// Without a word about swap, a limit on memory is a limit on memory: no swap beyond it.
    fn limit_swap(&mut self, settings: &[Setting], hierarchies: &Hierarchies) -> Result<()> {
        let row = |name| {
            settings.iter().find_map(|setting| match setting.wish {
                Wish::Known(key, amount) if key == name => Some((setting, amount)),
                _ => None,
            })
        };
        let (memory, swap) = (row(MEMORY).map(|(_, amount)| amount), row(SWAP));
        let (Some(key), Some(index)) = (setting::key(SWAP), hierarchies.of("memory")) else {
            return swap.map_or(Ok(()), |(setting, _)| Err(absent(setting, "memory", hierarchies)));
        };
        let hierarchy = &hierarchies.0[index];
        let file = key.file(hierarchy);
        let amount = match (memory, swap) {
            (_, Some((setting, amount))) => {
                amount_of_swap(hierarchy.version, memory, amount).map_err(|why| refused(setting, why))?
            }
            (Some(Amount::Number(memory)), None) if !self.writes.iter().any(|write| write.file == file) => {
                Amount::Number(if hierarchy.version == Version::V1 { memory } else { 0 })
            }
            _ => return Ok(()),
        };
        let text = key.text(hierarchy, amount);
        match swap {
            Some((setting, _)) => self.add(hierarchies, setting, key.controller, |_| (file, text)),
            None => {
                self.writes.push(Write { hierarchy: index, file, text, word: None });
                Ok(())
            }
        }
    }

    /// Without any limit and without cgroup v2, a group is still a group: of the freezer, which helps to end it.
    fn need_any(&mut self, hierarchies: &Hierarchies) -> Result<()> {
        if self.uses.is_empty() {
            let visible = |index: &usize| hierarchies.0.get(*index).is_some();
            let index = hierarchies.of("freezer").or(Some(0)).filter(visible).ok_or_else(|| {
                Error::new("make a group", "no cgroup file system is mounted")
                    .hint("mount -t cgroup2 cgroup2 /sys/fs/cgroup")
            })?;
            self.uses.push(Use { hierarchy: index, controllers: Vec::new() });
        }
        Ok(())
    }
}

impl Key {
    fn file(&self, hierarchy: &Hierarchy) -> String {
        let file = if hierarchy.version == Version::V1 { &self.v1 } else { &self.v2 };
        file.name.to_owned()
    }

    fn text(&self, hierarchy: &Hierarchy, amount: Amount) -> String {
        let file = if hierarchy.version == Version::V1 { &self.v1 } else { &self.v2 };
        (file.text)(amount)
    }
}

fn tracking(hierarchies: &Hierarchies) -> Vec<Use> {
    hierarchies.tracking().map(|hierarchy| Use { hierarchy, controllers: Vec::new() }).into_iter().collect()
}

/// The file of v1 counts memory and swap together.
fn amount_of_swap(version: Version, memory: Option<Amount>, swap: Amount) -> Result<Amount, String> {
    match (version, memory, swap) {
        (Version::V2, _, swap) => Ok(swap),
        (Version::V1, _, Amount::Max) => Ok(Amount::Max),
        (Version::V1, Some(Amount::Number(memory)), Amount::Number(swap)) => memory
            .checked_add(swap)
            .filter(|sum| *sum <= crate::size::MOST)
            .map(Amount::Number)
            .ok_or("too large together with m".to_owned()),
        (Version::V1, ..) => Err("cgroup v1 limits memory and swap together, so it needs m=SIZE".to_owned()),
    }
}

/// One of several lines for a file that keeps one for each device.
fn is_line(word: &str, file: &str) -> bool {
    word.strip_prefix(file).is_some_and(|value| value.starts_with('=') && value.contains(' '))
}

fn refused(setting: &Setting, why: impl std::fmt::Display) -> Error {
    Error::new(format_args!("set {}", show(&setting.word)), why)
}

fn absent(setting: &Setting, controller: &str, hierarchies: &Hierarchies) -> Error {
    let usable = hierarchies.controllers().join(", ");
    let usable = if usable.is_empty() { "none".to_owned() } else { usable };
    refused(setting, format_args!("the {} controller is not available here", show(controller)))
        .hint(format_args!("available: {usable}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn hierarchy(version: Version, controllers: &[&str]) -> Hierarchy {
        let controllers: Vec<String> = controllers.iter().map(|name| (*name).to_owned()).collect();
        let mount = format!("/{}", controllers.join(",")).into();
        Hierarchy::new(version, mount, controllers, Some("".into()))
    }

    fn v1() -> Hierarchies {
        let each = [&["cpu", "cpuacct"][..], &["memory"], &["pids"], &["freezer"]];
        Hierarchies(each.map(|controllers| hierarchy(Version::V1, controllers)).into())
    }

    fn v2() -> Hierarchies {
        Hierarchies(vec![hierarchy(Version::V2, &["cpu", "memory", "pids"])])
    }

    fn hybrid() -> Hierarchies {
        Hierarchies(vec![hierarchy(Version::V1, &["memory"]), hierarchy(Version::V2, &["hugetlb"])])
    }

    fn plan(words: &[&str], hierarchies: &Hierarchies) -> Result<Plan> {
        let settings: Vec<Setting> =
            words.iter().map(|word| Setting::parse(OsStr::new(word)).unwrap()).collect();
        Plan::new(&settings, hierarchies)
    }

    /// `file=text` of each line.
    fn lines(words: &[&str], hierarchies: &Hierarchies) -> Vec<String> {
        let writes = plan(words, hierarchies).unwrap().writes;
        writes.iter().map(|write| format!("{}={}", write.file, write.text)).collect()
    }

    #[test]
    fn memory_is_limited_without_swap_unless_that_is_asked_for() {
        let (limit, both) = ("memory.limit_in_bytes=1048576", "memory.memsw.limit_in_bytes");
        let max = "memory.max=1048576";
        assert_eq!(lines(&["m=1M"], &v1()), [limit, &format!("{both}=1048576")]);
        assert_eq!(lines(&["swap=1M", "m=1M"], &v1()), [limit, &format!("{both}=2097152")]);
        assert_eq!(lines(&["m=1M", "swap=max"], &v1()), [limit, &format!("{both}=-1")]);
        assert_eq!(lines(&["m=max"], &v1()), ["memory.limit_in_bytes=-1"]);
        assert_eq!(lines(&["m=1M", "memory.memsw.limit_in_bytes=2M"], &v1()), [limit, &format!("{both}=2M")]);
        assert_eq!(lines(&["m=1M"], &v2()), [max, "memory.swap.max=0"]);
        assert_eq!(lines(&["m=1M", "swap=2M"], &v2()), [max, "memory.swap.max=2097152"]);
        assert_eq!(lines(&["swap=2M"], &v2()), ["memory.swap.max=2097152"]);
        assert_eq!(lines(&["m=1M", "memory.swap.max=5"], &v2()), [max, "memory.swap.max=5"]);
        assert!(plan(&["swap=1M"], &v1()).is_err());
        assert!(plan(&["m=1M", "swap=9223372036854775807"], &v1()).is_err());
    }

    #[test]
    fn what_follows_from_a_limit_may_be_missing_in_the_kernel() {
        let optional = |words: &[&str]| plan(words, &v2()).unwrap().writes[1].word.is_none();
        assert!(optional(&["m=1M"]));
        assert!(!optional(&["m=1M", "swap=0"]));
    }

    #[test]
    fn the_unified_tree_tracks_and_else_the_freezer() {
        let places = |words: &[&str], all: &Hierarchies| -> Vec<String> {
            let uses = plan(words, all).unwrap().uses;
            uses.iter()
                .map(|used| {
                    format!("{}+{}", all.0[used.hierarchy].mount.display(), used.controllers.join("+"))
                })
                .collect()
        };
        assert_eq!(places(&[], &v2()), ["/cpu,memory,pids+"]);
        assert_eq!(places(&["m=1M", "weight=5", "cpu=1"], &v2()), ["/cpu,memory,pids+memory+cpu"]);
        assert_eq!(places(&["m=1M"], &hybrid()), ["/hugetlb+", "/memory+memory"]);
        assert_eq!(places(&["hugetlb.2MB.max=0"], &hybrid()), ["/hugetlb+hugetlb"]);
        assert_eq!(places(&["weight=5", "cpu=1"], &v1()), ["/freezer+", "/cpu,cpuacct+cpu"]);
        assert_eq!(places(&[], &Hierarchies(vec![hierarchy(Version::V1, &["pids"])])), ["/pids+"]);
    }

    #[test]
    fn what_cannot_be_done_here_is_refused() {
        let table: [(&[&str], Hierarchies, &str); 7] = [
            (&["io.max=1"], v1(), "the io controller is not available here"),
            (&["pids=1"], hybrid(), "the pids controller is not available here"),
            (&["memory.max=1M"], v1(), "has no such file"),
            (&["memory.limit_in_bytes=1M"], v2(), "has no such file"),
            (&["cgroup.max.depth=1"], v1(), "cgroup v2 is not mounted here"),
            (&["cpu=1", "cpu.max=1 2"], v2(), "sets cpu.max already"),
            (&[], Hierarchies(Vec::new()), "no cgroup file system is mounted"),
        ];
        for (words, all, why) in table {
            let error = plan(words, &all).unwrap_err().to_string();
            assert!(error.contains(why), "{words:?}: {error}");
        }
    }
}
