//! The options about ids of a user namespace.

use chain::idmap::{Extent, GROUPS, Ids, Map, Request, USERS};
use chain::{Error, Result, accounts};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use nix::unistd::{getegid, geteuid};

/// What was asked for with the options about ids.
#[derive(Debug, Default)]
pub struct Mapping {
    user: Option<Single>,
    group: Option<Single>,
    users: Vec<Request>,
    groups: Vec<Request>,
    /// What to write to `/proc/PID/setgroups`.
    pub setgroups: Option<Setgroups>,
    /// Who is to own the user namespace.
    pub owner: Option<(u32, u32)>,
}

/// The one inner id that stands for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Single {
    Root,
    Current,
    Id(u32),
}

/// Whether setgroups(2) works in the new user namespace.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setgroups {
    /// Allowed
    Allow,
    /// Given up
    Deny,
}

impl Mapping {
    /// Whether a user namespace is implied.
    pub fn is_asked_for(&self) -> bool {
        let single = self.user.is_some() || self.group.is_some();
        single || !self.users.is_empty() || !self.groups.is_empty() || self.owner.is_some()
    }

    /// The complete user id map, if there is to be one.
    pub fn user_map(&self) -> Result<Option<Map>> {
        let outer = self.owner.map_or(geteuid().as_raw(), |owner| owner.0);
        map(&USERS, self.user, outer, &self.users)
    }

    /// The complete group id map, if there is to be one.
    pub fn group_map(&self) -> Result<Option<Map>> {
        let outer = self.owner.map_or(getegid().as_raw(), |owner| owner.1);
        map(&GROUPS, self.group, outer, &self.groups)
    }

    /// Refuses what the kernel would refuse without a word of why.
    pub fn check(&self) -> Result<()> {
        let single = self.group.is_some() && self.groups.is_empty() && !geteuid().is_root();
        if single && self.setgroups == Some(Setgroups::Allow) {
            return Err(Error::new(
                "allow setgroups",
                "without root a single group can be mapped only when setgroups is given up",
            )
            .hint("leave --setgroups out, or map a range with --map-groups"));
        }
        Ok(())
    }
}

fn map(ids: &Ids, single: Option<Single>, outer: u32, requests: &[Request]) -> Result<Option<Map>> {
    let inner = single.map(|single| match single {
        Single::Root => 0,
        Single::Current => outer,
        Single::Id(id) => id,
    });
    Map::resolve(ids, inner.map(|inner| Extent { inner, outer, count: 1 }), requests)
}

const OPTIONS: [(&str, Option<char>, Option<&str>, &str); 10] = [
    ("map-root-user", Some('r'), None, "Map the caller to root inside; implies --user"),
    ("map-current-user", Some('c'), None, "Map the caller to the same ids inside; implies --user"),
    ("map-user", None, Some("UID"), "Map the caller to this user inside, by number or name; implies --user"),
    ("map-group", None, Some("GID"), "Map the caller's group to this group inside; implies --user"),
    (
        "map-users",
        None,
        Some("MAP"),
        "Map user ids: INNER:OUTER:COUNT, auto, subids or all; may be repeated; implies --user",
    ),
    ("map-groups", None, Some("MAP"), "Map group ids, likewise"),
    ("map-auto", None, None, "Map the caller's first delegated ranges, from 0 on: both maps auto"),
    ("map-subids", None, None, "Map the caller's delegated ranges as they are: both maps subids"),
    ("setgroups", None, Some("MODE"), "Allow or deny setgroups inside"),
    ("owner", None, Some("UID:GID"), "Make the user namespace belong to this user and group; implies --user"),
];

impl Args for Mapping {
    fn augment_args(command: Command) -> Command {
        command.args(OPTIONS.map(|(name, short, value, help)| {
            let arg = Arg::new(name).long(name).help(help);
            let arg = if let Some(short) = short { arg.short(short) } else { arg };
            let Some(value) = value else { return arg.action(ArgAction::SetTrue) };
            let arg = arg.value_name(value);
            match name {
                "map-users" | "map-groups" => {
                    arg.action(ArgAction::Append).value_parser(|text: &str| text.parse::<Request>())
                }
                "setgroups" => arg.value_parser(clap::value_parser!(Setgroups)),
                "owner" => arg.value_parser(owner),
                "map-user" => arg.value_parser(|text: &str| id(&USERS, text)),
                _ => arg.value_parser(|text: &str| id(&GROUPS, text)),
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Mapping {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let many = |name| matches.get_many(name).into_iter().flatten().cloned().collect::<Vec<Request>>();
        let both = |name, request| matches.get_flag(name).then_some(request);
        let delegated = both("map-auto", Request::Auto).or(both("map-subids", Request::Subids));
        Ok(Mapping {
            user: single(matches, "map-user"),
            group: single(matches, "map-group"),
            users: many("map-users").into_iter().chain(delegated.clone()).collect(),
            groups: many("map-groups").into_iter().chain(delegated).collect(),
            setgroups: matches.get_one("setgroups").copied(),
            owner: matches.get_one("owner").copied(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The last of `-r`, `-c` and the option `name` wins, as in util-linux.
fn single(matches: &ArgMatches, name: &str) -> Option<Single> {
    let given = |name: &str| {
        let is_given = matches.value_source(name) == Some(ValueSource::CommandLine);
        matches.indices_of(name).filter(|_| is_given)?.next_back()
    };
    let candidates = [
        (given("map-root-user"), Some(Single::Root)),
        (given("map-current-user"), Some(Single::Current)),
        (given(name), matches.get_one(name).copied().map(Single::Id)),
    ];
    candidates.into_iter().filter(|(index, _)| index.is_some()).max_by_key(|(index, _)| *index)?.1
}

fn id(ids: &Ids, text: &str) -> Result<u32, String> {
    accounts::find(ids.database, text).ok_or_else(|| format!("there is no such {}", ids.name))
}

fn owner(text: &str) -> Result<(u32, u32), String> {
    let (user, group) = text.split_once(':').ok_or("it is UID:GID")?;
    Ok((id(&USERS, user)?, id(&GROUPS, group)?))
}
