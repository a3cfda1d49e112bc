# wait: wait until boxes end, and print the status of each

synopsis='BOX ...' options=''

verb_wait() {
  load boxes
  load end
  parse_options "$@"
  shift "$taken"
  find_places
  each_box await_box "$@"
}

await_box() {
  case $state in
    created) die "cannot wait for $which: it was never started" "box start $which" ;;
    running | paused) await_end '' ;;
  esac
  printf '%s\n' "${code:-unknown}"
}
