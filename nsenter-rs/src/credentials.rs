//! Whom the command runs as: ids, groups and capabilities, in the only order that works.

use crate::cli::{Id, Options};
use crate::status::Status;
use crate::target::Target;
use chain::capabilities::{each, hand_on};
use chain::user;
use chain::user::database::Account;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::unistd::{Gid, Uid, getgroups, setgroups, setresgid, setresuid};
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    set_keep_capabilities, set_no_new_privs,
};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

/// Whom to become.
#[derive(Debug)]
pub struct Who {
    user: Option<Wanted>,
    group: Option<Wanted>,
    account: Option<user::Who>,
    keep_caps: bool,
    like_target: bool,
    /// The process whose ids are taken over.
    pub target: Option<Target>,
}

/// An id to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Root of the user namespace that was entered, where it has one.
    Root,
    Given(Id),
}

/// What is to be known of the user namespace that this process is in by now.
struct Maps {
    users: String,
    groups: String,
    has_setgroups: bool,
}

impl Who {
    /// Whoever enters a user namespace becomes its root, unless another id is asked for.
    pub fn new(options: &Options, enters_user_namespace: bool) -> Self {
        let default = match options {
            Options { account: Some(_), .. } => None,
            Options { like_target: true, .. } => Some(Wanted::Given(Id::Follow)),
            Options { preserve_credentials: true, .. } => None,
            _ => Some(Wanted::Root).filter(|_| enters_user_namespace),
        };
        Who {
            user: options.setuid.map(Wanted::Given).or(default),
            group: options.setgid.map(Wanted::Given).or(default),
            account: options.account.clone(),
            keep_caps: options.keep_caps && enters_user_namespace,
            like_target: options.like_target,
            target: None,
        }
    }

    /// Whether there is anything to do.
    pub fn changes(&self) -> bool {
        self.user.is_some()
            || self.group.is_some()
            || self.account.is_some()
            || self.keep_caps
            || self.like_target
    }

    /// Whether the target has to be looked at.
    pub fn follows(&self) -> bool {
        self.like_target || [self.user, self.group].contains(&Some(Wanted::Given(Id::Follow)))
    }

    /// Sets the supplementary groups of a privileged caller while it may still: the user namespace to be entered may
    /// forbid it, or have no number for those of the target. Without the right to, nothing changes.
    pub fn set_groups_early(&self) -> Result<()> {
        let target = self.target.as_ref().filter(|_| self.like_target);
        let groups = target.map(|target| Status::of(target)?.groups()).transpose()?.unwrap_or_default();
        if self.group.is_some() {
            let _ = setgroups(&groups.into_iter().map(Gid::from_raw).collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Becomes whom it says, and gives the account if it was named; `own` is this process's directory in the /proc
    /// that it came from.
    pub fn become_it(&self, own: &OwnedFd) -> Result<Option<Account>> {
        if !self.changes() {
            return Ok(None);
        }
        let account = self.account.as_ref().map(find).transpose()?;
        let maps = Maps::read(own)?;
        let target = self.target.as_ref().map(Status::of).transpose()?;
        if self.keep_caps || self.like_target {
            set_keep_capabilities(true).cannot("keep capabilities")?;
        }
        if let Some(target) = target.as_ref().filter(|_| self.like_target) {
            bound(target)?;
        }
        match &account {
            Some(account) => become_account(account, &maps)?,
            None => {
                self.take_group(&maps, target.as_ref())?;
                self.take_user(&maps, target.as_ref())?;
            }
        }
        match target {
            Some(target) if self.like_target => confine(&target, account.as_ref())?,
            _ if self.keep_caps => hand_on()?,
            _ => {}
        }
        Ok(account)
    }

    fn take_group(&self, maps: &Maps, target: Option<&Status>) -> Result<()> {
        let Some(wanted) = self.group else { return Ok(()) };
        let groups = target.filter(|_| self.like_target).map(Status::groups).transpose()?;
        take_groups(groups.unwrap_or_default(), maps)?;
        wanted.id(&maps.groups, || target.map(Status::group))?.map_or(Ok(()), become_group)
    }

    fn take_user(&self, maps: &Maps, target: Option<&Status>) -> Result<()> {
        let Some(wanted) = self.user else { return Ok(()) };
        wanted.id(&maps.users, || target.map(Status::user))?.map_or(Ok(()), become_user)
    }
}

/// By the files of the root that this process is in by now.
fn find(who: &user::Who) -> Result<Account> {
    let root = open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).cannot("look at the root")?;
    user::find(root.as_fd(), who)
}

fn become_account(account: &Account, maps: &Maps) -> Result<()> {
    take_groups(account.groups.clone(), maps)?;
    become_group(account.group)?;
    become_user(account.user)
}

fn become_group(id: u32) -> Result<()> {
    let group = Gid::from_raw(id);
    setresgid(group, group, group)
        .cannot_with(|| format!("become group {id}"))
        .map_err(|e| explain(e, "group", id))
}

fn become_user(id: u32) -> Result<()> {
    let user = Uid::from_raw(id);
    setresuid(user, user, user)
        .cannot_with(|| format!("become user {id}"))
        .map_err(|e| explain(e, "user", id))
}

/// As many as the user namespace has, where it allows that at all.
fn take_groups(mut wanted: Vec<u32>, maps: &Maps) -> Result<()> {
    let mut own: Vec<u32> =
        getgroups().cannot("look at the own groups")?.iter().map(|id| id.as_raw()).collect();
    wanted.sort_unstable();
    own.sort_unstable();
    if !maps.has_setgroups || own == wanted {
        return Ok(());
    }
    let groups: Vec<Gid> =
        wanted.into_iter().filter(|id| has(&maps.groups, *id)).map(Gid::from_raw).collect();
    setgroups(&groups).cannot("set the supplementary groups").map_err(not_permitted)
}

impl Wanted {
    /// The number, `None` to stay what one is: root is taken where there is one, and an id of the target that this
    /// user namespace has no number for cannot be taken.
    fn id(self, map: &str, of_target: impl FnOnce() -> Option<Result<u32>>) -> Result<Option<u32>> {
        match self {
            Wanted::Root => Ok(Some(0).filter(|id| has(map, *id))),
            Wanted::Given(Id::Number(id)) => Ok(Some(id)),
            Wanted::Given(Id::Follow) => Ok(of_target().transpose()?.filter(|id| has(map, *id))),
        }
    }
}

impl Maps {
    fn read(own: &OwnedFd) -> Result<Self> {
        let [users, groups, setting] = ["uid_map", "gid_map", "setgroups"].map(|file| read(own, file));
        let (users, groups, setting) = (users?, groups?, setting?);
        Ok(Maps { has_setgroups: setting.trim() != "deny" && !groups.is_empty(), users, groups })
    }
}

/// The maps are of the namespace in which the file is opened, so each is opened anew.
fn read(own: &OwnedFd, file: &str) -> Result<String> {
    let mut text = String::new();
    openat(own, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(std::io::Error::from)
        .and_then(|fd| File::from(fd).read_to_string(&mut text))
        .cannot_with(|| format!("read {file} of the user namespace"))?;
    Ok(text)
}

/// Whether a map has that id inside: user_namespaces(7).
fn has(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<u32>().ok());
        let (first, count) = (numbers.next(), numbers.nth(1));
        first
            .zip(count)
            .is_some_and(|(first, count)| id.checked_sub(first).is_some_and(|offset| offset < count))
    })
}

