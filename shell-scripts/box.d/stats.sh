# stats: show what boxes use of what they may use, again and again

synopsis='[OPTION ...] [BOX ...]'
options='
 -n --no-stream show it once
 --json print a JSON object for each box, on a line of its own
'

once='' as_json=''

option() {
  case $1 in
    --no-stream) once=yes ;;
    --json) as_json=yes ;;
  esac
}

verb_stats() {
  load boxes
  parse_options "$@"
  shift "$taken"
  find_places
  find_tools cgctl
  for which; do
    find_box "$which"
    find_state
    need_life 'show what is used by'
    need_group 'show what is used by'
  done
  [ -z "$explain" ] || { explain_stats "$@" && return; }
  screen=''
  [ -n "$as_json$once" ] || [ ! -t 1 ] || screen=yes
  look_again "$@" | jq -nr --unbuffered --arg json "$as_json" --arg screen "$screen" -f "$parts/inside/stats.jq"
}

explain_stats() {
  find_groups "$@"
  # shellcheck disable=SC2086 # paths of groups, which have no blanks
  step "$cgctl" stat --json $groups
}

# How much processor time is used shows in the difference of two looks. The pipe ends this when nobody looks any more.
look_again() {
  look "$@" && sleep 1 && look "$@" || return 0
  [ -z "$once" ] || return 0
  while sleep 1; do look "$@" || return 0; done
}

# A line of what is to be looked at, lines of cgctl, and one that ends the look. A box that ends in between makes cgctl
# refuse them all. When all that were named have ended, there is nothing more to see.
look() {
  find_groups "$@"
  [ $# -eq 0 ] || [ -n "$groups" ] || return 1
  read -r uptime _ </proc/uptime
  printf '{"uptime":%s,"boxes":{%s}}\n' "$uptime" "$entries" || return 1
  # shellcheck disable=SC2086 # paths of groups
  [ -z "$groups" ] || "$cgctl" stat --json $groups 2>/dev/null || for group in $groups; do
    "$cgctl" stat --json "$group" 2>/dev/null || :
  done
  echo null
}

# Sets $groups and $entries to those of the boxes that run: of those named, or of all.
find_groups() {
  groups='' entries=''
  if [ $# -gt 0 ]; then
    for which; do
      ! read_link_of_name "$which" || set -- "$@" "$id"
    done
  fi
  for link in "$store"/names/*; do
    read_value "$link/id"
    id=$value
    [ -n "$id" ] || continue
    box=$store/boxes/$id run=$runs/$id
    ! is_wanted "$@" || describe_box "${link##*/}"
  done
}

# Names were turned into IDs; what is left may be the beginning of one.
is_wanted() {
  [ $# -gt 0 ] || return 0
  for which; do
    case $id in "$which"*) return 0 ;; esac
  done
  return 1
}

describe_box() {
  find_state
  case $state in running | paused) ;; *) return 0 ;; esac
  [ ! -f "$box/groupless" ] || return 0
  find_group
  find_pid && count_net "/proc/$pid/net/dev" || received=null sent=null
  groups="$groups $group"
  entries="$entries${entries:+,}\"$group\":{\"id\":\"$id\",\"name\":\"$1\",\"state\":\"$state\",\
\"net_received\":$received,\"net_sent\":$sent}"
}

# Sets $received and $sent, in bytes, of all interfaces but lo. A box that shares the network of the host has none of its
# own to count.
count_net() {
  received=0 sent=0
  { command exec 3<"$1"; } 2>/dev/null || return 1
  while read -r interface in_bytes _ _ _ _ _ _ _ out_bytes _; do
    case $interface in
      lo:) ;;
      *:) received=$((received + in_bytes)) sent=$((sent + out_bytes)) ;;
    esac
  done <&3
  exec 3<&-
}
