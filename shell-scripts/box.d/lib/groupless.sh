# Boxes without a control group, which their user cannot have: no limits, and nobody else knows all processes of a box.

# Sets $group_options: how cgctl gets a group in one that this user was given, or does without.
plan_scarce_group() {
  own=''
  if [ "$cgroup_mounts" = read-write ] && has_delegated_group; then
    group_options=--evacuate
  else
    refuse_limits
    group_options=--no-group groupless=yes
  fi
  limit_by_rlimit
}

# Whether groups can be made: below the one of this process, or where CGCTL_PARENT says so. To the root of a user namespace
# some shells call everything writable, so that the owner is asked for.
has_delegated_group() {
  [ -z "${CGCTL_PARENT-}" ] || return 0
  { while IFS=: read -r _ controllers path; do
    case $controllers in
      '') [ -z "$cgroup2" ] || own=$cgroup2$path ;;
      freezer) own=${own:-${freezer:+$freezer$path}} ;;
    esac
  done </proc/self/cgroup; } 2>/dev/null || :
  # shellcheck disable=SC3067 # dash and busybox have it
  [ -n "$own" ] && [ -O "$own" ] && [ -w "$own/cgroup.procs" ]
}

refuse_limits() {
  asked=${memory:+ -m}${cpus:+ -c}${pids_asked:+ --pids}
  [ -n "$asked" ] || return 0
  die "cannot limit the box by${asked}: there is no control group that others could be made in" "$(show_delegation)"
}

show_delegation() {
  find_cgroup_mounts
  if [ "$cgroup_mounts" = none ]; then
    echo 'mount -t cgroup2 cgroup2 /sys/fs/cgroup'
  elif [ -d /run/systemd/system ] && [ "$uid" != 0 ]; then
    echo 'systemd-run --user --scope -p Delegate=yes box run ...'
  else
    load rootless && find_login
    echo "as root: cgctl new $login && cgctl delegate $login $login && cgctl exec $login -- su - $login"
  fi
}

# Of processes there is a limit even so: the kernel counts those of each user of the box.
limit_by_rlimit() {
  [ -z "$pids_asked" ] && ! has_pids || return 0
  case $pids in '' | max) ;; *) capabilities="$capabilities --rlimit nproc=$pids" ;; esac
  pids=''
}

# Whether processes can be counted in the groups of this user, as far as can be seen from here.
has_pids() {
  [ -z "$groupless" ] || return 1
  [ -z "${CGCTL_PARENT-}" ] || return 0
  read_value "$own/cgroup.controllers"
  case " $value " in *' pids '*) return 0 ;; esac
  while IFS=: read -r _ controllers path; do
    # shellcheck disable=SC3067
    case ,$controllers, in *,pids,*) [ ! -O "/sys/fs/cgroup/$controllers$path" ] || return 0 ;; esac
  done </proc/self/cgroup
  return 1
}

# Sets $first to the process of a box without a group that takes all others along when it is killed: the first one
# inside, or before there is one the outermost link.
find_first() {
  read_value "$run/pid"
  first=$value
  [ -z "$first" ] || ! is_first "$first" || return 0
  is_alive "$run/owner" && first=${described%% *}
}

# The number may be another process's by now, which would hardly be the first of a pid namespace as well.
is_first() {
  { while read -r key rest; do
    case $key in
      NSpid:) case $rest in *[!0-9]1) return 0 ;; *) return 1 ;; esac ;;
    esac
  done <"/proc/$1/status"; } 2>/dev/null
  return 1
}

# In the place of cgctl's.
kill_groupless() {
  ! find_first || kill -s KILL "$first" 2>/dev/null || :
}

# Sets $pids to the processes of the pid namespace of a box, all that can be seen of it without a group.
find_processes() {
  pids='' space=''
  find_pid || return 0
  for line in $(stat -L -c %n=%i "/proc/$pid/ns/pid" /proc/[0-9]*/ns/pid 2>/dev/null); do
    space=${space:-${line#*=}}
    [ "${line#*=}" = "$space" ] || continue
    line=${line#/proc/}
    pids="$pids ${line%%/*}"
  done
  pids=${pids#" $pid"}
}

# await_groupless [SECONDS]: whether the box has ended.
await_groupless() {
  tenths=${1:+$(($1 * 10))}
  while is_alive "$run/owner"; do
    [ -z "$tenths" ] || [ "$tenths" -gt 0 ] || return 1
    tenths=${tenths:+$((tenths - 1))}
    sleep 0.1
  done
  find_state
}
