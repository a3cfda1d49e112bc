# Where things are: the two directories of state, the tools, and names.

# Sets $uid, and $rootless for who has not the rights of root over the machine: a user, the root of a user namespace, or
# one that was left without CAP_SYS_ADMIN. Without a process.
find_rights() {
  rootless='' capable=''
  while read -r key first effective _; do
    case $key in
      Uid:) uid=$effective ;;
      CapEff:) capable=${first%?????} && break ;;
    esac
  done </proc/self/status
  read -r _ _ ids </proc/self/uid_map
  case $uid,$ids,$capable in
    0,4294967295,*[2367abef]) ;;
    *) rootless=yes && load rootless ;;
  esac
}

# Sets $store and $runs, and what find_rights sets.
find_places() {
  find_rights
  store=/var/lib/box runs=/run/box
  [ -z "$rootless" ] || find_places_of_user
  store=${BOX_STORE:-$store}
  runs=${BOX_RUN:-${runs:-$store/run}}
  case $store$newline$runs in
    /*"$newline"/*) ;;
    *) die "cannot use $store and $runs: BOX_STORE and BOX_RUN must be absolute paths" ;;
  esac
  [ -z "$rootless" ] || check_places
}

# Makes the directories of state, private to their user, where they are missing.
make_places() {
  [ -d "$store/names" ] && [ -d "$store/boxes" ] && [ -d "$runs" ] || (
    umask 077
    attempt create "$store" mkdir -p "$store/boxes" "$store/names" "$store/images" "$store/layers"
    attempt create "$runs" mkdir -p "$runs"
  ) || exit 125
  [ -z "$rootless" ] || check_modes
}

# find_tools NAME...: sets $cgctl, $netns, $pivot, $unshare_rs, $nsenter_rs to the word that starts each: its bare name
# where PATH leads to it.
find_tools() {
  for tool; do
    find_tool "$tool" || die "cannot find $tool: not beside box and not in PATH" \
      'build it with cargo build --release, or make install'
    case $tool in
      cgctl) cgctl=$found ;;
      netns) netns=$found ;;
      pivot) pivot=$found ;;
      unshare-rs) unshare_rs=$found ;;
      nsenter-rs) nsenter_rs=$found ;;
    esac
  done
}

find_tool() {
  for found in "$here/$1" "${here%/*}"/target/*/release/"$1" "${here%/*}/target/release/$1"; do
    [ -f "$found" ] && [ -x "$found" ] || continue
    [ -z "$explain" ] || [ "$(command -v -- "$1")" != "$found" ] || found=$1
    return 0
  done
  found=$1
  command -v -- "$1" >/dev/null
}

# Dies unless $2 can be the name of a $1: nothing else ever becomes part of a path.
check_name() {
  case $2 in
    '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*)
      die "cannot use ${2:-"''"} as the name of $1: names are letters, digits, _, . and -, and begin with a letter or digit" ;;
  esac
}
