# The configuration of an image that is made of a box, from that of its image. The arguments, each behind its letter: l, a
# diff_id, lowest first; w, a word of its command; e, a variable; u, its user; d, its directory; c, an instruction to
# change something, as Dockerfiles have them.

def given($letter): [$ARGS.positional[] | select(startswith($letter + ":")) | .[2:]];

def unquote:
  if test("^\".*\"$") then .[1:-1] | gsub("\\\\(?<c>.)"; .c)
  elif test("^'.*'$") then .[1:-1]
  else gsub("\\\\(?<c>.)"; .c) end;

# NAME=VALUE ..., with quotes; or NAME and a value of all that follows.
def pair: "([^ =]+)=(\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|(?:[^ \\\\\"']|\\\\.)*)";
def pairs($what):
  if test("^\(pair)(?: +\(pair))*$") then [scan(pair) | {key: .[0], value: .[1] | unquote}]
  elif test("^[^ =]+ +[^ ]") then [capture("^(?<key>[^ ]+) +(?<value>.*)$"; "s")]
  else error("\($what) takes NAME=VALUE, not \(.)") end;

def port:
  if test("^[0-9]+(-[0-9]+)?(/(tcp|udp|sctp))?$") then if contains("/") then . else . + "/tcp" end
  else error("EXPOSE takes PORT or PORT/udp, not \(.)") end;

def words: if test("^ *\\[") then fromjson? // null else null end
  | if type == "array" and all(.[]; type == "string") then . else null end;

def command: words // if . == "" then null else ["/bin/sh", "-c", .] end;

def put($pairs): reduce $pairs[] as $pair (. // [];
  map(select(startswith($pair.key + "=") | not)) + ["\($pair.key)=\($pair.value)"]);

def set_of($keys): . // {} | . + ($keys | map({key: ., value: {}}) | from_entries);

def change:
  capture("^(?<what>[A-Z]+)[ =]\\s*(?<value>.*?)\\s*$"; "s") as {$what, $value}
  | if $what == "CMD" then {Cmd: ($value | command)}
    elif $what == "ENTRYPOINT" then {Entrypoint: ($value | command)}
    elif $what == "ENV" then {put: ($value | pairs($what))}
    elif $what == "LABEL" then {labels: ($value | pairs($what) | from_entries)}
    elif $what == "EXPOSE" then {ports: ($value | [splits(" +") | port])}
    elif $what == "VOLUME" then {volumes: ($value | words // [splits(" +")])}
    elif $what == "USER" then {User: $value}
    elif $what == "WORKDIR" then {dir: $value}
    else {StopSignal: $value} end;

def apply($change):
  if $change.put then .Env |= put($change.put)
  elif $change.labels then .Labels = (.Labels // {}) + $change.labels
  elif $change.ports then .ExposedPorts |= set_of($change.ports)
  elif $change.volumes then .Volumes |= set_of($change.volumes)
  elif $change.dir then .WorkingDir =
    (if $change.dir | startswith("/") then $change.dir else "\(.WorkingDir // "" | rtrimstr("/"))/\($change.dir)" end)
  else . + $change end;

# What --entrypoint put in the place of the image's is a part of the command now.
def run_as($words):
  (.Entrypoint // []) as $entry
  | if ($entry | type) == "array" and $words[:$entry | length] == $entry then .Cmd = $words[$entry | length:]
    else .Entrypoint = null | .Cmd = $words end;

if type == "object" then . else error("it is not an object") end
| given("w") as $words | given("l") as $layers
| . + {created: $created, architecture: (.architecture // $arch), os: (.os // "linux")}
| if $author != "" then .author = $author else . end
| .config = (.config // {} | run_as($words)
    | .Env |= put(given("e") | map(capture("^(?<key>[^=]+)=(?<value>.*)$"; "s")))
    | reduce given("u")[] as $user (.; .User = $user)
    | reduce given("d")[] as $dir (.; .WorkingDir = $dir)
    | reduce given("c")[] as $line (.; apply($line | change))
    | with_entries(select(.value != null)))
| ($layers[:-1] - (.rootfs.diff_ids // [])) as $others
| .rootfs = {type: "layers", diff_ids: $layers}
| .history = (.history // []) + ($others | map({created: $created, created_by: "box commit"}))
    + [{created: $created, created_by: ($words | join(" "))}
       + (if $author != "" then {author: $author} else {} end)
       + (if $message != "" then {comment: $message} else {} end)]
