# unpause: have the processes of paused boxes go on

synopsis='BOX ...' options=''

verb_unpause() {
  load boxes
  parse_options "$@"
  shift "$taken"
  find_places
  find_tools cgctl
  each_box unpause_box "$@"
}

unpause_box() {
  need_life unpause
  [ "$state" = paused ] || die "cannot unpause $which: it is not paused"
  find_group
  step "$cgctl" thaw "$group" || exit 125
  [ -n "$explain" ] || note unpaused
}
