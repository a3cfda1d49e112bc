# A box that runs is held while its changes are read, so that they are those of one moment.

held=''

# In a workshop.
hold_box() {
  [ "$state" = running ] || return 0
  find_group
  trap 'status=$?; release_box; close_workshop "$status"' EXIT
  held=$group
  "$cgctl" freeze "$group" || exit 125
}

release_box() {
  [ -z "$held" ] || "$cgctl" thaw "$held" || say "warning: $which is paused still: box unpause $which"
  held=''
}
