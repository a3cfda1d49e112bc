# pause: have all processes of boxes stand still

synopsis='BOX ...' options=''

verb_pause() {
  load boxes
  parse_options "$@"
  shift "$taken"
  find_places
  find_tools cgctl
  each_box pause_box "$@"
}

pause_box() {
  need_life pause
  need_group pause
  [ "$state" = running ] || die "cannot pause $which: it is paused already" "box unpause $which"
  find_group
  step "$cgctl" freeze "$group" || exit 125
  [ -n "$explain" ] || note paused
}
