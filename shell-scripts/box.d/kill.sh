# kill: send a signal to boxes

synopsis='[OPTION ...] BOX ...'
options='
 -s --signal =SIGNAL send this one, by name or number; KILL otherwise
'

signal=KILL
signals='HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN'
signals="$signals TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"

option() {
  signal=$2
  case $2 in *[a-z]*) signal=$(printf %s "$2" | tr '[:lower:]' '[:upper:]') ;; esac
  signal=${signal#SIG}
  case $signal in
    [1-9] | [1-5][0-9] | 6[0-4]) ;;
    '' | *[!A-Z0-9]*) misuse "$1 takes the name or number of a signal, not '$2'" ;;
    *) case " $signals " in *" $signal "*) ;; *) misuse "there is no signal $2" ;; esac ;;
  esac
}

verb_kill() {
  load boxes
  load end
  parse_options "$@"
  shift "$taken"
  find_places
  each_box kill_box "$@"
}

kill_box() {
  case $state in running | paused) ;; *) die "cannot send a signal to $which: it is $state" ;; esac
  [ -n "$explain" ] || note killed ",\"signal\":\"$signal\""
  send_signal
}

# PID 1 does not see a signal that it has no handler for: the outermost link then does for it what the signal would do. It
# does not hand on the others, which are sent to the command itself.
send_signal() {
  case $signal in
    KILL | 9)
      if [ -n "$explain" ]; then
        plan_killing
        printf '%s\n' "$killing"
      else
        end_box ''
      fi ;;
    TERM | HUP | INT | QUIT | USR1 | USR2 | WINCH | CONT | 15 | 1 | 2 | 3 | 10 | 12 | 28 | 18)
      is_alive "$run/owner" && step kill -s "$signal" "${described%% *}" ;;
    *)
      find_pid && step kill -s "$signal" "$pid" ;;
  esac
}
