//! A plan made of settings.

use crate::hierarchy::Hierarchies;
use crate::plan::order::{is_line, is_one, rank};
use crate::plan::refusal::{absent, cannot, refused};
use crate::plan::{Plan, Present, Use, Write, advice, swap};
use crate::vocabulary::keys::{self, MEMORY, SWAP};
use crate::vocabulary::setting::{Setting, Wish};
use crate::vocabulary::value::{Amount, Value};
use chain::text::show;
use chain::{Error, Result};

impl Plan {
    /// Finds a file for each setting, or says why there is none.
    pub fn new(settings: &[Setting], present: Present, hierarchies: &Hierarchies) -> Result<Self> {
        let mut plan = Plan { uses: tracking(hierarchies), writes: Vec::new() };
        for setting in settings {
            match &setting.wish {
                Wish::Known(named, _) if named.row == SWAP => {}
                Wish::Known(..) => plan.add_known(hierarchies, setting, present)?,
                Wish::Raw(file, text) => plan.add_raw(hierarchies, setting, file, text)?,
            }
        }
        plan.limit_swap(settings, present, hierarchies)?;
        plan.need_any(hierarchies)?;
        plan.writes.sort_by_key(|write| write.rank);
        Ok(plan)
    }

    fn add_known(&mut self, all: &Hierarchies, setting: &Setting, present: Present) -> Result<()> {
        let Wish::Known(named, value) = &setting.wish else { return Ok(()) };
        let key = named.key();
        let (hierarchy, file) = key.place(all).map_err(|why| absent(setting, why, all))?;
        let rank = rank(named.row, value, present);
        for (name, text) in key.writes(file, &named.size, value) {
            self.add(hierarchy, setting, name, text, rank)?;
        }
        self.enable(hierarchy, file.controller);
        Ok(())
    }

    fn add(
        &mut self,
        hierarchy: usize,
        setting: &Setting,
        file: String,
        text: String,
        rank: i8,
    ) -> Result<()> {
        let same = |other: &&Write| other.hierarchy == hierarchy && is_one(&other.file, &file);
        let first = self.writes.iter().find(same).and_then(|other| other.word.as_deref());
        if let Some(first) = first.filter(|first| !(is_line(first, &file) && is_line(&setting.word, &file))) {
            return Err(refused(setting, format_args!("{} sets {file} already", show(first))));
        }
        self.writes.push(Write { hierarchy, file, text, word: Some(setting.word.clone()), rank });
        Ok(())
    }

    fn add_raw(&mut self, all: &Hierarchies, setting: &Setting, file: &str, text: &str) -> Result<()> {
        let (controller, _) = file.split_once('.').unwrap_or((file, ""));
        if let Some((key, named)) = keys::of_file(file) {
            let (_, here) = key.place(all).map_err(|why| absent(setting, why, all))?;
            let here = here.name(&named.size);
            if here != file {
                let why = format!("the {controller} controller of this machine has no such file");
                return Err(refused(setting, why).hint(format_args!("{named}= sets {here} here")));
            }
        }
        let hierarchy = match controller {
            "cgroup" => all.unified().ok_or_else(|| absent(setting, keys::Absent::NoV2, all))?,
            _ => all.of(controller).ok_or_else(|| cannot(setting, controller, all))?,
        };
        self.add(hierarchy, setting, file.to_owned(), text.to_owned(), 0)?;
        self.enable(hierarchy, controller);
        Ok(())
    }

    fn enable(&mut self, hierarchy: usize, controller: &str) {
        let at = self.uses.iter().position(|used| used.hierarchy == hierarchy).unwrap_or_else(|| {
            self.uses.push(Use { hierarchy, controllers: Vec::new() });
            self.uses.len() - 1
        });
        let controllers = &mut self.uses[at].controllers;
        // What every group has needs no enabling.
        if controller != "cgroup" && !controllers.iter().any(|name| name == controller) {
            controllers.push(controller.to_owned());
        }
    }

    /// Without a word about swap, a limit on memory is a limit on memory: no swap beyond it.
    fn limit_swap(&mut self, settings: &[Setting], present: Present, all: &Hierarchies) -> Result<()> {
        let find = |row| settings.iter().find_map(|setting| Some((setting, amount(setting.value_of(row)?)?)));
        let (memory, swap) = (find(MEMORY).map(|(_, amount)| amount), find(SWAP));
        let Some((key, _)) = keys::find(SWAP).filter(|_| memory.is_some() || swap.is_some()) else {
            return Ok(());
        };
        let (hierarchy, file) = match (key.place(all), swap) {
            (Ok(place), _) => place,
            (Err(why), Some((setting, _))) => return Err(absent(setting, why, all)),
            (Err(_), None) => return Ok(()),
        };
        let version = all.0[hierarchy].version;
        let is_set = self.writes.iter().any(|write| write.file == file.name);
        let wanted = match (memory, swap) {
            (_, Some((setting, swap))) => {
                let memory = memory.unwrap_or(present.memory);
                Some(swap::asked(version, memory, swap).map_err(|why| refused(setting, why))?)
            }
            (Some(memory), None) if !is_set => swap::implied(version, memory, present),
            _ => None,
        };
        let Some(wanted) = wanted else { return Ok(()) };
        let text = (file.text)(&Value::Amount(wanted));
        let rank = swap::rank(version, wanted, present);
        match swap {
            Some((setting, _)) => {
                self.add(hierarchy, setting, file.name.to_owned(), text, rank)?;
                self.enable(hierarchy, file.controller);
            }
            None => {
                self.writes.push(Write { hierarchy, file: file.name.to_owned(), text, word: None, rank });
            }
        }
        Ok(())
    }

