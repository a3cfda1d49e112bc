//! What there is to say, topic by topic.

use super::{Said, Topics};
use crate::confine::policy::Policy;
use crate::confine::{capabilities, landlock, securebits};
use crate::defaults;
use crate::mount::proc;
use crate::namespace;
use crate::plan::{Base, Mount, Plan, Source, Step};
use chain::ns::{self, Kind, NAMESPACES};
use chain::sys::mount::{NODEV, NOEXEC, NOSUID, RDONLY};
use chain::text::show;
use chain::user::key::Key;
use chain::{Cannot, Result, fresh};
use rustix::process::{getegid, geteuid};
use rustix::thread::capabilities as look;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

/// What there is to say. Errors: those that a run would have before anything is changed.
pub(super) fn of(plan: &Plan) -> Result<Topics> {
    let mut all = of_root(plan);
    all.push(("namespace", Said::Lines(NAMESPACES.iter().map(|row| namespace_of(row.kind, plan)).collect())));
    all.extend(of_user(&plan.policy));
    all.extend(of_rights(&plan.policy)?);
    all.extend(of_files(&plan.policy));
    all.extend(of_limits(&plan.policy));
    all.extend(of_command(plan));
    Ok(all)
}

fn of_root(plan: &Plan) -> Topics {
    let flags = [(plan.look.read_only, "read-only"), (plan.look.nodev, "nodev")];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name.to_owned());
    let steps = plan.steps.iter().map(|step| told(step, plan.look.nodev));
    let [hidden, read_only] = covered(plan);
    let mut topics = match &plan.root {
        Base::Directory(path) => vec![("root", Said::Name(name(path)))],
        Base::Layers(layers) => vec![
            ("layer", Said::Names(layers.lower.iter().map(name).collect())),
            ("changes", Said::One(layers.changes.to_string())),
        ],
    };
    topics.extend([
        ("root flags", Said::Words(flags.collect())),
        ("mount", Said::Lines(steps.collect())),
        ("hidden", Said::Words(hidden)),
        ("read-only", Said::Words(read_only)),
    ]);
    topics
}

/// The attributes of mounts that options name.
const ATTRIBUTES: [(u64, &str); 4] =
    [(RDONLY, "ro"), (NOSUID, "nosuid"), (NODEV, "nodev"), (NOEXEC, "noexec")];

fn told(step: &Step, nodev: bool) -> String {
    let what = step.what().trim_start_matches("mount ").to_owned();
    let Some(Mount { source: Source::Bind { .. } | Source::Descriptor(_), options, .. }) = step.as_mount()
    else {
        return what;
    };
    let set = options.attributes(if nodev { NODEV } else { 0 });
    let names = ATTRIBUTES.iter().filter(|(attribute, _)| set & attribute != 0).map(|(_, name)| *name);
    names.fold(what, |what, name| format!("{what} {name}"))
}

/// What is hidden, and what is read-only.
fn covered(plan: &Plan) -> [Vec<String>; 2] {
    let (masks, mut hidden, mut read_only) = (&plan.masks, Vec::new(), Vec::new());
    let below = |top: &'static str, names: &[&'static str]| {
        let names: Vec<&str> = names.iter().copied().filter(|name| !masks.is_off_at(top, name)).collect();
        names.into_iter().map(move |name| format!("{top}/{name}"))
    };
    for mount in plan.steps.iter().filter_map(Step::as_mount) {
        match mount.source {
            Source::Proc if !proc::is_subset(&mount.options) => {
                hidden.extend(below("/proc", &defaults::HIDDEN_FILES));
                hidden.extend(below("/proc", &defaults::HIDDEN_DIRECTORIES));
                read_only.extend(below("/proc", &defaults::READ_ONLY));
            }
            Source::Sys => {
                hidden.extend(below("/sys", &defaults::HIDDEN_SYS));
                let (before, after) = defaults::HIDDEN_CPU;
                let cpus = below("/sys", &[defaults::CPU]).map(|_| format!("/sys/{before}*{after}"));
                hidden.extend(cpus);
            }
            _ => {}
        }
    }
    hidden.extend(masks.hidden.iter().map(name));
    read_only.extend(masks.read_only.iter().map(name));
    [hidden, read_only]
}

fn namespace_of(kind: Kind, plan: &Plan) -> String {
    let row = kind.row();
    let state = match kind {
        Kind::Mount if fresh::is_alone() => "new, made by the link before",
        Kind::Mount => "new",
        _ if plan.namespaces().contains(&kind) => "new",
        Kind::Pid if namespace::has_new_pids() => "new, made by a link before",
        _ => "the caller's",
    };
    let number =
        ns::identity("self", row.file).map_or_else(|_| "unknown".to_owned(), |(_, inode)| inode.to_string());
    match state {
        "new" => format!("{} new", row.name),
        _ => format!("{} {number}, {state}", row.name),
    }
}

