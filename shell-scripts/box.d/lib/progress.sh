# How far long work has come, for somebody who watches.

watcher=''

# start_progress WHAT [FILE]: tells how far the open file at descriptor 3 has been read or written, as a share of FILE's
# size if it is given. Nothing is said in the first second.
start_progress() {
  [ -t 2 ] || return 0
  total=''
  [ -z "${2-}" ] || total=$(wc -c <"$2")
  tell_progress "$1" <&- &
  watcher=$!
}

tell_progress() {
  trap 'exit 0' TERM
  while sleep 1; do
    pos=0
    while read -r key value; do
      [ "$key" != pos: ] || pos=$value
    done <"/proc/$$/fdinfo/3"
    if [ -n "$total" ] && [ "$total" -gt 0 ]; then
      printf '\rbox: %s: %s%%\033[K' "$1" "$((pos * 100 / total))" >&2
    else
      printf '\rbox: %s: %s MiB\033[K' "$1" "$((pos / 1048576))" >&2
    fi
  done
}

end_progress() {
  [ -n "$watcher" ] || return 0
  kill "$watcher" 2>/dev/null || :
  wait "$watcher" 2>/dev/null || :
  printf '\r\033[K' >&2
  watcher=''
}
