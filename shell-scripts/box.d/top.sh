# top: list the processes of a box, by their numbers outside and inside

synopsis='[OPTION ...] BOX'
options='
 --json print a JSON object for each, on a line of its own
'

as_json=''

option() {
  as_json=yes
}

verb_top() {
  load boxes
  parse_options "$@"
  shift "$taken"
  find_places
  one_box "$@"
  need_life 'list the processes of'
  find_tools cgctl
  find_group
  [ -z "$explain" ] || { explain_top && return; }
  ticks=$(getconf CLK_TCK)
  if [ -f "$box/groupless" ]; then load groupless && find_processes; else pids=$("$cgctl" pids -r "$group") || exit 125; fi
  [ -n "$as_json" ] || printf '%7s %7s %7s %6s %1s %9s %9s  %s\n' PID INSIDE PARENT UID S TIME MEMORY COMMAND
  for pid in $pids; do
    read_process || continue
    if [ -n "$as_json" ]; then print_json; else print_row; fi
  done
}

explain_top() {
  if [ -f "$box/groupless" ]; then
    load groupless
    find_processes
    quote ps -o pid,ppid,uid,stat,time,rss,args
    printf '%s\n' "$quoted -p$pids"
  else
    step "$cgctl" pids -r "$group"
  fi
}

# What proc_pid_status(5) and proc_pid_stat(5) have of $pid. Fails for one that has ended, and for those of the pipeline,
# which are outside of the box.
read_process() {
  inside='' memory=0
  { command exec 3<"/proc/$pid/status"; } 2>/dev/null || return 1
  while read -r key value rest; do
    case $key in
      Name:) comm=$value ;;
      State:) letter=$value ;;
      PPid:) parent=$value ;;
      Uid:) user=$value ;;
      VmRSS:) memory=$((value * 1024)) ;;
      NSpid:) inside=${rest##*[!0-9]} ;;
    esac
  done <&3 2>/dev/null
  exec 3<&-
  [ -n "$inside" ] && read_time && read_command
}

read_time() {
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  set -f
  # shellcheck disable=SC2086 # fields, from the third on
  set -- ${stat##*) }
  set +f
  centiseconds=$(((${12} + ${13}) * 100 / ticks))
}

# A thread of the kernel and one that is ending have a name only.
read_command() {
  command=$({ tr '\000' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null)
  command=${command% }
  command=${command:-[$comm]}
}

print_row() {
  printf '%7s %7s %7s %6s %1s %6s.%02d %8sK  ' "$pid" "$inside" "$parent" "$user" "$letter" $((centiseconds / 100)) \
    $((centiseconds % 100)) $((memory / 1024))
  printf %s "$command" | tr '\001-\037\177' '?'
  echo
}

print_json() {
  json_string "$command"
  printf '{"pid":%s,"inside":%s,"parent":%s,"uid":%s,"state":"%s","cpu_msec":%s,"memory":%s,"command":%s}\n' \
    "$pid" "$inside" "$parent" "$user" "$letter" $((centiseconds * 10)) "$memory" "$json"
}