fn of_user(policy: &Policy) -> Topics {
    let user = match &policy.user {
        Some(who) => format!("{who}, looked up in the new root"),
        None => format!("{}:{}, unchanged", geteuid().as_raw(), getegid().as_raw()),
    };
    let groups = match (&policy.groups, &policy.user) {
        (Some(groups), _) => groups.to_string(),
        (None, Some(who)) if who.group.is_none() => "those of the user in the new root".to_owned(),
        (None, Some(_)) => "the group only".to_owned(),
        (None, None) if policy.confine => {
            format!("{}, as far as the user namespace lets the others go", getegid().as_raw())
        }
        (None, None) => "unchanged".to_owned(),
    };
    vec![("user", Said::One(user)), ("groups", Said::One(groups))]
}

fn of_rights(policy: &Policy) -> Result<Topics> {
    let sets = look(None).cannot("read the capabilities")?;
    let kept = policy.kept(sets.permitted)?;
    let ambient = policy.ambient(kept.unwrap_or(sets.permitted))?;
    let (bounding, root) = (kept.unwrap_or_else(chain::capabilities::bounding), becomes_root(policy));
    let (inheritable, permitted) = match policy.changes_capabilities() {
        true => (ambient, if root { bounding } else { ambient }),
        false if root => (sets.inheritable, bounding),
        false => (sets.inheritable, sets.inheritable & sets.permitted),
    };
    let words = |set| Said::Words(capabilities::names(set));
    Ok(vec![
        ("capabilities bounding", words(bounding)),
        ("capabilities permitted", words(permitted)),
        ("capabilities effective", words(permitted)),
        ("capabilities inheritable", words(inheritable)),
        ("capabilities ambient", words(ambient)),
        (
            "securebits",
            Said::Words(securebits::names(policy.securebits).iter().map(ToString::to_string).collect()),
        ),
        ("no_new_privs", Said::One(yes_or_no(policy.no_new_privs()))),
        ("seccomp", Said::Lines(policy.seccomp().explain(kept.unwrap_or(sets.permitted))?)),
    ])
}

/// As far as that can be told from here: by number, or by the name that root has.
fn becomes_root(policy: &Policy) -> bool {
    match policy.user.as_ref().map(|who| &who.user) {
        None => geteuid().is_root(),
        Some(Key::Number(id)) => *id == 0,
        Some(Key::Name(name)) => name == "root",
    }
}

fn of_files(policy: &Policy) -> Topics {
    let rule = |(access, path): &(landlock::Access, _)| match access {
        landlock::Access::Read => format!("read {}", show(path)),
        landlock::Access::Write => format!("write {}", show(path)),
    };
    let paths = &policy.landlock.0;
    let said = match paths.is_empty() {
        true => Said::One("no rules".to_owned()),
        false => Said::Lines(paths.iter().map(rule).chain(["nothing else".to_owned()]).collect()),
    };
    vec![("landlock", said)]
}

fn of_limits(policy: &Policy) -> Topics {
    let limits = policy.limits.iter().map(|limit| format!("{}={}", limit.name, limit.value()));
    let unchanged = || "unchanged".to_owned();
    let umask = policy.umask().map_or_else(unchanged, |mask| format!("{:04o}", mask.bits()));
    vec![
        ("rlimit", Said::Words(limits.collect())),
        ("umask", Said::One(umask)),
        ("oom_score_adj", Said::One(policy.oom_score_adj.map_or_else(unchanged, |score| score.to_string()))),
        ("keyring", Said::One(if policy.keyring() { "new" } else { "the caller's" }.to_owned())),
        (
            "session",
            Said::One(if policy.new_session || policy.pty { "new" } else { "the caller's" }.to_owned()),
        ),
        ("terminal", Said::One(if policy.pty { "new" } else { "the caller's" }.to_owned())),
    ]
}

fn of_command(plan: &Plan) -> Topics {
    let named = |named: &Option<OsString>| match named {
        Some(text) => Said::Name(name(text)),
        None => Said::One("unchanged".to_owned()),
    };
    vec![
        ("host name", named(&plan.names.host)),
        ("domain name", named(&plan.names.domain)),
        ("environment", Said::Words(variables(plan).into_iter().collect())),
        ("descriptors", Said::Words(descriptors(plan).iter().map(ToString::to_string).collect())),
        ("directory", Said::Name(plan.directory.as_ref().map_or_else(|| "/".to_owned(), name))),
        ("command", Said::Words(plan.command.line.iter().map(name).collect())),
    ]
}

fn variables(plan: &Plan) -> BTreeSet<String> {
    let command = &plan.command;
    let later = [("PWD", command.pwd), ("HOME", gets_home(plan))];
    let later = later.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned());
    command.given.environment.names().map(name).chain(later).collect()
}

fn descriptors(plan: &Plan) -> BTreeSet<u32> {
    (0..=2).chain(plan.command.keep.iter().copied()).collect()
}

fn gets_home(plan: &Plan) -> bool {
    let asks = plan.policy.user.is_some() || plan.policy.confine && plan.command.given.is_clear;
    asks && !plan.command.given.names("HOME")
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// Not fit for a terminal yet.
fn name(name: impl AsRef<OsStr>) -> String {
    name.as_ref().to_string_lossy().into_owned()
}
