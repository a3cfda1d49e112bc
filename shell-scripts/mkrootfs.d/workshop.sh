# The workshop: a private directory beside DIR, on the same file system, in which the root is built.

open_workshop() {
  trap 'close_workshop $?' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  until claim_workshop; do enter_parent; done
  beside=..
  attempt create "$dir" mkdir root
  open_log
}

# The lock tells a living workshop from what a killed run left; it is let go with the last process that works in it.
# A sweep of another run can come before the lock: then there is nothing to claim, and another one is made.
claim_workshop() {
  work=$(mktemp -d .mkrootfs.XXXXXX 2>&1) || {
    reason=${work##*: } work=''
    die "cannot create $dir: $reason"
  }
  cd -P "./$work" 2>/dev/null || return 1
  exec 9<.
  flock 9 || die "cannot create $dir: cannot lock $work"
  [ -d "../$work" ] || return 1
  if ! is_workshop || [ -n "$(ls -A)" ]; then die "cannot create $dir: $work was replaced"; fi
}

# Whether the current directory can be one: of this user, and private.
is_workshop() {
  [ -n "$(find . -prune -user "$(id -u)" -perm -700 ! -perm -005)" ]
}

# gzip survives TERM as the first process of its namespace, but not the end of its pipe, hence the closing of 5.
close_workshop() {
  status=$1
  trap - EXIT
  trap '' HUP INT TERM
  exec 5<&-
  for job in $jobs; do kill "$job" 2>/dev/null || :; done
  wait
  if [ "$beside" = .. ]; then discard || status=125; fi
  case $status in 0 | 129 | 130 | 143) ;; *) status=125 ;; esac
  exit "$status"
}

# Gives back what --force had set aside, if nothing took its place, then removes the workshop.
discard() {
  if ! directory . || [ "${directory##*/}" != "$work" ]; then
    say "cannot remove $parent/$work: it was moved"
    return 1
  fi
  if [ -d "old/$name" ] && [ ! -e "../$name" ] && [ ! -L "../$name" ]; then
    attempt restore "$dir from $parent/$work" mv -f "old/$name" ../
  fi
  if mounts_in "$directory"; then
    say "cannot remove $directory: something is mounted in it"
    return 1
  fi
  remove && cd -P .. && rmdir "$work"
}

# Without write permission on its directory not even the owner can remove a file.
remove() {
  find . -xdev -type d ! -perm -700 -exec chmod u+rwx {} \; 2>/dev/null || :
  one_file_system=--one-file-system
  rm -f "$one_file_system" 2>/dev/null || one_file_system=-f
  reason=$(rm -rf "$one_file_system" ./* 2>&1) || {
    say "cannot remove $parent/$work: ${reason##*: }"
    return 1
  }
}

# Removes what killed runs of this user left in the same place.
sweep() {
  for work in .mkrootfs.??????; do
    [ -d "$work" ] || continue
    (cd -P "./$work" && exec 9<. && is_workshop && flock -n 9 && sweep_one) 2>/dev/null || :
  done
  work=''
}

# A directory that is still set aside under another name may be the only copy: the run for that name gives it back.
sweep_one() {
  rmdir old 2>/dev/null || :
  if [ -d old ] && [ ! -d "old/$name" ]; then return; fi
  discard
}
