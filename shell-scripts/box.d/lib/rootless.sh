# Boxes of users without root's rights: a user namespace first of all, and pasta instead of a bridge. What cannot be had is
# told, with what helps. groupless.sh has what becomes of limits.

# A container's root has the places of root, if they can be written. What goes with a reboot is beside what lasts where
# there is no directory of this user that does: never where others can write.
find_places_of_user() {
  # shellcheck disable=SC3067 # dash and busybox have it
  [ "$uid" != 0 ] || [ ! -O "${store%/*}" ] || [ ! -O "${runs%/*}" ] || return 0
  store=${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/box runs=''
  if [ -n "${XDG_RUNTIME_DIR-}" ]; then
    runs=$XDG_RUNTIME_DIR/box
  elif [ -w "/run/user/$uid" ]; then
    runs=/run/user/$uid/box
  fi
}

# Sets $maps to how unshare-rs makes this user root: with all subordinate ids where newuidmap(1) gives them, so that files
# have owners, and with no other id else. Nothing for who is root of a user namespace already. Sets $mapped likewise.
find_maps() {
  maps='' mapped=one
  [ "$uid" != 0 ] || return 0
  maps=-Ur
  command -v newuidmap >/dev/null && command -v newgidmap >/dev/null || return 0
  find_login
  ! has_range /etc/subuid || ! has_range /etc/subgid || maps='-Ur --map-auto' mapped=many
}

# Sets $login to the name of this user, or to the uid.
find_login() {
  login=$uid
  while IFS=: read -r account _ number _; do
    [ "$number" != "$uid" ] || { login=$account && return; }
  done </etc/passwd || :
}

# Both files are looked up by user: subgid(5).
has_range() {
  [ -r "$1" ] || return 1
  while IFS=: read -r account _ count; do
    case $account in "$login" | "$uid") [ "${count:-0}" -eq 0 ] || return 0 ;; esac
  done <"$1"
  return 1
}

# A network of root's is out of reach. Sets $net_words, and $own_net where nothing leads out of the namespace.
plan_users_net() {
  choose_users_net
  case $net in
    none)
      [ -z "$ports" ] || die "cannot publish$ports: there is no network to lead it to" 'leave --net none out'
      own_net=yes ;;
    host) [ -z "$ports" ] || die "cannot publish$ports: there is no network to lead it to" 'leave --net host out' ;;
    pasta | ports)
      way=''
      [ "$net" = ports ] || way=--pasta
      quote "$netns" new ${way:+"$way"}
      net_words="$quoted$ports -- " ;;
    *)
      die "cannot join network $net: networks with a name are root's" \
        '--net pasta, none or host, or run box as root' ;;
  esac
}

choose_users_net() {
  case $net in '') ;; *) return 0 ;; esac
  if has_pasta; then
    net=pasta
  else
    net=none
    [ -z "$ports" ] || net=ports
    say "warning: the box has no way out: $reason"
  fi
}

# Sets $reason if not.
has_pasta() {
  reason='there is no pasta (apt-get install passt)'
  command -v pasta >/dev/null || return 1
  reason='/dev/net/tun cannot be opened'
  [ -w /dev/net/tun ]
}

# Sets $maps_words to the link that makes this user root. Without anything between, one link makes all namespaces.
plan_users_namespaces() {
  find_maps
  maps_words='' user_options=''
  if [ -z "$net_words" ]; then
    user_options=$maps
  elif [ -n "$maps" ]; then
    quote "$unshare_rs"
    maps_words="$quoted $maps -- "
  fi
}

# An id that is not mapped cannot be had: better told now.
check_users_user() {
  [ "$mapped" = one ] && [ "$uid" != 0 ] || return 0
  case ${1%%:*} in '' | 0 | root) return 0 ;; esac
  find_login
  die "cannot run a command as user $1: this user has no subordinate ids, and in the box there is root alone" \
    "as root: apt-get install uidmap && usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $login"
}

# Nothing of a box may be looked at that others can write: what is there would be believed, and processes be sent signals.
check_places() {
  for place in "$store" "$runs"; do
    [ -d "$place" ] || [ -L "$place" ] || continue
    # shellcheck disable=SC3067 # dash and busybox have it
    [ -O "$place" ] && [ ! -L "$place" ] ||
      die "cannot use $place: it is not a directory of this user" 'BOX_STORE and BOX_RUN name others; su - sets up those of a user'
  done
}

# The same of their modes, which costs a process.
check_modes() {
  for mode in $(stat -c %a "$store" "$runs"); do
    case $mode in
      *[2367]? | *[2367]) die "cannot use $store and $runs: others may write there" "chmod 700 $store $runs" ;;
    esac
  done
}

# as_owner COMMAND...: with rights over all that boxes have written.
as_owner() {
  find_maps
  if [ -z "$maps" ]; then
    step "$@"
  else
    find_tools unshare-rs
    # shellcheck disable=SC2086 # options without blanks
    step "$unshare_rs" $maps "$@"
  fi
}
