# A box as `box ps --json` and `box inspect` tell it, in the words of the API.
def record:
  { id, state: (if .state == "running" or .state == "paused" then "Running" else "Stopped" end), image, command,
    name, status: .state, pid, created, started, exited, code, oom };
