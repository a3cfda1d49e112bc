# import: make an image of a directory, an archive, or an image of another system

synopsis='[OPTION ...] SRC NAME'
options='
 -f --force replace an image of that name
 --ref =NAME which image, where SRC holds several
 --platform =OS/ARCH for which machine, where SRC is for several
 --member =PATH which archive, where SRC is a disc with several
 --limit =SIZE refuse a layer that unpacks to more: bytes, or with k, m, g
'

option() {
  case $1 in
    --force) force=yes ;;
    --ref) ref=$2 ;;
    --platform) platform=$2 ;;
    --member) wanted_member=$2 ;;
    --limit) to_bytes "$2" && limit=$bytes ;;
  esac
}

verb_import() {
  force='' limit='' ref='' platform='' wanted_member=''
  parse_options "$@"
  shift "$taken"
  case $# in
    1) [ "$1" = BusyBox ] || misuse 'SRC or NAME is missing' ;;
    2) ;;
    *) misuse 'SRC and NAME are needed, and no more' ;;
  esac
  load images
  load sources
  name=$1
  [ $# -eq 1 ] || name=$2
  open_images
  check_new "$name"
  open_workshop
  if [ $# -eq 1 ]; then import_busybox; else import_source "$1"; fi
  write_image "$name"
}
