# stop: end boxes: TERM, and a while later KILL

synopsis='[OPTION ...] BOX ...'
options='
 -t --time =SECONDS wait this long before KILL; 10 otherwise
'

seconds=10

option() {
  case $2 in '' | *[!0-9]* | ??????????*) misuse "$1 takes a number of seconds, not $2" ;; esac
  seconds=$2
}

verb_stop() {
  load boxes
  load end
  parse_options "$@"
  shift "$taken"
  find_places
  each_box stop_box "$@"
}

stop_box() {
  case $state in running | paused) ;; *) return 0 ;; esac
  if [ -n "$explain" ]; then
    explain_stop
    return
  fi
  [ "$seconds" -gt 0 ] || seconds=''
  end_box "$seconds"
}

explain_stop() {
  is_alive "$run/owner"
  ending=${described%% *}
  plan_killing
  if [ -f "$box/groupless" ]; then
    wait="timeout $seconds tail --pid=$ending -f /dev/null"
  else
    find_tools cgctl
    quote "$cgctl" wait --timeout "$seconds" "box-$id"
    wait=$quoted
  fi
  printf '%s\n' "kill -s TERM $ending" "$wait || $killing"
}
