# What the first tree of `list-tree` changes in those that follow, the upper ones first, all of them shown at $place. The
# last record tells that none is missing.

# Objects are put together with +, which does not copy them.
def paths_of($letter): reduce (.[] | select(startswith($letter))) as $record ({};
  ($record | index(" ")) as $at | . + {($record[$at + 2:]): ($record[1:$at] | if . == "" then true else . end)});

def trees:
  split("\u0000")
  | if .[-1] != "z" then "box: cannot compare all of it: see above\n" | halt_error(125) else .[:-1] end
  | (indices("n") + [length]) as $starts
  | [range($starts | length - 1) as $number | .[$starts[$number] + 1:$starts[$number + 1]]
     | {entries: paths_of("e"), removed: paths_of("r"), opaque: paths_of("o")}];

# Of /a/b/c: /a/b and /a.
def above: split("/") | [range(length - 1; 1; -1) as $n | .[:$n] | join("/")];

# Whether the lower trees show this path.
def is_in($lower):
  . as $path | above as $above
  | first($lower[] as $tree
    | if $tree.removed[$path] then false
      elif $tree.entries[$path] then true
      elif any($above[]; $tree.removed[.] or $tree.opaque[.] or ($tree.entries[.] // "d" | .[0:1]) != "d") then false
      else empty end) // false;

# A directory that hides those below removes what it has not itself; of a removed directory nothing more is told.
def hidden($upper; $lower):
  ($upper.opaque | keys_unsorted[] + "/") as $dir
  | [$lower[].entries | keys_unsorted[] | select(startswith($dir))] | unique[]
  | select($upper.entries[.] == null and (above[0] | $upper.entries[.] // "" | .[0:1]) == "d" and is_in($lower));

# What a box needs to mount something on is not its own doing.
def is_mount_point($type):
  IN("/dev", "/proc", "/sys") and $type[0:1] == "d"
  or IN("/etc/hosts", "/etc/resolv.conf", "/dev/null") and $type == "f0";

trees | .[0] as $upper | .[1:] as $lower
| [($upper.entries | to_entries[] | . as {key: $path, value: $type}
    | if $upper.removed[$path] then select($path | is_in($lower)) | {kind: "D", path: $path}
      elif $path | is_in($lower) then {kind: "C", path: $path}
      else select($path | is_mount_point($type) | not) | {kind: "A", path: $path} end),
   (hidden($upper; $lower) | {kind: "D", path: .})]
| sort_by(.path)[] | .path |= $place + .
| if $json != "" then tojson else "\(.kind) \(.path | gsub("[[:cntrl:]]"; "?"))" end
