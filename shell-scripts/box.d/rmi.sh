# rmi: remove images, and the layers that nothing has any more

synopsis='[-f] IMAGE ...'
options='
 -f --force remove an image that boxes were made from, and do not mind one that is not there
'

option() {
  force=yes
}

verb_rmi() {
  force=''
  parse_options "$@"
  shift "$taken"
  [ $# -gt 0 ] || misuse 'IMAGE is missing'
  load images
  load workshop
  open_images
  for name; do check_removal "$name"; done
  find_own_tools
  attempt create "$store/work" mkdir -p "$store/work"
  for name; do remove_image "$name"; done
  prune_if_idle
}

check_removal() {
  check_name 'an image' "$1"
  [ -z "$force" ] || return 0
  find_image "$1"
  for box in "$store"/boxes/*; do
    read_value "$box/image"
    [ "$value" != "$1" ] || in_use "$1"
  done
}

in_use() {
  read_value "$box/name"
  die "cannot remove image $1: the box $value was made from it" \
    "box rm $value, or box rmi -f: the box keeps its layers"
}
