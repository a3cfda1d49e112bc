//! Policies as Docker's profiles and as `linux.seccomp` of an OCI config.json have them. What they mean is what Docker
//! and runc do with them.

mod values;

use super::machine::{Abi, Machine};
use super::profile::{Action, Condition, Profile, Rule, Test};
use chain::text::show;
use nix::errno::Errno;
use rustix::thread::CapabilitySet;
use serde_json::Value;
use values::{Object, Result, at, each, field, list, named, object, text, unsigned};

/// The bytes begin as JSON does, which no program for the kernel does.
pub fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// What decides which rules of a profile count.
struct Surroundings<'a> {
    machine: &'static Machine,
    capabilities: CapabilitySet,
    kernel: &'a str,
}

/// The policy for a command with these capabilities on the running kernel. Errors: what is wrong in it, and where.
pub fn profile(machine: &'static Machine, bytes: &[u8], capabilities: CapabilitySet) -> Result<Profile> {
    let kernel = rustix::system::uname();
    profile_on(machine, bytes, capabilities, kernel.release().to_str().unwrap_or_default())
}

/// The same on another kernel, which names its release thus.
pub fn profile_on(
    machine: &'static Machine,
    bytes: &[u8],
    capabilities: CapabilitySet,
    kernel: &str,
) -> Result<Profile> {
    let around = &Surroundings { machine, capabilities, kernel };
    let root: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let root = match (root.get("linux"), root.get("ociVersion")) {
        (None, None) => &root,
        _ => root.pointer("/linux/seccomp").ok_or("it has no linux.seccomp")?,
    };
    let root = object(root, &PROFILE)?;
    let otherwise = action(root, "defaultAction", "defaultErrno")?;
    let compat = compat(around.machine, root)?;
    let mut profile = Profile { compat, flags: flags(root)?, ..Profile::new(otherwise) };
    each(root, "syscalls", |row| add(around, &mut profile, row))?;
    match profile.rules.len() {
        0..=MOST_RULES => Ok(profile),
        count => Err(format!("it has {count} rules; more than {MOST_RULES} make no filter")),
    }
}

/// Docker's has 56. What takes an instruction each is more than the kernel accepts.
const MOST_RULES: usize = 4096;

const PROFILE: [&str; 8] = [
    "defaultAction",
    "defaultErrnoRet",
    "defaultErrno",
    "archMap",
    "architectures",
    "flags",
    "syscalls",
    "comment",
];
const ROW: [&str; 9] =
    ["names", "name", "action", "errnoRet", "errno", "args", "includes", "excludes", "comment"];
const ARGUMENT: [&str; 4] = ["index", "value", "valueTwo", "op"];
const WHEN: [&str; 3] = ["caps", "arches", "minKernel"];
const ARCHITECTURE: [&str; 2] = ["architecture", "subArchitectures"];

/// Adds the rules of one entry of `syscalls`, when it counts here.
fn add(around: &Surroundings<'_>, profile: &mut Profile, row: &Value) -> Result<()> {
    let row = object(row, &ROW)?;
    let action = action(row, "action", "errno")?;
    let conditions = list(row, "args", condition)?;
    let names = names(row)?;
    let excluded = filtered(around, row, "excludes")?.is_some_and(|(any, _)| any);
    let included = filtered(around, row, "includes")?.is_none_or(|(_, all)| all);
    if excluded || !included {
        return Ok(());
    }
    let mut calls = Vec::with_capacity(names.len());
    for name in names {
        match around.machine.find(name) {
            Some(call) => calls.push(call),
            None => profile.unknown.push(name.to_owned()),
        }
    }
    // Two conditions on one argument are alternatives, as runc has it; else all must be met.
    let alternative =
        |one: &Condition| conditions.iter().filter(|other| other.argument == one.argument).count() > 1;
    if conditions.iter().any(alternative) {
        let rule = |one| Rule { calls: calls.clone(), action, conditions: vec![one] };
        profile.rules.extend(conditions.into_iter().map(rule));
    } else {
        profile.rules.push(Rule { calls, action, conditions });
    }
    Ok(())
}

/// `names`, or `name` as older profiles have it.
fn names(row: &Object) -> Result<Vec<&str>> {
    match (field(row, "name"), field(row, "names")) {
        (Some(_), Some(_)) => Err("name and names are both there".to_owned()),
        (None, None) => Err("there are no names".to_owned()),
        (Some(name), None) => Ok(vec![text(name).map_err(at("name"))?]),
        (None, Some(_)) => list(row, "names", text),
    }
}

/// Whether any, and whether all, of the things hold that `includes` or `excludes` asks for.
fn filtered(around: &Surroundings<'_>, row: &Object, key: &str) -> Result<Option<(bool, bool)>> {
    let Some(when) = field(row, key) else { return Ok(None) };
    let when = || {
        let when = object(when, &WHEN)?;
        let mut holds =
            list(when, "caps", |name| Ok(around.capabilities.contains(capability(text(name)?)?)))?;
        let arches = list(when, "arches", |name| Ok(text(name)? == around.machine.name))?;
        if !arches.is_empty() {
            holds.push(arches.contains(&true));
        }
        if let Some(kernel) = field(when, "minKernel") {
            holds.push(
                text(kernel)
                    .and_then(|kernel| is_at_least(around.kernel, kernel))
                    .map_err(at("minKernel"))?,
            );
        }
        Ok(Some((holds.contains(&true), !holds.contains(&false))))
    };
    when().map_err(at(key))
}

fn capability(name: &str) -> Result<CapabilitySet> {
    let set = name.strip_prefix("CAP_").and_then(CapabilitySet::from_name);
    set.ok_or_else(|| format!("there is no capability {}", show(name)))
}

