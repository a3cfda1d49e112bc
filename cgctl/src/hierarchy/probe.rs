//! Whether the kernel has a file, as far as groups that are there show it: nothing is made for the question.

use crate::hierarchy::{Hierarchies, file, tree};
use crate::vocabulary::keys::{File, IO_WEIGHT, Key};
use std::path::{Path, PathBuf};

/// Whether a key works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A group has the file.
    Yes,
    /// No group can have it, for this reason.
    No(String),
    /// There is no group that would show it, for this reason.
    Untried(String),
}

/// A group below the top in each hierarchy, which has the files of the most controllers.
#[derive(Debug)]
pub struct Witness(Vec<Vec<PathBuf>>);

/// Files of the top that come together with io.weight or its like.
const SIGNS_OF_IO_WEIGHT: [&str; 2] = ["io.cost.qos", "blkio.bfq.io_service_bytes"];

/// Enough to find one of each kind.
const MOST: usize = 200;

impl Witness {
    /// Looks for them.
    pub fn call(all: &Hierarchies) -> Self {
        Witness(all.0.iter().map(|hierarchy| groups(&hierarchy.mount)).collect())
    }

    /// Whether a file is there: some are at the top, most are in other groups only, and of v2 only where the
    /// controller has been enabled.
    pub fn ask(&self, key: &Key, file: &File, hierarchy: usize) -> Verdict {
        let sizes = if key.has_size() { page_sizes() } else { vec![String::new()] };
        if sizes.is_empty() {
            return Verdict::No("this machine has no huge pages".to_owned());
        }
        let groups = &self.0[hierarchy];
        let has = |group: &&PathBuf| {
            key.files(file, &sizes[0]).next().is_some_and(|name| group.join(name).exists())
        };
        if groups.iter().any(|group| has(&group)) {
            return Verdict::Yes;
        }
        let top = groups.first();
        let has_sign = |sign: &&str| top.is_some_and(|top| top.join(sign).exists());
        if key.has_size() || key.name == IO_WEIGHT && SIGNS_OF_IO_WEIGHT.iter().any(has_sign) {
            return Verdict::Yes;
        }
        let is_v1 = top.is_some_and(|top| top.join("tasks").exists());
        // A group that is not the top, with the controller, and yet without the file; looked at after that.
        let counterexample =
            groups.iter().skip(1).any(|group| (is_v1 || offers(group, file.controller)) && is_in_use(group));
        let names: Vec<String> = key.files(file, &sizes[0]).collect();
        match (counterexample, key.needs) {
            (true, needs) => {
                let needs = needs.map(|needs| format!(": it needs {needs}")).unwrap_or_default();
                Verdict::No(format!("this kernel has no file {}{needs}", names.join(", ")))
            }
            (false, None) => Verdict::Yes,
            (false, Some(needs)) => {
                Verdict::Untried(format!("it needs {needs}, and no group shows whether that is here"))
            }
        }
    }
}

fn offers(group: &Path, controller: &str) -> bool {
    let offered = file::read_path(group.join("cgroup.controllers")).unwrap_or_default();
    controller == "cgroup" || offered.split_whitespace().any(|name| name == controller)
}

/// Of a group that is being removed the files go first. One that holds processes or groups is not being removed.
fn is_in_use(group: &Path) -> bool {
    let has_processes = file::read_path(group.join("cgroup.procs")).is_ok_and(|list| !list.is_empty());
    has_processes || file::directory(group).is_ok_and(|directory| !tree::groups(directory).is_empty())
}

fn groups(mount: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Ok(top) = file::directory(mount) {
        let _ = tree::each(&top, |_, path| {
            if found.len() < MOST {
                found.push(mount.join(path));
            }
        });
    }
    found
}

/// The sizes of huge pages as cgroups write them: hugepages-2048kB is 2MB.
pub fn page_sizes() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/sys/kernel/mm/hugepages") else { return Vec::new() };
    let kilobytes = |name: &str| name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok();
    let mut sizes: Vec<u64> =
        entries.flatten().filter_map(|entry| kilobytes(entry.file_name().to_str()?)).collect();
    sizes.sort_unstable();
    sizes
        .into_iter()
        .map(|size| match size {
            size if size >= 1 << 20 => format!("{}GB", size >> 20),
            size if size >= 1 << 10 => format!("{}MB", size >> 10),
            size => format!("{size}KB"),
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{Verdict, Witness};
    use crate::hierarchy::Hierarchies;
    use crate::vocabulary::keys::KEYS;

    #[test]
    fn a_group_that_has_gone_since_it_was_found_shows_nothing() {
        let key = KEYS.iter().find(|key| key.name == "pids").unwrap();
        let all = Hierarchies::discover().unwrap();
        let Ok((index, file)) = key.place(&all) else { return };
        let top = all.0[index].mount.clone();
        let mut groups = vec![Vec::new(); index];
        groups.push(vec![top.clone(), top.join("gone")]);
        assert_eq!(Witness(groups).ask(key, file, index), Verdict::Yes);
    }
}
