# cp: copy files into a box or out of it

synopsis='[OPTION ...] BOX:PATH PATH|- | PATH|- BOX:PATH'
options='
 -a --archive keep the owners of files, by number
 -L --follow-link copy what PATH leads to, if it is a symbolic link
'

owners=-o follow=''

option() {
  case $1 in
    --archive) owners=--numeric-owner ;;
    --follow-link) follow=-L ;;
  esac
}

verb_cp() {
  load boxes
  load enter
  parse_options "$@"
  shift "$taken"
  [ $# -eq 2 ] || misuse 'SRC and DST are needed, and no more'
  find_places
  split_place "$1" && from_box=$which from=$path
  split_place "$2" && to_box=$which to=$path
  case ${from_box:+box}:${to_box:+box} in
    box: | :box) ;;
    :) misuse 'neither SRC nor DST is BOX:PATH' ;;
    *) misuse 'one of SRC and DST is outside of boxes' ;;
  esac
  which=$from_box$to_box
  find_box "$which"
  find_state
  plan_entry
  read_text "$parts/inside/send" && send=$text
  read_text "$parts/inside/receive" && receive=$text
  if [ -n "$from_box" ]; then copy_out; else copy_in; fi
}

# Sets $which and $path. BOX: comes before any slash, so that ./a:b is outside.
split_place() {
  which='' path=$1
  case ${1%%/*} in
    ?*:*) which=${1%%:*} path=${1#*:} ;;
  esac
  [ -n "$path" ] || misuse "$1 has no path"
}

# The same two scripts run at both ends, one of them in the root directory of the box: no name in there is ever looked up
# from outside. Between them goes a line that tells what comes, and then an archive.
copy_out() {
  case $to in
    -) in_box "$send" "$from" stream "$follow" ;;
    *)
      [ -z "$explain" ] || { in_box "$send" "$from" '' "$follow" && return; }
      in_box "$send" "$from" '' "$follow" | outside "$receive" "$to" "$from" "$owners" ;;
  esac
}

copy_in() {
  case $from in
    -) in_box "$receive" "$to" - "$owners" ;;
    *)
      [ -z "$explain" ] || { in_box "$receive" "$to" "$from" "$owners" </dev/null && return; }
      outside "$send" "$from" '' "$follow" | in_box "$receive" "$to" "$from" "$owners" ;;
  esac
}
