# Ending boxes, and waiting for their end.

# Waits until the box has ended and has been written down, at most $1 seconds if given; whether it has.
await_end() {
  if [ -f "$box/groupless" ]; then
    load groupless
    await_groupless "$1"
    return
  fi
  find_tools cgctl
  status=0
  "$cgctl" wait ${1:+--timeout "$1"} "box-$id" 2>/dev/null || status=$?
  [ "$status" -ne 1 ] || return 1
  # The group has gone; its cgctl has a little left to do.
  while is_alive "$run/owner"; do sleep 0.01; done
  find_state
}

# Sends TERM to the outermost link, which does with it what the command would by default; after $1 seconds, or at once
# without, all of the box is killed.
end_box() {
  find_tools cgctl
  if [ -n "$1" ]; then
    is_alive "$run/owner" && kill -s TERM "${described%% *}" 2>/dev/null || :
    [ "$state" != paused ] || "$cgctl" thaw "box-$id" 2>/dev/null || :
    ! await_end "$1" || return 0
  fi
  kill_all
  await_end 10 || die "cannot end $which: it does not end" "box inspect $which"
}

# All of a box goes with its first process, and the links that wait for it have something to undo then: netns takes back
# ports and names. What does not end by that is killed in the group, the links with it.
kill_all() {
  load groupless
  if [ -f "$box/groupless" ]; then
    kill_groupless
    return
  fi
  read_value "$run/pid"
  if is_first "$value" && kill -s KILL "$value" 2>/dev/null; then
    [ "$state" != paused ] || "$cgctl" thaw "box-$id" 2>/dev/null || :
    ! await_end 2 || return 0
  fi
  "$cgctl" kill "box-$id" 2>/dev/null || :
}

# Sets $killing to the command line of that, quoted.
plan_killing() {
  load groupless
  if [ "$state" = running ] && find_first; then
    quote kill -s KILL "$first"
  else
    find_tools cgctl
    quote "$cgctl" kill "box-$id"
  fi
  killing=$quoted
}

# Shows what is written to the log, open as descriptor 3, until the box ends: each cat goes on where the last one was.
follow() {
  while :; do
    find_state
    shown=$state
    cat <&3
    [ "$shown" != exited ] || return 0
    sleep 0.1
  done
}
