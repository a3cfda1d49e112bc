# import: make an image of a directory, an archive, or an image of another system

synopsis='[OPTION ...] SRC NAME | --host NAME [DIR ...] | BusyBox'
options='
 --host make an image of this host, copy-on-write: its programs, what of /etc everybody may read, and each DIR
 -f --force replace an image of that name
 --ref =NAME which image, where SRC holds several
 --platform =OS/ARCH for which machine, where SRC is for several
 --member =PATH which archive, where SRC is a disc with several
 --limit =SIZE refuse a layer that unpacks to more: bytes, or with k, m, g
'

option() {
  case $1 in
    --host) host=yes ;;
    --force) force=yes ;;
    --ref) ref=$2 ;;
    --platform) platform=$2 ;;
    --member) wanted_member=$2 ;;
    --limit) to_bytes "$2" && limit=$bytes ;;
  esac
}

verb_import() {
  host='' force='' limit='' ref='' platform='' wanted_member=''
  load images
  load sources
  parse_options "$@"
  shift "$taken"
  check_operands "$@"
  open_images
  check_new "$target"
  open_workshop
  if [ -n "$host" ]; then
    shift
    import_host "$@"
  elif [ $# -eq 1 ]; then
    import_busybox
  else
    import_source "$1"
  fi
  write_image "$target"
}

# Sets $target.
check_operands() {
  case $host$# in
    0 | yes0) misuse 'NAME is missing' ;;
    1) [ "$1" = BusyBox ] || misuse 'SRC or NAME is missing' ;;
    2 | yes*) ;;
    *) misuse 'SRC and NAME are needed, and no more' ;;
  esac
  target=$1
  [ -n "$host" ] || [ $# -eq 1 ] || target=$2
}
