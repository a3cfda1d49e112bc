# tag: give an image another name as well

synopsis='[-f] IMAGE NAME'
options='
 -f --force replace an image of that name
'

option() {
  force=yes
}

verb_tag() {
  force=''
  parse_options "$@"
  shift "$taken"
  [ $# -eq 2 ] || misuse 'IMAGE and NAME are needed'
  load images
  load workshop
  open_images
  find_image "$1"
  check_new "$2"
  open_workshop
  attempt copy "image $1" cp -R "$image" image
  place_image "$2"
}
