# POST /run: the first line tells what is wanted, `stop`, or `run IMAGE NAME WAIT REMOVE`, each - if it is not given;
# then the words for `box stop` or `box run`.
include "request";

def option($name): select(. != null) | "--\($name)=\(.)";

def run_options:
  [ (.name | option("name")), (.hostname | option("hostname")), (.memory | option("memory")), (.cpus | option("cpus")),
    (.pids | option("pids")), (.net | option("net")), (.workdir | option("workdir")), (.user | option("user")),
    (.ports // [] | .[] | option("publish")), (.tmpfs // [] | .[] | option("tmpfs")),
    (.env // {} | to_entries[] | "--env=\(.key)=\(.value)"),
    (if .read_only then "--read-only" else empty end), (if .init then "--init" else empty end),
    (if .remove and (.wait | not) then "--rm" else empty end) ];

def run_words: run_options + ["--", .image] + (if has("command") then .command | command_words else [] end);

def plan:
  if type == "object" and .state == "stop" then check(""; schema("StopRequest")) | "stop", ([.id] | lines)
  elif type == "object" and .state != "run" then unusable("state"; "must be \"run\" or \"stop\"")
  else
    check(""; schema("RunRequest"))
    | "run \(.image) \(.name // "-") \(if .wait then "wait" else "-" end) \(if .remove then "remove" else "-" end)", (run_words | lines)
  end;

answer([body | plan] | .[])