/// Both are `major.minor`, whatever follows in the running kernel's.
fn is_at_least(running: &str, least: &str) -> Result<bool> {
    let number =
        |text: &str| text.chars().map_while(|c| c.to_digit(10)).fold(0, |sum, digit| sum * 10 + digit);
    let version = |text: &str| text.split_once('.').map(|(major, minor)| (number(major), number(minor)));
    let wanted = |text: &&str| {
        text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let least = Some(least).filter(wanted).and_then(version);
    Ok(version(running) >= Some(least.ok_or("it is not a version such as 4.8")?))
}

/// The profile speaks of 32-bit programs of this machine too.
fn compat(machine: &Machine, root: &Object) -> Result<bool> {
    let is = |abi: &Abi, name: &Value| match text(name)? {
        name if name.starts_with("SCMP_ARCH_") => Ok(name == abi.name),
        name => Err(format!("there is no architecture {}", show(name))),
    };
    let architectures = list(root, "architectures", |name| is(&machine.compat, name))?;
    let map = list(root, "archMap", |row| {
        let row = object(row, &ARCHITECTURE)?;
        let native = field(row, "architecture").ok_or("there is no architecture")?;
        let native = is(&machine.native, native).map_err(at("architecture"))?;
        Ok(list(row, "subArchitectures", |name| is(&machine.compat, name))?.contains(&true) && native)
    })?;
    if !architectures.is_empty() && !map.is_empty() {
        return Err("architectures and archMap are both there".to_owned());
    }
    Ok(architectures.contains(&true) || map.contains(&true))
}

/// SECCOMP_FILTER_FLAG_* of linux/seccomp.h; there is but one thread here, and nobody who could wait.
const FLAGS: [(&str, u32); 4] = [
    ("SECCOMP_FILTER_FLAG_TSYNC", 0),
    ("SECCOMP_FILTER_FLAG_LOG", 2),
    ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4),
    ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0),
];

fn flags(root: &Object) -> Result<u32> {
    let flags = list(root, "flags", |flag| named(&FLAGS, "flag", text(flag)?))?;
    Ok(flags.into_iter().fold(0, |all, flag| all | flag))
}

/// Makes an action of the error number that stands beside it.
type MakeAction = fn(u16) -> Action;

const ACTIONS: [(&str, MakeAction); 8] = [
    ("SCMP_ACT_ALLOW", |_| Action::Allow),
    ("SCMP_ACT_ERRNO", Action::Errno),
    ("SCMP_ACT_KILL", |_| Action::KillThread),
    ("SCMP_ACT_KILL_THREAD", |_| Action::KillThread),
    ("SCMP_ACT_KILL_PROCESS", |_| Action::KillProcess),
    ("SCMP_ACT_LOG", |_| Action::Log),
    ("SCMP_ACT_TRACE", Action::Trace),
    ("SCMP_ACT_TRAP", |_| Action::Trap),
];

const NOTIFY: &str = "SCMP_ACT_NOTIFY";
const EPERM: u64 = 1;
/// The last that has a name: asm-generic/errno.h.
const LAST_ERRNO: u16 = 133;
/// The kernel gives no other error numbers: linux/err.h.
const MAX_ERRNO: u64 = 4095;

fn action(object: &Object, key: &str, errno: &str) -> Result<Action> {
    let name = field(object, key).ok_or_else(|| format!("there is no {key}"))?;
    let name = text(name).map_err(at(key))?;
    if name == NOTIFY {
        return Err(format!("{key}: {NOTIFY} needs a program that answers each call, and pivot has none"));
    }
    let make = named(&ACTIONS, "action", name).map_err(at(key))?;
    Ok(make(error_number(object, errno)?))
}

/// A name, as podman's profiles have it, or a number: Docker's and OCI's `errnoRet`.
fn error_number(object: &Object, key: &str) -> Result<u16> {
    if let Some(name) = field(object, key) {
        return text(name).and_then(error_named).map_err(at(key));
    }
    let key = format!("{key}Ret");
    let number = field(object, &key).map_or(Ok(EPERM), |number| unsigned(number, MAX_ERRNO));
    Ok(number.map_err(at(&key))? as u16)
}

fn error_named(name: &str) -> Result<u16> {
    let is = |number: &u16| format!("{:?}", Errno::from_raw((*number).into())) == name;
    (1..=LAST_ERRNO).find(is).ok_or_else(|| format!("there is no error {}", show(name)))
}

/// Makes a test of `value` and `valueTwo`.
type MakeTest = fn(u64, u64) -> Test;

const TESTS: [(&str, MakeTest); 7] = [
    ("SCMP_CMP_NE", |value, _| Test::Ne(value)),
    ("SCMP_CMP_LT", |value, _| Test::Lt(value)),
    ("SCMP_CMP_LE", |value, _| Test::Le(value)),
    ("SCMP_CMP_EQ", |value, _| Test::Eq(value)),
    ("SCMP_CMP_GE", |value, _| Test::Ge(value)),
    ("SCMP_CMP_GT", |value, _| Test::Gt(value)),
    ("SCMP_CMP_MASKED_EQ", |mask, value| Test::Masked { mask, value: value & mask }),
];

const LAST_ARGUMENT: u64 = 5;

fn condition(argument: &Value) -> Result<Condition> {
    let argument = object(argument, &ARGUMENT)?;
    let number =
        |key: &str, most| field(argument, key).map_or(Ok(0), |value| unsigned(value, most)).map_err(at(key));
    let index = number("index", LAST_ARGUMENT)?;
    let op = field(argument, "op").ok_or("there is no op")?;
    let make = text(op).and_then(|op| named(&TESTS, "comparison", op)).map_err(at("op"))?;
    let test = make(number("value", u64::MAX)?, number("valueTwo", u64::MAX)?);
    Ok(Condition { argument: index as u8, test })
}
