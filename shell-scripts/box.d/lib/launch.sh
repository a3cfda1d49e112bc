# From plan to box: its files, its name, and the start of its pipeline.

# The name comes last: what has no name is not there yet for the others.
make_box() {
  make_network
  if [ -n "$explain" ]; then
    step mkdir -p "$box" ${overlays:+"$box/over"} "$run"
    return
  fi
  make_places
  trap 'undo_box' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  attempt create "$box" mkdir -p "$box" ${overlays:+"$box/over"} "$run"
  describe_process $$
  write_value "$run/owner" "$owner_line"
  write_files
  claim_name
  trap - EXIT HUP INT TERM
}

bridges=/proc/sys/net/ipv4/conf

# Of two who make it at once one finds that it is there.
make_network() {
  [ -z "$rootless" ] || return 0
  case $net in none | host) return ;; esac
  [ ! -d "$bridges/nb-$net" ] || return 0
  [ "$net" = box ] || die "cannot join network $net: there is none" "netns net add $net"
  step "$netns" net add box || [ -d "$bridges/nb-box" ] || die 'cannot make network box: see above' '--net none does without'
}

write_files() {
  now
  write_value "$box/id" "$id"
  write_value "$box/name" "$name"
  write_value "$box/image" "$image"
  write_value "$box/layers" "$layers"
  [ -z "$overlays" ] || write_value "$box/overlays" "$overlays"
  write_value "$box/command" "$command"
  write_value "$box/workdir" "${workdir:-/}"
  write_value "$box/created" "$now"
  write_value "$box/pipeline" "$pipeline"
  [ -z "$remove" ] || write_value "$box/remove" yes
  [ -z "$tty" ] || write_value "$box/tty" yes
  [ -z "$init" ] || write_value "$box/init" yes
  [ -z "$privileged" ] || write_value "$box/privileged" yes
  [ -z "$groupless" ] || write_value "$box/groupless" yes
  write_value "$box/log" ''
  : >"$box/log"
}

claim_name() {
  reason=$(ln -sn "../boxes/$id" "$store/names/$name" 2>&1) || {
    case $reason in
      *xists*) tell_taken ;;
      *) die "cannot name the box $name: ${reason##*: }" ;;
    esac
  }
  # One of a box that a reboot of its store has taken may be left.
  ln -sfn "$id" "$runs/$name" 2>/dev/null || :
}

undo_box() {
  rm -rf "$box" "$run"
}

launch() {
  if [ -n "$explain" ]; then
    explain_launch
    return
  fi
  write_value "$box/started" "$now"
  code=''
  record run
  if [ -n "$detach" ]; then
    launch_behind
  else
    launch_in_front
  fi
}

explain_launch() {
  quote_word "$box/log"
  if [ -n "$detach" ]; then
    printf '%s\n' "setsid $pipeline </dev/null >>$quoted_word 2>&1 &"
  elif [ -n "$interactive$tty" ]; then
    printf '%s\n' "$pipeline"
  else
    printf '%s\n' "$pipeline </dev/null"
  fi
}

# This shell becomes the outermost link, so that signals and the terminal are the pipeline's own affair. What the
# command writes is kept as well, unless nobody could ask for it later.
launch_in_front() {
  [ -n "$interactive$tty" ] || exec </dev/null
  [ -n "$remove" ] || pipeline="$group_words$log_words${pipeline#"$group_words"}"
  eval "exec $pipeline"
}

# Prints the ID once the command runs, and says what is wrong when it does not come to that.
launch_behind() {
  write_value "$run/starting" yes
  start_behind
  if await_start; then
    rm -f "$run/starting"
    echo "$id"
    return
  fi
  fail_to_start
}

# A shell gives a process in the background nothing to read; -i holds its input open for whoever may write to it. The
# process says who it is before it becomes the outermost link: nobody else can be trusted to live until then.
start_behind() {
  if [ -n "$interactive" ]; then
    attempt create "$run/input" mkfifo "$run/input"
    exec 3<>"$run/input"
  else
    exec 3</dev/null
  fi
  {
    cd /
    describe_process self
    replace_value "$run/owner" "$owner_line"
    eval "exec setsid $pipeline"
  } <&3 >>"$box/log" 2>&1 3<&- &
  job=$!
  exec 3<&-
}

# Until the first process of the box is no link any more, or all has ended.
await_start() {
  looks=0
  while :; do
    if find_pid; then
      read_value "/proc/$pid/comm"
      case $value in '' | unshare-rs | pivot) ;; *) return 0 ;; esac
    elif ! describe_process "$job"; then
      status=0
      wait "$job" || status=$?
      ! was_no_start "$status"
      return
    fi
    looks=$((looks + 1))
    [ "$looks" -lt 200 ] || sleep 0.01
  done
}

# Whether status $1 is that of a link which could not do its part: then it has said so, last of all.
was_no_start() {
  case $1 in 125 | 126 | 127) ;; *) return 1 ;; esac
  last='' before=''
  [ ! -f "$box/log" ] || while IFS= read -r line || [ -n "$line" ]; do before=$last last=$line; done <"$box/log"
  case $last in *': hint: '*) last=$before ;; esac
  case $last in
    'cgctl: cannot '* | 'netns: cannot '* | 'unshare-rs: cannot '* | 'pivot: cannot '*) return 0 ;;
    *) return 1 ;;
  esac
}

fail_to_start() {
  cat "$box/log" >&2
  remove_box
  exit "$status"
}
