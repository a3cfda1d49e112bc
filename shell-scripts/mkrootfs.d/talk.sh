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
