# What `box run` needs of an OCI image configuration, as assignments for a shell. Lists are words in its quotes.

def text($name):
  if . == null then "" elif type == "string" then . else error("\($name) is not a text") end;

# A command may be one text, for a shell.
def words($name):
  if . == null then []
  elif type == "string" then ["/bin/sh", "-c", .]
  elif type == "array" and all(.[]; type == "string") then .
  else error("\($name) is not a list of words") end
  | map(@sh) | join(" ");

def keys_of($name):
  if . == null then "" elif type == "object" then keys_unsorted | map(@sh) | join(" ")
  else error("\($name) is not an object") end;

if type != "object" then error("it is not an object") else . end
| if any(.. | strings, (objects | keys_unsorted[]); contains("\u0000")) then error("a text in it has a NUL") else . end
| (.config // {}) as $config
| if ($config | type) != "object" then error("its config is not an object") else . end
| {
    env: ($config.Env // [] | if type == "array" then map(select(type == "string" and test("^[^=]+="))) else . end
      | words("Env")),
    entrypoint: ($config.Entrypoint | words("Entrypoint")),
    cmd: ($config.Cmd | words("Cmd")),
    workdir: ($config.WorkingDir | text("WorkingDir")),
    user: ($config.User | text("User")),
    ports: ($config.ExposedPorts | keys_of("ExposedPorts")),
    volumes: ($config.Volumes | keys_of("Volumes")),
    stop_signal: ($config.StopSignal | text("StopSignal")),
    created: (.created | text("created") | if test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[-+][0-9:]+)\\z") then . else "" end),
    platform: ([.os, .architecture, .variant] | map(select(type == "string" and test("^[a-z0-9_]+\\z"))) | join("/"))
  }
| to_entries[] | "image_\(.key)=\(.value | @sh)"
