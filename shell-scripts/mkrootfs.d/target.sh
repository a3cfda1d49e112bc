# DIR: where it is, whether it may be made or replaced, and how the new root takes its place.

# Splits DIR into the true path of its parent and a name without slash, which is what the rename at the end needs.
locate_target() {
  directory . || directory=/
  start=$directory target=$dir
  while [ "${target%/}" != "$target" ]; do target=${target%/}; done
  case ${target##*/} in
    '' | . | ..)
      directory "${target:-/}" || no_way create "$dir" "$target"
      target=$directory ;;
  esac
  name=${target##*/}
  [ -n "$name" ] || die 'cannot replace /: it is the root of this system'
  case $target in /*) ;; *) target=./$target ;; esac
  directory "${target%/*}/" || no_way create "$dir" "${target%/*}"
  parent=${directory%/}
}

# Sets $directory to the true path of directory $1; the dot keeps a newline at its end.
directory() {
  case $1 in -*) set -- "./$1" ;; esac
  directory=$(cd -P "$1" 2>/dev/null && pwd -P && echo .) || return 1
  directory=${directory%??}
}

# From here on every name is relative to the current directory, first the parent of DIR, then the workshop in it:
# whoever may rename one of them, or put a symbolic link in its place, does not lead us elsewhere.
enter_parent() {
  beside=.
  cd -P "$parent/" 2>/dev/null || no_way create "$dir" "$parent"
  if ! directory . || [ "${directory%/}" != "$parent" ]; then die "cannot create $dir: $parent was replaced"; fi
}

check_target() {
  target=$beside/$name
  [ ! -L "$target" ] || die "cannot create $dir: it is a symbolic link" 'give the directory that it points to'
  [ -e "$target" ] || return 0
  [ -d "$target" ] || die "cannot create $dir: there is a file of that name"
  check_not_ours
  ! mounts_in "$parent/$name" ||
    die "cannot replace $dir: something is mounted in it" 'unmount that, or choose another name'
  [ -n "$force" ] || [ -z "$(ls -A "$target")" ] ||
    die "cannot create $dir: Directory not empty" '--force replaces all that is in it'
}

# Replacing one of these would pull the ground from under the caller or the whole system.
check_not_ours() {
  for ours in "$start" "${HOME:-/}" /bin /lib /etc /dev /proc /root /usr /var /tmp; do
    directory "$ours" || continue
    case $directory/ in
      "$parent/$name"/*) die "cannot replace $dir: this shell or system lives in it ($ours)" ;;
    esac
  done
}

# Whether something is mounted on or below $1; with $2 = ? only below. mountinfo writes blanks in octal.
mounts_in() {
  [ -r /proc/self/mountinfo ] || die 'cannot read /proc/self/mountinfo: No such file or directory' 'mount /proc'
  escaped=$(printf '%s\n' "$1" |
    sed -e :all -e '$!N; $!b all' -e 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g; s/\n/\\012/g')
  while read -r _ _ _ _ point _; do
    case $point/ in "$escaped"/${2-}*) return 0 ;; esac
  done </proc/self/mountinfo
  return 1
}

# mv gets the parent, never DIR, as its target: so it renames onto an empty DIR, and never moves into a full one.
put_in_place() {
  finish_root
  attempt create "$dir" mkdir new
  attempt create "$dir" mv root "new/$name"
  tries=0
  until reason=$(mv -f "new/$name" ../ 2>&1); do
    [ "$tries" -lt 9 ] || die "cannot replace $dir: ${aside:-${reason##*: }}"
    tries=$((tries + 1))
    set_aside
  done
  [ ! -d old ] || mv old gone
}

# Of two runs with --force at once the last one wins, hence the tries; without it the check refuses.
set_aside() {
  check_target
  [ ! -d old ] || mv old "gone.$tries"
  attempt replace "$dir" mkdir old
  aside=$(mv -f "$target" old/ 2>&1) || aside=${aside##*: }
}
