# ps: list boxes and the state they are in

synopsis='[OPTION ...]'
options='
 -a --all those too that do not run
 -q --quiet print IDs only
 --json print a JSON object for each, on a line of its own
'

all='' quiet='' as_json=''

option() {
  case $1 in
    --all) all=yes ;;
    --quiet) quiet=yes ;;
    --json) as_json=yes ;;
  esac
}

verb_ps() {
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'ps takes no operand'
  find_places
  [ -n "$quiet$as_json" ] || printf '%-14s %-14s %-14s %-22s %s\n' ID NAME IMAGE STATE COMMAND
  for link in "$store"/names/*; do
    read_value "$link/id"
    id=$value
    [ -n "$id" ] || continue
    box=$store/boxes/$id run=$runs/$id
    find_state
    case $all$state in running | paused | yes*) print_box "${link##*/}" ;; esac
  done
}

print_box() {
  if [ -n "$quiet" ]; then
    printf '%s\n' "$id"
    return
  fi
  read_value "$box/image" && image=$value
  read_text "$box/command" && command=$text
  if [ -n "$as_json" ]; then print_json "$1"; else print_row "$1"; fi
}

print_row() {
  case $state in
    exited) told="exited ($code)" ;;
    *) told=$state ;;
  esac
  case $oom in '' | 0) ;; *) told="$told, out of memory" ;; esac
  printf '%-14s %-14s %-14s %-22s %s\n' "${id%-*-*-*}" "$1" "$image" "$told" "${command%%"$newline"*}"
}

print_json() {
  read_value "$box/created" && created=$value
  read_value "$box/started" && started=$value
  pid=null
  case $state in running | paused) find_pid || pid=null ;; esac
  json_string "$command"
  printf '{"id":"%s","name":"%s","image":"%s","command":%s,"state":"%s","pid":%s,' \
    "$id" "$1" "$image" "$json" "$state" "$pid"
  json_number "$code" && code=$number
  json_number "$oom" && oom=$number
  printf '"created":%s,"started":%s,"exited":%s,"code":%s,"oom":%s}\n' \
    "${created:-null}" "${started:-null}" "${ended:-null}" "$code" "$oom"
}
