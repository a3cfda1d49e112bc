# Where things are: the two directories of state, the tools, and names.

# Sets $uid, without a process.
find_uid() {
  while read -r key _ uid _; do
    [ "$key" != Uid: ] || return 0
  done </proc/self/status
}

# Sets $store and $runs, and $rootless for a user without root's rights.
find_places() {
  find_uid
  rootless=''
  if [ "$uid" = 0 ]; then
    store=/var/lib/box runs=/run/box
  else
    rootless=yes
    store=${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/box runs=''
    [ -z "${XDG_RUNTIME_DIR-}" ] || runs=$XDG_RUNTIME_DIR/box
  fi
  store=${BOX_STORE:-$store}
  runs=${BOX_RUN:-${runs:-$store/run}}
  case $store$newline$runs in
    /*"$newline"/*) ;;
    *) die "cannot use $store and $runs: BOX_STORE and BOX_RUN must be absolute paths" ;;
  esac
}

# Makes the directories of state, private to their user, where they are missing.
make_places() {
  [ -d "$store/names" ] && [ -d "$store/boxes" ] && [ -d "$runs" ] && return
  (
    umask 077
    attempt create "$store" mkdir -p "$store/boxes" "$store/names" "$store/images" "$store/layers"
    attempt create "$runs" mkdir -p "$runs"
  ) || exit 125
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
      die "cannot use $2 as the name of $1: names are letters, digits, _, . and -, and begin with a letter or digit" ;;
  esac
}
