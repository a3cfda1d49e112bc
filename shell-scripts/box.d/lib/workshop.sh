# The workshop: a private directory of the store in which layers and images are made. What is complete is renamed from
# there to its place; what is left when a run is killed is found by its lock and removed by the next.

# shellcheck source=SCRIPTDIR/../../mkrootfs.d/losses.sh
. "$parts/../mkrootfs.d/losses.sh"
# shellcheck source=SCRIPTDIR/../../mkrootfs.d/programs.sh
. "$parts/../mkrootfs.d/programs.sh"
# shellcheck source=SCRIPTDIR/../../mkrootfs.d/sandbox.sh
. "$parts/../mkrootfs.d/sandbox.sh"

load progress

work='' jobs='' stock='' beside=''

# The lock of the store is shared by all who make images; `prune` wants it alone. Both locks are let go with the last
# process that works in here.
open_workshop() {
  make_places
  find_own_tools
  dir=$store start=$PWD
  attempt create "$store" mkdir -p "$store/work"
  lock_store -s
  sweep
  trap 'close_workshop $?' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  until claim_workshop; do :; done
  attempt create "$work" mkdir -p new/root made
  attempt create "$work" ln -s new/root root
  open_log
}

# The sweep of another may come before the lock: then there is nothing to claim, and another one is made.
claim_workshop() {
  work=$(mktemp -d "$store/work/XXXXXX" 2>&1) || {
    reason=${work##*: } work=''
    die "cannot create $store/work: $reason"
  }
  cd -P "$work" 2>/dev/null && { command exec 9<.; } 2>/dev/null && flock 9 && [ -d "$work" ]
}

# lock_store OPTION...: as flock(1) has them.
lock_store() {
  { command exec 8>>"$store/lock"; } 2>/dev/null || cannot_write "$store/lock"
  flock "$@" 8
}

# Absolute, for the sandbox has no PATH.
find_own_tools() {
  find_tools unshare-rs pivot
  find_program "$unshare_rs" && unshare=$found
  find_program "$pivot" && pivot=$found
  ids_are=one
  if privileged; then
    ids_are=many
  else
    find_maps
    ids_are=$mapped maps=${maps:--Ur}
  fi
}

# Whether this user has more than one id: then files keep their owners.
has_ids() {
  [ "$ids_are" = many ]
}

# as_root COMMAND...: with the rights over files that the sandbox had.
as_root() {
  if privileged; then
    real "$@"
  else
    find_program "$1" || die "cannot find $1: not in PATH"
    shift
    # shellcheck disable=SC2086 # options without blanks
    "$unshare" $maps "$found" "$@"
  fi
}

# real PROGRAM ARG...: that of PATH, where the shell may have a simpler one of its own.
real() {
  find_program "$1" || die "cannot find $1: not in PATH"
  shift
  "$found" "$@"
}

# become PROGRAM ARG...: the same for a process of its own, which a signal then reaches.
become() {
  find_program "$1" || die "cannot find $1: not in PATH"
  shift
  exec "$found" "$@"
}

close_workshop() {
  status=$1
  trap - EXIT
  trap '' HUP INT TERM
  for job in $jobs; do kill "$job" 2>/dev/null || :; done
  wait
  end_progress
  cd /
  [ -z "$beside" ] || rm -f "$beside"
  [ -z "$work" ] || remove_workshop "$work" || status=125
  case $status in 0 | 129 | 130 | 143) ;; *) status=125 ;; esac
  exit "$status"
}

# An image that was set aside for one that did not come is given back.
remove_workshop() {
  for aside in "$1"/old/*; do
    [ ! -d "$aside" ] || [ -d "$store/images/${aside##*/}" ] || mv "$aside" "$store/images/" || return
  done
  reason=$(as_root rm -rf --one-file-system "$1" 2>&1) || {
    say "cannot remove $1: ${reason##*: }"
    return 1
  }
}

# Waits until the disk has all of the workshop, and of what was renamed before: after a power cut no name may stand for
# what is half there. One call for a file system costs far less than one for each file.
reach_disk() {
  attempt write "$store" real sync -f "$work"
}

# write_whole FILE COMMAND...: FILE gets its name when the disk has all that the command writes; what is left of it
# otherwise goes with the workshop.
write_whole() {
  locate whole "$1"
  shift
  beside=$(mktemp "$whole.XXXXXX" 2>&1) || {
    reason=${beside##*: } beside=''
    die "cannot write $whole: $reason"
  }
  "$@" >"$beside"
  attempt write "$whole" real sync "$beside"
  chmod "$(printf %o "$((0666 & ~0$(umask)))")" "$beside"
  attempt write "$whole" mv -f "$beside" "$whole"
  beside=''
}

# Removes what killed runs left.
sweep() {
  for left in "$store"/work/??????; do
    [ -d "$left" ] || continue
    (exec 9<"$left" && flock -n 9 && remove_workshop "$left") 2>/dev/null || :
  done
}

# Sets $1, a variable, to an absolute path for the file or directory $2, as it was named before the workshop.
locate() {
  case $2 in
    /*) eval "$1=\$2" ;;
    *) eval "$1=\$start/\$2" ;;
  esac
}

# fill_sandbox TOOL...: with what reads archives and JSON, and the scripts that run in there.
fill_sandbox() {
  case " $stock " in *" $* "*) return ;; esac
  make_sandbox "$@"
  attempt create "$work" mkdir -p sandbox/box
  attempt create "$work" cp "$parts"/inside/* sandbox/box/
  stock="$stock $*"
}
