# load: take the images of an OCI layout or an archive of docker save

synopsis='[OPTION ...] FILE|DIR|- [NAME]'
options='
 --ref =NAME which image, where there are several; all that have a name otherwise
 --platform =OS/ARCH for which machine, where there are several
 --limit =SIZE refuse a layer that unpacks to more: bytes, or with k, m, g
'

option() {
  case $1 in
    --ref) ref=$2 ;;
    --platform) platform=$2 ;;
    --limit) to_bytes "$2" && limit=$bytes ;;
  esac
}

verb_load() {
  load images
  load sources
  limit='' ref='' platform=''
  parse_options "$@"
  shift "$taken"
  case $# in 1 | 2) ;; *) misuse 'FILE and at most one NAME are needed' ;; esac
  [ $# -eq 1 ] || check_name 'an image' "$2"
  open_images
  open_workshop
  find_layout "$1"
  if [ -n "${2-}$ref" ]; then
    load_one "${2-}"
  else
    load_all
  fi
}

# Sets $layout: the directory itself, or what the archive holds.
find_layout() {
  find_source "$1"
  if [ ! -d "$source" ]; then
    find_kind "$source"
    [ "$kind" = tar ] || die "cannot load $label: it is no archive of images" 'box import makes an image of a root'
    unpack_layer "$source"
    check_end "$source"
    set_layout_aside
    source=$layout
  fi
  is_layout "$source" || die "cannot load $label: there is no image in it" 'box import makes an image of a root'
  open_layout "$source"
}

load_one() {
  choose_image
  name=$1
  [ -n "$name" ] || name_of_ref "$ref"
  load_image "$handle"
}

load_all() {
  unnamed=yes
  while read -r handle name_there <&7; do
    [ -n "$name_there" ] || continue
    name_of_ref "$name_there"
    load_image "$handle"
    unnamed=''
  done 7<catalog
  [ -z "$unnamed" ] || die "cannot load $label: its image has no name" "box load $label NAME"
}

load_image() {
  target=$name
  check_name 'an image' "$target"
  take_image "$1"
  write_image "$target"
  printf '%s\n' "$target"
}
