# A box as `box ps --json` and `box inspect` tell it, in the words of the API. One that is ending may have an end already.
def record:
  (.exited == null and (.state == "running" or .state == "paused")) as $lives
  | { id, state: (if $lives then "Running" else "Stopped" end), image, command, name,
      status: (if $lives or .exited == null then .state else "exited" end),
      pid: (if $lives then .pid else null end), created, started, exited, code, oom };
