# exec: run another command in a box

synopsis='[OPTION ...] BOX COMMAND [ARG ...]'
options='
 -d --detach run it in the background
 -i --interactive leave standard input open
 -t --tty give it a terminal of its own
 -e --env =NAME=VALUE set a variable
 -w --workdir =DIR start in this directory of the box
 -u --user =USER run as this user of the box, USER[:GROUP]
 --privileged do not confine it as the box is
'

detach='' interactive='' tty='' variables='' workdir='' user='' privileged=''

option() {
  case $1 in
    --detach) detach=yes ;;
    --interactive) interactive=yes ;;
    --tty) tty=yes ;;
    --env)
      find_variable "$2"
      [ -z "$assignment" ] || add_words variables --set-env "$assignment" ;;
    --workdir) check_workdir "$2" && workdir=$2 ;;
    --user) user=$2 ;;
    --privileged) privileged=yes ;;
  esac
}

verb_exec() {
  parse_options "$@"
  shift "$taken"
  [ $# -gt 0 ] || misuse 'BOX is missing'
  [ $# -gt 1 ] || misuse 'COMMAND is missing'
  find_places
  find_box "$1"
  find_state
  case $state in
    running) ;;
    paused) die "cannot run $2 in $1: it is paused" "box unpause $1" ;;
    *) die "cannot run $2 in $1: it is $state" "box start $1" ;;
  esac
  find_pid || die "cannot run $2 in $1: its command is not there yet"
  shift
  find_tools nsenter-rs
  plan_entry "$@"
  enter_box
}

# The group, the namespaces and the confinement are those of the command of the box; of another user, what that user of
# the box can have.
plan_entry() {
  read_value "$box/workdir"
  workdir=${workdir:-${value:-/}}
  quote "$@"
  command=$quoted
  if [ -n "$privileged" ]; then
    quote "$nsenter_rs" -t "$pid" -a -r -e -c
  else
    quote "$nsenter_rs" -t "$pid" --like-target
  fi
  line=$quoted
  [ -n "$privileged" ] || [ ! -f "$run/seccomp" ] || add_words line --seccomp "$run/seccomp"
  [ -z "$user" ] || add_words line --as "$user"
  add_words line --default-signals --wdns="$workdir"
  [ -z "$tty" ] || add_words line --pty --set-env "TERM=${TERM:-dumb}"
  line="$line$variables $command"
}

enter_box() {
  [ -n "$interactive$tty" ] || exec </dev/null
  [ -z "$detach" ] || line="setsid $line"
  if [ -n "$explain" ]; then
    printf '%s\n' "$line${detach:+ >/dev/null 2>&1 &}"
  elif [ -n "$detach" ]; then
    exec 3<&0
    eval "exec $line" <&3 >/dev/null 2>&1 3<&- &
  else
    eval "exec $line"
  fi
}
