# From plan to box: its files, its name, and the start of its pipeline.

# The name comes last: what has no name is not there yet for the others.
make_box() {
  [ -n "$explain" ] || make_places
  case $net in
    none | host) ;;
    *) [ -e "/sys/class/net/nb-$net" ] || step "$netns" net add "$net" ;;
  esac
  step mkdir -p "$box/upper" "$box/work" "$run"
  [ -n "$explain" ] || {
    trap 'undo_box' EXIT
    describe_process $$
    write_value "$run/owner" "$owner_line"
    write_files
    claim_name
    trap - EXIT
  }
}

write_files() {
  now
  write_value "$box/id" "$id"
  write_value "$box/name" "$name"
  write_value "$box/image" "$image"
  write_value "$box/layers" "$layers"
  write_value "$box/command" "$command"
  write_value "$box/created" "$now"
  write_value "$box/pipeline" "$pipeline"
  [ -z "$remove" ] || write_value "$box/remove" yes
  [ -z "$tty" ] || write_value "$box/tty" yes
  [ -z "$init" ] || write_value "$box/init" yes
  : >"$box/log"
}

claim_name() {
  reason=$(ln -sn "../boxes/$id" "$store/names/$name" 2>&1) || {
    case $reason in *xists*) reason='a box has that name already' ;; *) reason=${reason##*: } ;; esac
    die "cannot name the box $name: $reason" "box rm $name, or another --name"
  }
  reason=$(ln -sn "$id" "$runs/$name" 2>&1) || die "cannot name the box $name: ${reason##*: }"
}

undo_box() {
  rm -rf "$box" "$run"
}

launch() {
  if [ -n "$explain" ]; then
    printf '%s\n' "${detach:+setsid }$pipeline${detach:+ >>$box/log 2>&1}${input:- </dev/null}${detach:+ &}"
    return
  fi
  write_value "$box/started" "$now"
  record run
  if [ -n "$detach" ]; then launch_behind; else launch_in_front; fi
}

# This shell becomes the outermost link, so that signals and the terminal are the pipeline's own affair.
launch_in_front() {
  [ -n "$interactive$tty" ] || exec </dev/null
  eval "exec $pipeline"
}

launch_behind() {
  eval "exec setsid $pipeline" </dev/null >>"$box/log" 2>&1 &
  describe_process $! && write_value "$run/owner" "$owner_line"
  echo "$id"
}
