# A box that runs is held while its changes are read, so that they are those of one moment.

held=''

# A workshop whose end lets the box go on.
open_held_workshop() {
  open_workshop
  trap 'close_held_workshop $?' EXIT
}

close_held_workshop() {
  release_box
  close_workshop "$1"
}

hold_box() {
  [ "$state" = running ] || return 0
  if [ -f "$box/groupless" ]; then
    say "warning: $which goes on meanwhile, for want of a control group"
    return
  fi
  find_group
  held=$group
  "$cgctl" freeze "$group" || exit 125
}

release_box() {
  [ -z "$held" ] || "$cgctl" thaw "$held" || say "warning: $which is paused still: box unpause $which"
  held=''
}