    /// Without any limit and without cgroup v2, a group is still a group: of the freezer, which helps to end it.
    fn need_any(&mut self, hierarchies: &Hierarchies) -> Result<()> {
        if self.uses.is_empty() {
            let visible = |index: &usize| hierarchies.0.get(*index).is_some();
            let index = hierarchies.of("freezer").or(Some(0)).filter(visible).ok_or_else(|| {
                Error::new("make a group", "no cgroup file system is mounted").hint(advice::MOUNT)
            })?;
            self.uses.push(Use { hierarchy: index, controllers: Vec::new() });
        }
        Ok(())
    }
}

fn tracking(hierarchies: &Hierarchies) -> Vec<Use> {
    hierarchies.tracking().map(|hierarchy| Use { hierarchy, controllers: Vec::new() }).into_iter().collect()
}

fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::Amount(amount) => Some(*amount),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hierarchy::{Hierarchy, Version};
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
        Plan::new(&settings, Present::NEW, hierarchies)
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
    fn traffic_of_a_device_is_a_line_in_one_version_and_files_in_the_other() {
        let word = ["io=0:0:rbps=1k,wiops=max"];
        let setting = || Setting {
            word: word[0].to_owned(),
            wish: Wish::Known(
                keys::find("io").unwrap().1,
                Value::Io(crate::vocabulary::device::Io::of_line("0:0 rbps=1024 wiops=max").unwrap()),
            ),
        };
        let written = |version, controller| {
            let all = Hierarchies(vec![hierarchy(version, &[controller])]);
            let writes = Plan::new(&[setting()], Present::NEW, &all).unwrap().writes;
            writes.iter().map(|write| format!("{}={}", write.file, write.text)).collect::<Vec<_>>()
        };
        assert_eq!(written(Version::V2, "io"), ["io.max=0:0 rbps=1024 wiops=max"]);
        let files = ["blkio.throttle.read_bps_device=0:0 1024", "blkio.throttle.write_iops_device=0:0 0"];
        assert_eq!(written(Version::V1, "blkio"), files);
    }

    #[test]
    fn what_depends_on_another_limit_is_written_in_its_order() {
        assert_eq!(
            lines(&["cpu.burst=0.1", "cpu=1"], &v2()),
            ["cpu.max=100000 100000", "cpu.max.burst=10000"]
        );
        assert_eq!(lines(&["cpu.idle=1", "weight=5"], &v2()), ["cpu.weight=5", "cpu.idle=1"]);
        assert_eq!(lines(&["weight=5", "cpu.idle=0"], &v2()), ["cpu.idle=0", "cpu.weight=5"]);
        let settings = [Setting::parse(OsStr::new("cpu=0.5")), Setting::parse(OsStr::new("cpu.burst=0.1"))];
        let settings = settings.map(|setting| setting.unwrap());
        let present = Present { burst: 90_000, ..Present::NEW };
        let writes = Plan::new(&settings, present, &v1()).unwrap().writes;
        assert_eq!(writes[0].file, "cpu.cfs_burst_us");
    }

    #[test]
    fn what_cannot_be_done_here_is_refused() {
        let table: [(&[&str], Hierarchies, &str); 16] = [
            (&["mem.high=1M"], v1(), "its memory.soft_limit_in_bytes is ignored by the kernel"),
            (&["memory.high=1048576"], v1(), "its memory.soft_limit_in_bytes is ignored by the kernel"),
            (&["oom.group=1"], v1(), "its memory.oom_control turns the OOM killer off"),
            (&["oom.group=1"], hybrid(), "its memory.oom_control turns the OOM killer off"),
            (&["depth=1"], v1(), "cgroup v2 is not mounted here"),
            (&["cpus=0"], v2(), "the cpuset controller is not available here"),
            (&["net_cls.classid=1"], v2(), "the net_cls controller is not available here"),
            (&["cpu=1", "cpu.cfs_period_us=5000"], v1(), "cpu=1 sets cpu.cfs_period_us already"),
            (&["swap=1M"], hybrid(), "so it needs m=SIZE"),
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
