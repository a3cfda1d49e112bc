# A box as `box ps --json` and `box inspect` tell it, in the words of the API. One that is ending may have an end already;
# of one that has removed itself the last line of the history is all there is.
def record:
  (has("event")) as $gone
  | (($gone | not) and .exited == null and (.state == "running" or .state == "paused")) as $lives
  | { id, state: (if $lives then "Running" else "Stopped" end), image, command, name,
      status: (if $gone or .exited != null then "exited" else .state end),
      pid: (if $lives then .pid else null end), created, started,
      exited: (if $gone then .time else .exited end), code, oom };
