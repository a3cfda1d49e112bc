# start: run boxes again that have ended, with what they changed

synopsis='[OPTION ...] BOX ...'
options='
 -a --attach show what it writes until it ends, and end with its status
'

attach='' detach=yes interactive='' tty=''

option() {
  attach=yes
}

verb_start() {
  load boxes
  load launch
  parse_options "$@"
  shift "$taken"
  [ -z "$attach" ] || [ $# -le 1 ] || misuse '--attach is for one box'
  find_places
  if [ -z "$attach" ]; then
    each_box start_box "$@"
  else
    one_box "$@"
    start_box
    [ -n "$explain" ] || attach_box
  fi
}

start_box() {
  begin=$(wc -c <"$box/log")
  case $state in running | paused) return 0 ;; esac
  read_text "$box/pipeline" && pipeline=$text
  [ -n "$pipeline" ] || die "cannot start $which: its pipeline is missing" "box rm $which"
  read_value "$box/name" && name=$value
  if [ -n "$explain" ]; then
    step mkdir -p "$run"
    explain_launch
    return
  fi
  attempt start "$which" mkdir -p "$run"
  ln -sfn "$id" "$runs/$name" 2>/dev/null || :
  claim_start
  find_state
  case $state in
    running | paused)
      rm -f "$run/start"
      return ;;
  esac
  replace_value "$run/owner" "$claim"
  now
  code=''
  write_value "$run/starting" yes
  rm -f "$box/exited" "$box/code" "$box/oom" "$box/error" "$run/pid" "$run/status"
  write_value "$box/started" "$now"
  record run
  start_behind
  if await_start; then
    rm -f "$run/starting" "$run/start"
    [ -n "$attach" ] || printf '%s\n' "$which"
  else
    rm -f "$run/starting" "$run/start"
    tail -c "+$((begin + 1))" "$box/log" >&2
    exit "$status"
  fi
}

# One of two who start it at once is the first to make the file; one that was left by a dead start is none.
claim_start() {
  describe_process $$
  claim=$owner_line
  (set -C && printf '%s\n' "$claim" >"$run/start") 2>/dev/null || {
    ! is_alive "$run/start" || die "cannot start $which: somebody else is starting it"
    write_value "$run/start" "$claim"
  }
}

# What was written before is passed over.
attach_box() {
  load end
  exec 3<"$box/log"
  head -c "$begin" <&3 >/dev/null
  follow
  case $code in unknown) exit 125 ;; *) exit "$code" ;; esac
}
