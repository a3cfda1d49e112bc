# The program that libseccomp makes of a profile, on standard output; the names that it does not know, on standard
# error. The profile is read as Docker and runc read it.
#
# usage: libseccomp.py PROFILE amd64|arm64 KERNEL [CAP_NAME]...
import json
import sys

import seccomp

path, machine, kernel, capabilities = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
native, compat = {
    "amd64": (seccomp.Arch.X86_64, seccomp.Arch.X86),
    "arm64": (seccomp.Arch.AARCH64, seccomp.Arch.ARM),
}[machine]
names = {"amd64": ("X86_64", "X86"), "arm64": ("AARCH64", "ARM")}[machine]
with open(path) as file:
    profile = json.load(file)


def action(name, errno):
    errno = 1 if errno is None else errno
    return {
        "ALLOW": seccomp.ALLOW,
        "ERRNO": seccomp.ERRNO(errno),
        "KILL": seccomp.KILL,
        "KILL_THREAD": seccomp.KILL,
        "KILL_PROCESS": seccomp.KILL_PROCESS,
        "LOG": seccomp.LOG,
        "TRACE": seccomp.TRACE(errno),
        "TRAP": seccomp.TRAP,
    }[name.removeprefix("SCMP_ACT_")]


def version(text):
    return [int(part) for part in text.split(".")[:2]]


def counts(row):
    excludes, includes = row.get("excludes") or {}, row.get("includes") or {}
    new_enough = lambda when: version(kernel) >= version(when["minKernel"])
    if machine in (excludes.get("arches") or []):
        return False
    if any(cap in capabilities for cap in excludes.get("caps") or []):
        return False
    if excludes.get("minKernel") and new_enough(excludes):
        return False
    if includes.get("arches") and machine not in includes["arches"]:
        return False
    if any(cap not in capabilities for cap in includes.get("caps") or []):
        return False
    return not includes.get("minKernel") or new_enough(includes)


def condition(arg):
    op = getattr(seccomp, arg["op"].removeprefix("SCMP_CMP_"))
    return seccomp.Arg(arg["index"], op, arg.get("value", 0), arg.get("valueTwo", 0))


otherwise = action(profile["defaultAction"], profile.get("defaultErrnoRet"))
program = seccomp.SyscallFilter(otherwise)
program.remove_arch(seccomp.Arch())
program.add_arch(native)
architectures = list(profile.get("architectures") or [])
for row in profile.get("archMap") or []:
    if row["architecture"] == "SCMP_ARCH_" + names[0]:
        architectures += row["subArchitectures"] or []
if "SCMP_ARCH_" + names[1] in architectures:
    program.add_arch(compat)

for row in profile.get("syscalls") or []:
    if not counts(row):
        continue
    for name in row.get("names") or [row["name"]]:
        if seccomp.resolve_syscall(native, name) == -1:
            print(name, file=sys.stderr)
            continue
        verdict = action(row["action"], row.get("errnoRet"))
        if verdict == otherwise:
            continue
        args = row.get("args") or []
        indices = [arg["index"] for arg in args]
        alternatives = [args] if len(set(indices)) == len(indices) else [[arg] for arg in args]
        for alternative in alternatives:
            program.add_rule(verdict, name, *map(condition, alternative))
program.export_bpf(sys.stdout.buffer)
