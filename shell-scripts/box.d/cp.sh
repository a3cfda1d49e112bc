# cp: copy files into a box or out of it

synopsis='[OPTION ...] BOX:SRC DST|- | SRC|- BOX:DST'
options='
 -a --archive keep the owners of files, by number
 -L --follow-link copy what SRC leads to, if it is a symbolic link
'

archive='' follow=''

option() {
  case $1 in
    --archive) archive=yes ;;
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
  plan_copy
  if [ -n "$explain" ]; then printf '%s\n' "$copy"; else copy; fi
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
# from outside. Between them goes a line that tells what comes, and then an archive. Sets $copy.
plan_copy() {
  case $from in -) sender='' ;; *) plan_sender ;; esac
  case $to in -) receiver='' ;; *) plan_receiver ;; esac
  copy=$sender${sender:+${receiver:+ | }}$receiver
}

plan_sender() {
  read_text "$parts/inside/send"
  pair=yes
  [ "$to" != - ] || pair=''
  prepare_end "$from_box"
  quote "${tools}sh" -c "$text" box "$tools" "$from" "$follow" "$pair"
  sender=${from_box:+"$entry "}$quoted
}

# What leaves a box belongs to the caller, and cannot be run in somebody else's name; what enters belongs to root, whose
# box it is. An archive of the caller's comes without the line.
plan_receiver() {
  read_text "$parts/inside/receive"
  keep='-o -p'
  [ -n "$to_box" ] || keep='-o --no-same-permissions'
  [ -z "$archive" ] || keep='--numeric-owner -p'
  prepare_end "$to_box"
  quote "${tools}sh" -c "$text" box "$tools" "$to" "$from" "$keep"
  receiver=${to_box:+"$entry "}$quoted
}

# Sets $tools for the end in the box $1, or outside.
prepare_end() {
  tools=''
  [ -z "$1" ] || tools=$entry_tools
}

# Both ends must have done well. A sender that has failed has told why, and the receiver gets no line.
copy() {
  [ -n "$sender" ] && [ -n "$receiver" ] || {
    eval "$copy" || exit 125
    return 0
  }
  failures=$({ { eval "$sender" || echo 1 >&3; } | { eval "$receiver" || echo 1 >&3; } } 3>&1)
  [ -z "$failures" ] || exit 125
}
