# events: tell what happens to boxes, as it happens

synopsis='[OPTION ...]'
options='
 --since =TIME begin with what has happened since: seconds since 1970, 10m for ten minutes ago, or as date(1) has it
 --until =TIME end then; now for what has happened so far only
 -f --filter =KEY=VALUE only these: box=NAME, event=EVENT; may be repeated
 --json print a JSON object for each, on a line of its own
'

since='' until='' boxes='' kinds='' as_json=''

option() {
  case $1 in
    --since) read_time "$2" && since=$seconds ;;
    --until) read_time "$2" && until=$seconds ;;
    --json) as_json=yes ;;
    --filter)
      case $2 in
        box=?*) boxes="$boxes ${2#*=}" ;;
        event=?*) kinds="$kinds ${2#*=}" ;;
        *) misuse "a filter is box=NAME or event=EVENT, not $2" ;;
      esac ;;
  esac
}

# Sets $seconds, since 1970.
read_time() {
  now
  case $1 in
    now) seconds=$now ;;
    *[!0-9]*[smhd] | [!0-9]*) parse_date "$1" ;;
    *s) seconds=$((now - ${1%s})) ;;
    *m) seconds=$((now - ${1%m} * 60)) ;;
    *h) seconds=$((now - ${1%h} * 3600)) ;;
    *d) seconds=$((now - ${1%d} * 86400)) ;;
    *[!0-9]*) parse_date "$1" ;;
    *) seconds=$1 ;;
  esac
}

parse_date() {
  seconds=$(date -d "$1" +%s 2>/dev/null) || misuse "$1 is no time"
}

verb_events() {
  load boxes
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'events takes no operand'
  find_places
  find_tools cgctl
  [ -z "$explain" ] || { step tail -n +1 -F "$store/events" && return; }
  make_places
  now
  set -- --arg json "$as_json" --arg kinds "$kinds" --arg boxes "$boxes" \
    --argjson since "${since:-$now}" --argjson until "${until:-null}"
  if [ -n "$until" ] && [ "$until" -le "$now" ]; then
    [ ! -f "$store/events" ] || jq -nrR "$@" -f "$parts/inside/events.jq" <"$store/events"
  else
    { : >>"$store/events"; } 2>/dev/null || cannot_write "$store/events"
    follow "$@"
  fi
}

# What is told ends with this shell, and with the reader. A shell that waits for a pipeline would wait for what it has
# still to tell, and hear no signal.
follow() {
  pipe=$(mktemp -d "$runs/events.XXXXXX" 2>&1) || die "cannot create a pipe: ${pipe##*: }"
  attempt create "$pipe" mkfifo "$pipe/pipe" "$pipe/new"
  exec 4<>"$pipe/new"
  tell_all >"$pipe/pipe" &
  teller=$! reader=''
  trap 'kill $teller $reader 2>/dev/null' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  exec 3<"$pipe/pipe"
  rm -r "$pipe"
  jq -nrR --unbuffered "$@" -f "$parts/inside/events.jq" <&3 &
  reader=$!
  wait "$reader"
}

# What has happened, and then what is added to the file. The kernel is asked about a box from when the box is there. All
# this ends with box, even if that is killed, with its reader, or with the time.
tell_all() {
  end=$(wc -c <"$store/events")
  head -c "$end" "$store/events"
  stop_jobs_at_end
  watch_running
  tail_events >&4 &
  jobs="$jobs $!"
  follow_events <&4 &
  follower=$! jobs="$jobs $!"
  while [ -d "/proc/$$" ] && [ -d "/proc/$follower" ]; do
    [ -z "$until" ] || { now && [ "$until" -gt "$now" ]; } || return 0
    sleep 1 &
    sleeper=$!
    wait "$sleeper" || :
  done
}

stop_jobs_at_end() {
  jobs='' sleeper=''
  trap 'kill $jobs $sleeper 2>/dev/null' EXIT
  trap 'exit 143' TERM
}

tail_events() {
  exec tail -F -c "+$((end + 1))" "$store/events" 2>/dev/null
}

watch_running() {
  for link in "$store"/names/*; do
    read_value "$link/id"
    id=$value box=$store/boxes/$value run=$runs/$value
    [ -n "$id" ] || continue
    find_state
    case $state in running | paused) watch "${link##*/}" ;; esac
  done
}

follow_events() {
  stop_jobs_at_end
  while IFS= read -r line; do
    printf '%s\n' "$line" || return 0
    case $line in
      *'"event":"run"'*)
        id=${line#*'"id":"'} id=${id%%'"'*}
        box=$store/boxes/$id run=$runs/$id
        name=${line#*'"name":"'}
        watch "${name%%'"'*}" ;;
    esac
  done
}

# cgctl ends when nobody reads what it tells, so that to end the reader is enough.
watch() {
  ask_kernel | tell_kernel "$1" &
  jobs="$jobs $!"
}

# The group may not be there yet.
ask_kernel() {
  [ ! -f "$box/groupless" ] || return 0
  looks=0
  until "$cgctl" stat "box-$id" >/dev/null 2>&1; do
    looks=$((looks + 1))
    [ "$looks" -lt 100 ] && [ -d "$box" ] && sleep 0.05 || return 0
  done
  exec "$cgctl" events "box-$id" 2>/dev/null
}

# When the last process has gone, the end of the box may be nobody's to write down but ours.
tell_kernel() {
  while IFS= read -r line; do
    case $line in
      *'"event":"oom_kill"'*) ;;
      *'"event":"watching"'*'"populated":false'*)
        # All may have gone before the kernel was asked.
        is_alive "$run/owner" || break
        continue ;;
      *'"event":"populated"'*'"value":false'*) break ;;
      *) continue ;;
    esac
    printf '%s\n' "{\"id\":\"$id\",\"name\":\"$1\",\"kernel\":$line}" || return 0
  done
  while [ -d "$box" ] && [ -f "$run/owner" ] && is_alive "$run/owner"; do sleep 0.05; done
  [ ! -d "$box" ] || find_state
}
