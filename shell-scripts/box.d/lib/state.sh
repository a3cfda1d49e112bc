# Boxes: their files, how they are found, and what state they are in. README.md beside the verbs has the layout.

# read_value FILE: sets $value to its first line, nothing if there is none. It may go while it is looked at.
read_value() {
  value=''
  [ ! -f "$1" ] || { IFS= read -r value <"$1"; } 2>/dev/null || :
}

# read_text FILE: sets $text to all of it, without the last line's end.
read_text() {
  text=''
  [ -f "$1" ] || return 0
  { while IFS= read -r line; do text=$text${text:+$newline}$line; done <"$1"; } 2>/dev/null || :
}

# write_value FILE VALUE: for a file that nobody reads yet.
write_value() {
  { printf '%s\n' "$2" >"$1"; } 2>/dev/null || cannot_write "$1"
}

# replace_value FILE VALUE: its readers see the old line or the new one.
replace_value() {
  if [ -n "$explain" ]; then
    quote_word "$2"
    set -- "$1" "$quoted_word"
    quote_word "$1"
    printf "printf '%%s\\\\n' %s >%s\\n" "$2" "$quoted_word"
    return
  fi
  write_value "$1.new" "$2"
  attempt write "$1" mv -f "$1.new" "$1"
}

# What the shell says of a redirection that fails differs from shell to shell; cp always says the reason last.
cannot_write() {
  attempt write "$1" cp /proc/version "$1"
  die "cannot write $1: it was refused"
}

# Sets $owner_line for process $1, a pid or self: its pid, when it started, and which boot that was, so that it means one
# process only.
describe_process() {
  owner_line=''
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  [ -n "${boot-}" ] || read -r boot </proc/sys/kernel/random/boot_id
  set -f
  # shellcheck disable=SC2086 # fields of proc_pid_stat(5), after the name, which may have blanks
  set -- "${stat%% *}" ${stat##*)}
  set +f
  case $2 in Z | X) return 1 ;; esac
  owner_line="$1 ${21} $boot"
}

# Whether the process that file $1 describes is alive.
is_alive() {
  read_value "$1"
  [ -n "$value" ] || return 1
  described=$value
  describe_process "${described%% *}" && [ "$owner_line" = "$described" ]
}

# find_box NAME|ID: sets $id, $box (its directory in the store) and $run (that in BOX_RUN).
find_box() {
  case $1 in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) die "cannot find a box called ${1:-"''"}: no box can have that name" ;;
  esac
  if read_link_of_name "$1"; then :; else
    set -- "$1" "$store/boxes/$1"*
    [ -d "$2" ] || die "cannot find a box called $1: there is none" 'box ps -a lists them'
    [ $# -eq 2 ] || die "cannot find a box called $1: that is the beginning of several IDs"
    id=${2##*/}
  fi
  box=$store/boxes/$id run=$runs/$id
}

# Sets $id to that of the box with name $1. The file `id` saves the process that would read the link.
read_link_of_name() {
  read_value "$store/names/$1/id"
  id=$value
  [ -n "$id" ]
}

# Sets $state: created, running, paused or exited, and for the last $code and $oom. Read from the kernel and from what
# was written at the end; nothing is remembered of a box that runs.
find_state() {
  code='' oom='' ended=''
  read_value "$box/exited"
  ended=$value
  if [ -n "$ended" ]; then
    state=exited
    read_value "$box/code" && code=$value
    read_value "$box/oom" && oom=$value
    # It may have been started again meanwhile, which removes the one after the other.
    read_value "$box/exited"
    [ "$value" = "$ended" ] || { [ -z "$value" ] && ! is_alive "$run/owner"; } || find_state
  elif is_alive "$run/owner"; then
    state=running
    ! is_frozen || state=paused
  elif [ ! -f "$box/started" ]; then
    state=created
  else
    settle ''
    [ -s "$box/exited" ] || { state=exited ended=$now && return; }
    find_state
  fi
}

# The command of a box that runs: sets $pid. Before it may be an init, and the relay of a terminal.
find_pid() {
  read_value "$run/pid"
  pid=$value
  [ -n "$pid" ] && [ -d "/proc/$pid" ] || return 1
  [ ! -f "$box/init" ] || find_child
  [ ! -f "$box/tty" ] || find_child
  [ -n "$pid" ]
}

# Sets $pid to its own first child.
find_child() {
  [ -n "$pid" ] || return 0
  child=''
  { read -r child _ <"/proc/$pid/task/$pid/children"; } 2>/dev/null || :
  pid=$child
}

# Whether the group of the box is frozen, in the cgroup v2 tree or the freezer hierarchy.
is_frozen() {
  find_pid || return 1
  find_group_files
  read_value "$frozen_file"
  case $value in 1 | FROZEN | FREEZING) return 0 ;; *) return 1 ;; esac
}

