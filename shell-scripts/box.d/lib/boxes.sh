# What verbs of boxes that are there have in common.

# each_box FUNCTION BOX...: calls it for each, with $which, $id, $box, $run and $state, past those that cannot: they tell
# why. In there a failed command does not end the shell. A command that could not be run (126, 127) shows in the status.
each_box() {
  act=$1
  shift
  [ $# -gt 0 ] || misuse 'BOX is missing'
  failed=''
  for which; do
    (find_box "$which" && find_state && "$act") || case $? in
      126 | 127) failed=$? ;;
      *) failed=125 ;;
    esac
  done
  [ -z "$failed" ] || exit "$failed"
}

# one_box VERB "$@": for a verb with a single BOX.
one_box() {
  [ $# -gt 0 ] || misuse 'BOX is missing'
  [ $# -eq 1 ] || misuse "unexpected operand $2: one BOX at a time"
  which=$1
  find_box "$1"
  find_state
}

# need_life VERB: dies unless the box has processes.
need_life() {
  case $state in
    running | paused) ;;
    created) die "cannot $1 $which: it has not been started" "box start $which" ;;
    *) die "cannot $1 $which: it has ended" "box start $which" ;;
  esac
}

# need_group VERB: dies unless there is a group to be told.
need_group() {
  [ -f "$box/groupless" ] || return 0
  load groupless
  die "cannot $1 $which: it has no control group" "$(show_delegation)"
}

# Sets $group to the path of the group of the box from the top of each hierarchy, which means the same wherever box
# itself runs.
find_group() {
  group=box-$id
  read_value "$run/status"
  case $value in
    *'"group":"/'*) value=${value#*'"group":"'} group=${value%%'"'*} ;;
  esac
}
