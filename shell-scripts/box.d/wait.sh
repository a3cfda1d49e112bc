# wait: wait until boxes end, and print the status of each

synopsis='BOX ...' options=''

verb_wait() {
  parse_options "$@"
  shift "$taken"
  [ $# -gt 0 ] || misuse 'BOX is missing'
  find_places
  load end
  for which; do
    find_box "$which"
    find_state
    case $state in
      created) die "cannot wait for $which: it was never started" "box start $which" ;;
      running | paused) await_end '' ;;
    esac
    printf '%s\n' "${code:-unknown}"
  done
}
