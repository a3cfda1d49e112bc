# What is said, and how a step that may fail is taken.

die() {
  say "$1"
  [ -z "${2-}" ] || say "hint: $2"
  exit 125
}

misuse() {
  die "cannot understand the command line: $1" 'mkrootfs --help'
}

# One line whatever is in a name.
say() {
  printf 'mkrootfs: %s' "$1" | tr '\001-\037\177' '?' >&2
  echo >&2
}

attempt() {
  verb=$1 object=$2
  shift 2
  reason=$("$@" 2>&1 >/dev/null) || die "cannot $verb $object: ${reason##*: }"
}

# Dies with the reason for which directory $3 cannot be entered.
no_way() {
  case $3 in -*) set -- "$1" "$2" "./$3" ;; esac
  attempt "$1" "$2" ls -d "$3/."
  die "cannot $1 $2: Permission denied"
}

save() {
  reason=$({ cat >"$1"; } 2>&1) || die "cannot create $dir: ${reason##*: }"
}

# The complaints, without the remarks.
log() {
  tr -d '\0' <log | grep -v -e '^$' -e '^[0-9]* blocks$' -e 'Exiting with failure' \
    -e ': Removing leading' -e ': Ignoring unknown' -e ': Wrote only' || :
}

# Not being allowed to make device nodes is no reason to do without the rest.
accept_losses() {
  node="Cannot mknod: Operation not permitted\$"
  node="$node\\|cannot create special file .*: Operation not permitted\$"
  node="$node\\|can't create node .*: Operation not permitted\$"
  log | grep -q "$node" || give_up "$1"
  ! log | grep -q -v "$node" || give_up "$1"
  say "warning: left out the device nodes of $label: Operation not permitted"
}

# Of a file that found room for its beginning tar says no more than that.
give_up() {
  worst=$(log | grep -v "${node:-^$}" | head -n 1 | sed -e 's/^\(\/[^ ]*\|cpio\|cp\|tail\|tar\): //' \
    -e 's/^Error [0-9]* : //' -e 's/^Skipping to next header$/it is cut short or damaged/' -e 's/ *$//')
  if [ -z "$worst" ] && grep -q ': Wrote only' log; then worst='No space left on device'; fi
  die "cannot $1 $label: ${worst:-it was killed}" "$(log | sed -n 's/^[a-z-]*: hint: //p' | head -n 1)"
}