# Sets $frozen_file: where the kernel tells whether the group of process $pid is frozen.
find_group_files() {
  [ -n "${cgroup_mounts-}" ] || find_cgroup_mounts
  frozen_file=''
  { while IFS=: read -r _ controllers path; do
    group=${path%"${path#*/box-????????-????-????-????-????????????}"}
    case $controllers in
      '') [ -z "$cgroup2" ] || [ ! -f "$cgroup2$group/cgroup.freeze" ] || frozen_file=$cgroup2$group/cgroup.freeze ;;
      freezer) [ -n "$frozen_file" ] || [ -z "$freezer" ] || frozen_file=$freezer$group/freezer.state ;;
    esac
  done <"/proc/$pid/cgroup"; } 2>/dev/null || :
}

# Sets $cgroup2 and $freezer to their mount points, and $cgroup_mounts to read-only, read-write or none.
find_cgroup_mounts() {
  cgroup2='' freezer='' cgroup_mounts=none
  while read -r _ _ _ _ point rest; do
    case $rest in
      *' - cgroup2 '*) cgroup2=$point ;;
      *' - cgroup '*freezer*) freezer=$point ;;
      *' - cgroup '*) ;;
      *) continue ;;
    esac
    case $rest in rw*) cgroup_mounts=read-write ;; *) [ "$cgroup_mounts" != none ] || cgroup_mounts=read-only ;; esac
  done </proc/self/mountinfo
}

# The directory of what goes with a reboot may have stayed: that of a user can be on disk.
has_owner_of_this_boot() {
  read_value "$run/owner"
  [ -n "$value" ] || return 1
  [ -n "${boot-}" ] || read -r boot </proc/sys/kernel/random/boot_id
  [ "${value##* }" = "$boot" ]
}

# settle CODE [OOM_KILLS [ERROR [TIME]]]: writes down how a box that has ended did end: with this exit status, or if it is
# not known, killed from outside when its run directory is still there, and by a reboot otherwise. Whoever makes `exited`
# also tells the history.
settle() {
  code=$1 oom=${2:-0} error=${3-}
  if [ -z "$code" ]; then
    [ ! -f "$box/exited" ] || return 0
    read_status
    if [ -n "$code" ]; then
      :
    elif has_owner_of_this_boot; then
      code=137 error=${error:-'killed from outside'}
    else
      code=unknown error=${error:-'interrupted by a reboot'}
    fi
  fi
  now=${4-}
  [ -n "$now" ] || now
  write_end || return 0
  set -C
  { printf '%s\n' "$now" >"$box/exited"; } 2>/dev/null && won=yes || won=''
  set +C
  [ -z "$won" ] || record stop
}

# In a full store nothing can be written down: then it is found out anew each time, and the box can be removed.
write_end() {
  { printf '%s\n' "$code" >"$box/code" && printf '%s\n' "$oom" >"$box/oom"; } 2>/dev/null || return
  [ -z "$error" ] || { printf '%s\n' "$error" >"$box/error"; } 2>/dev/null
}

# Sets $code and $oom from the status file, for a cgctl that got to write it but no further.
read_status() {
  read_value "$run/status"
  case $value in
    *'"state":"ended"'*) ;;
    *) return 0 ;;
  esac
  code=${value#*'"status":'} oom=${value#*'"oom_kills":'}
  code=${code%%[!0-9]*} oom=${oom%%[!0-9]*}
  oom=${oom:-0}
}

# Sets $now, in seconds since 1970.
now() {
  now=$(date +%s)
}

# record EVENT: appends a line to the history in one write.
record() {
  read_value "$box/name" && name=$value
  read_value "$box/image" && image=$value
  read_text "$box/command"
  json_string "$text"
  ending=''
  case $1 in
    run) word=Running ;;
    *)
      json_number "$code" && word=Stopped ending=",\"code\":$number"
      json_number "$oom" && ending="$ending,\"oom\":$number" ;;
  esac
  set -- "{\"time\":$now,\"event\":\"$1\",\"id\":\"$id\",\"name\":\"$name\",\"state\":\"$word\",\
\"image\":\"$image\",\"command\":$json$ending}"
  { printf '%s\n' "$1" >>"$store/history" && printf '%s\n' "$1" >>"$store/events"; } 2>/dev/null || :
}

# note EVENT [MEMBERS]: tells those who follow events, and them alone, of something else that was done to a box.
note() {
  [ -n "${now-}" ] || now
  read_value "$box/name"
  { printf '{"time":%s,"event":"%s","id":"%s","name":"%s"%s}\n' "$now" "$1" "$id" "$value" "${2-}" \
    >>"$store/events"; } 2>/dev/null || :
}

# Sets $number to $1, or to null if that is none.
json_number() {
  case $1 in '' | *[!0-9]*) number=null ;; *) number=$1 ;; esac
}

# Removes all that is left of a box that does not run, its name first.
remove_box() {
  [ -n "$explain" ] || note removed
  read_value "$box/name"
  if [ -n "$rootless" ]; then
    step rm -rf ${value:+"$store/names/$value"} ${value:+"$runs/$value"} "$run"
    as_owner rm -rf "$box" || die "cannot remove $box: see above" 'box gc tries again'
  else
    step rm -rf ${value:+"$store/names/$value"} ${value:+"$runs/$value"} "$box" "$run"
  fi
}

