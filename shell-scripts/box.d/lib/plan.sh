# The plan of a box: its command and its pipeline, as quoted words. Nothing is made here.

# Sets $layers, $image_env, $image_command, $image_entrypoint, $image_workdir and $image_user from the files of image $1.
read_image() {
  check_name 'an image' "$1"
  from=$store/images/$1
  [ -d "$from" ] || die "cannot find an image called $1: there is none" 'box images lists them, box import makes one'
  read_text "$from/layers" && layers=$text
  [ -n "$layers" ] || die "cannot use image $1: it has no layers"
  read_text "$from/env" && image_env=$text
  read_text "$from/cmd" && image_command=$text
  read_text "$from/entrypoint" && image_entrypoint=$text
  read_value "$from/workdir" && image_workdir=$value
  read_value "$from/user" && image_user=$value
}

# Sets $command: the entrypoint, then the words given, or the image's own where it has a use for them.
plan_command() {
  if [ -z "$has_entrypoint" ]; then
    entrypoint=$image_entrypoint
  else
    image_command=''
  fi
  quote "$@"
  command="$entrypoint ${quoted:-$image_command}"
  command=${command# }
  [ -n "${command# }" ] || die "cannot run image $image: it names no command" "box run $image COMMAND"
}

# Sets $id, $name, $box, $run and $pipeline.
plan_box() {
  [ -z "$name" ] || [ ! -L "$store/names/$name" ] || tell_taken
  read -r id </proc/sys/kernel/random/uuid
  short=${id%%-*} name=${name:-${id%%-*}} box=$store/boxes/$id run=$runs/$id
  find_tools cgctl netns unshare-rs pivot
  plan_group
  plan_net
  plan_namespaces
  plan_root
  pipeline="$group_words$limit_words $maps_words$net_words$unshare_words $pivot_words $command"
}

tell_taken() {
  [ -e "$store/names/$name" ] ||
    die "cannot name the box $name: what is left of another has that name" 'box gc removes it'
  die "cannot name the box $name: a box has that name already" "box rm $name, or another --name"
}

# What is between the two kinds of words may be put there later.
plan_group() {
  group_options='' groupless=''
  find_cgroup_mounts
  if [ -n "$rootless" ] || [ "$cgroup_mounts" != read-write ]; then
    load groupless
    plan_scarce_group
  else
    # With cgroup v1 only what has a limit is counted, and can be given one later.
    memory=${memory:-max} cpus=${cpus:-max}
  fi
  quote "$cgctl" new ${group_options:+"$group_options"} --status-file "$run/status" --then "$here/box" --then settle --then "$id"
  group_words=$quoted
  quote --log "$box/log"
  log_words=" $quoted"
  quote "box-$id" ${memory:+"m=$memory"} ${cpus:+"cpu=$cpus"} ${pids:+"pids=$pids"} --
  limit_words=" $quoted"
}

# A network that is made on first use is the default of root.
plan_net() {
  net_words='' own_net=''
  if [ -n "$rootless" ]; then
    plan_users_net
    return
  fi
  net=${net:-box}
  case $net in
    none | host)
      [ -z "$ports" ] || die "cannot publish$ports: there is no network to lead it to" "leave --net $net out"
      [ "$net" = host ] || own_net=yes ;;
    *)
      quote "$netns" new "$name" --net "$net"
      net_words="$quoted$ports -- " ;;
  esac
}

plan_namespaces() {
  maps_words='' user_options=''
  [ -z "$rootless" ] || plan_users_namespaces
  # shellcheck disable=SC2086 # options without blanks
  quote "$unshare_rs" $user_options -muipC ${own_net:+-n} ${init:+--init} --hostname "${hostname:-$short}" --pid-file "$run/pid"
  unshare_words=$quoted
}

plan_root() {
  quote_word "$pivot" && pivot_words=$quoted_word
  if [ -n "$privileged" ]; then
    pivot_words="$pivot_words --clear-env --env HOME=/root --unmask all --sys=:rw"
  else
    add_words pivot_words --confine --seccomp-save "$run/seccomp"
  fi
  pivot_words="$pivot_words --default-signals"$capabilities${tty:+ --pty}${read_only:+ --ro}
  plan_layers
  read_text "$from/overlays"
  overlays=$text
  [ -z "$overlays" ] || {
    load overlays
    plan_overlays
  }
  pivot_words=$pivot_words$mounts
  plan_variables
  plan_user
}

plan_layers() {
  find_visible
  old_ifs=$IFS IFS=$newline
  for layer in $visible; do
    case $layer in /*) ;; *) layer=$store/layers/$layer/root ;; esac
    add_words pivot_words --layer "$layer"
  done
  IFS=$old_ifs
  pivot_words=$pivot_words$over
  [ -n "$read_only" ] || add_words pivot_words --upper "$box/upper" --work "$box/work"
}

# Sets $visible to $layers without those below one whose root directory hides all: to overlayfs the mark of that means
# nothing there.
find_visible() {
  visible=''
  old_ifs=$IFS IFS=$newline
  for layer in $layers; do
    [ ! -f "$store/layers/$layer/opaque" ] || visible=''
    visible=$visible${visible:+$newline}$layer
  done
  IFS=$old_ifs
}

# Those of the image first, so that those of the line win.
plan_variables() {
  ours=''
  [ -z "$image_env" ] || {
    old_ifs=$IFS IFS=$newline
    set -f
    for assignment in $image_env; do ours="$ours --env $assignment"; done
    set +f
    IFS=$old_ifs
  }
  pivot_words=$pivot_words$ours$variables
}

plan_user() {
  workdir=${workdir:-$image_workdir} user=${user:-$image_user}
  case $workdir in
    '' | /) ;;
    *)
      check_workdir "$workdir"
      add_words pivot_words --dir "$workdir" --chdir "$workdir" ;;
  esac
  [ -z "$rootless" ] || check_users_user "$user"
  [ -z "$user" ] || add_words pivot_words --user "$user"
}
