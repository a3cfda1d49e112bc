# What `box run` needs of an OCI image configuration, as assignments for a shell.

def line($name):
  if . == null then "" elif type == "string" and (contains("\n") | not) then .
  else error("\($name) is not a text of one line") end;

# A command may be one text, for a shell.
def words($name):
  if . == null then []
  elif type == "string" then ["/bin/sh", "-c", .]
  elif type == "array" and all(.[]; type == "string") then .
  else error("\($name) is not a list of words") end
  | map(if test("^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*\\z") then . else @sh end) | join(" ");

def keys_of($name):
  if . == null then ""
  elif type == "object" and all(keys_unsorted[]; contains("\n") | not) then keys_unsorted | join("\n")
  else error("\($name) is not an object of names") end;

if type != "object" then error("it is not an object") else . end
| if any(.. | strings, (objects | keys_unsorted[]); any(explode[]; . == 0)) then error("a text in it has a NUL") else . end
| (.config // {}) as $config
| if ($config | type) != "object" then error("its config is not an object") else . end
| [$config.Env // [] | if type == "array" then .[] else error("Env is not a list") end
  | if type == "string" then select(test("^[^=]+=")) else error("Env is not a list of words") end] as $env
| {
    env: ($env | map(select(contains("\n") | not) | @sh) | join("\n")),
    dropped: ($env | map(select(contains("\n")) | sub("=.*"; ""; "m")) | join(" ")),
    entrypoint: ($config.Entrypoint | words("Entrypoint")),
    cmd: ($config.Cmd | words("Cmd")),
    workdir: ($config.WorkingDir | line("WorkingDir")),
    user: ($config.User | line("User")),
    ports: ($config.ExposedPorts | keys_of("ExposedPorts")),
    volumes: ($config.Volumes | keys_of("Volumes")),
    stop_signal: ($config.StopSignal | line("StopSignal")),
    created: (.created | line("created")
      | if test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[-+][0-9:]+)\\z") then . else "" end),
    platform: ([.os, .architecture, .variant] | map(select(type == "string" and test("^[a-z0-9_]+\\z"))) | join("/"))
  }
| to_entries[] | "image_\(.key)=\(.value | @sh)"
