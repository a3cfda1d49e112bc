# save: write an image as an archive of an OCI layout

synopsis='[-f] IMAGE FILE|-'
options='
 -f --force replace FILE
'

option() {
  force=yes
}

verb_save() {
  force=''
  parse_options "$@"
  shift "$taken"
  [ $# -eq 2 ] || misuse 'IMAGE and FILE are needed'
  load images
  load sources
  open_images
  find_image "$1"
  label=$1
  [ ! -f "$image/overlays" ] || die "cannot save $1: it shows directories of this host, which are in no layer"
  check_output "$2"
  open_workshop
  load save
  make_layout
  write_layout "$2"
}

check_output() {
  if [ "$1" = - ]; then
    { command exec 7>&1; } 2>/dev/null || die 'cannot write to standard output: it is closed'
    exec 7>&-
    [ ! -t 1 ] || die 'cannot write to standard output: it is a terminal' "box save $label FILE"
  else
    [ -n "$1" ] || misuse 'FILE is empty'
    [ ! -d "$1" ] || die "cannot write $1: Is a directory"
    [ ! -e "$1" ] || [ -f "$1" ] || die "cannot write $1: it is no regular file" '- writes to standard output'
    [ -n "$force" ] || [ ! -e "$1" ] || die "cannot write $1: there is a file of that name" '--force replaces it'
  fi
}
