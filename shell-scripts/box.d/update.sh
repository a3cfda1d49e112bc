# update: change the limits of boxes, now and for later starts

synopsis='OPTION ... BOX ...'
options='
 -m --memory =SIZE limit memory, as in 64M; max for none
 -c --cpus =CORES limit processor time, as in 0.5; max for none
 --pids =NUMBER limit processes and threads; max for none
'

memory='' cpus='' pids=''

option() {
  case $2 in '' | *[!0-9A-Za-z.%]*) misuse "$2 is no limit" ;; esac
  case $1 in
    --memory) memory=m=$2 ;;
    --cpus) cpus=cpu=$2 ;;
    --pids) pids=pids=$2 ;;
  esac
}

verb_update() {
  load boxes
  load pipeline
  parse_options "$@"
  shift "$taken"
  [ -n "$memory$cpus$pids" ] || misuse 'nothing is to be changed: -m, -c or --pids'
  find_places
  find_tools cgctl
  each_box update_box "$@"
}

# Those of a box that runs first: what cannot be had now would not be had later. A box that does not run is tried with
# its next start.
update_box() {
  need_group 'limit'
  case $state in
    running | paused)
      find_group
      step "$cgctl" set "$group" ${memory:+"$memory"} ${cpus:+"$cpus"} ${pids:+"$pids"} || exit 125 ;;
  esac
  limits="$memory $cpus $pids"
  each_word put_limit
  replace_value "$box/pipeline" "$pipeline"
}

# In the place of the old ones; those that are new come last.
put_limit() {
  [ "$link" = cgctl ] || return 0
  case $word in
    m=*) take_limit "$memory" ;;
    cpu=*) take_limit "$cpus" ;;
    pids=*) take_limit "$pids" ;;
    --) for limit in $limits; do pipeline="$pipeline $limit"; done ;;
  esac
}

take_limit() {
  [ -n "$1" ] || return 0
  word=$1
  case $limits in *"$1"*) limits=${limits%%"$1"*}${limits#*"$1"} ;; esac
}