fn explain(error: Error, what: &str, id: u32) -> Error {
    match error.errno() {
        Some(Errno::EINVAL) => error.hint(format_args!("the user namespace has no {what} {id}")),
        _ => not_permitted(error),
    }
}

fn not_permitted(error: Error) -> Error {
    error.hint_if(
        Errno::EPERM,
        "it takes root; where a user namespace is entered, --preserve-credentials leaves the ids as they are",
    )
}

/// No program that is started later can get more.
fn bound(target: &Status) -> Result<()> {
    let wanted = target.bounding()?;
    for one in each(!wanted) {
        // Past the last one that the kernel knows.
        let Ok(has) = capability_is_in_bounding_set(one) else { break };
        if has {
            remove_capability_from_bounding_set(one).cannot("limit the capabilities").map_err(|e| {
                e.hint_if(Errno::EPERM, "it takes CAP_SETPCAP: root, or a user namespace of yours (-U)")
            })?;
        }
    }
    Ok(())
}

/// Capabilities and no_new_privs: those of the target, or of another user what a program that this one starts would
/// have there, were it not for no_new_privs: root all that the target could ever have, others none.
fn confine(target: &Status, account: Option<&Account>) -> Result<()> {
    let own = capabilities(None).cannot("read the capabilities")?.permitted;
    let (none, all) = (CapabilitySet::empty(), target.bounding()? & own);
    let plain = |set| CapabilitySets { effective: set, permitted: set, inheritable: none };
    let (sets, ambient) = match account {
        None => (target.sets()?, target.ambient()?),
        Some(account) => (plain(if account.user == 0 { all } else { none }), none),
    };
    let what = "take over the capabilities of the process";
    set_capabilities(None, sets).cannot(what).map_err(|e| {
        e.hint_if(Errno::EPERM, "the process has more rights than this one would have inside")
    })?;
    clear_ambient_capability_set().cannot(what)?;
    for one in each(ambient) {
        configure_capability_in_ambient_set(one, true).cannot(what)?;
    }
    if target.has_no_new_privs() { set_no_new_privs(true).cannot("give up new privileges") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_the_ids_of_its_first_column() {
        let map = "         0       1000          1\n         5     100000         10\n";
        for (id, is_there) in [(0, true), (1, false), (5, true), (14, true), (15, false), (1000, false)] {
            assert_eq!(has(map, id), is_there, "{id}");
        }
        assert!(has("         0          0 4294967295\n", 4_294_967_294));
        assert!(!has("         1          0          1\n", 0));
        assert!(!has("", 0));
    }

    #[test]
    fn what_has_no_number_inside_is_not_taken() {
        let none = || None;
        assert_eq!(Wanted::Root.id("0 1000 1", none), Ok(Some(0)));
        assert_eq!(Wanted::Root.id("1 1000 1", none), Ok(None));
        assert_eq!(Wanted::Given(Id::Number(7)).id("", none), Ok(Some(7)));
        assert_eq!(Wanted::Given(Id::Follow).id("0 1000 1", || Some(Ok(65534))), Ok(None));
        assert_eq!(Wanted::Given(Id::Follow).id("0 1000 10", || Some(Ok(3))), Ok(Some(3)));
    }
}
