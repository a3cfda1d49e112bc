# gc: remove what belongs to no box: groups, run directories, ports, and boxes that were half made

synopsis='' options=''

verb_gc() {
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'gc takes no operand'
  find_places
  find_tools cgctl netns
  step "$cgctl" gc
  [ -n "$rootless" ] || step "$netns" gc
  for box in "$store"/boxes/*; do
    id=${box##*/} run=$runs/${box##*/}
    [ ! -d "$box" ] || [ -n "$explain" ] || look_at_box
  done
  for run in "$runs"/*-*-*-*-*; do
    id=${run##*/} box=$store/boxes/${run##*/}
    [ -d "$box" ] || [ ! -d "$run" ] || is_alive "$run/owner" || step rm -rf "$run"
  done
  for link in "$store"/names/* "$runs"/*; do
    [ -e "$link" ] || [ ! -L "$link" ] || step rm -f "$link"
  done
}

# A box without a name is one that is being made, or was when its maker was killed.
look_at_box() {
  read_value "$box/name"
  if [ -n "$value" ] && read_link_of_name "$value" && [ "$id" = "${box##*/}" ]; then
    find_state
    case $state in
      exited)
        if [ -f "$box/remove" ]; then remove_box; else rm -rf "$run"; fi ;;
    esac
    return
  fi
  id=${box##*/}
  is_alive "$run/owner" || remove_box
}
