# What is said, and how a step that may fail is taken.

verb=''

die() {
  say "$1"
  [ -z "${2-}" ] || say "hint: $2"
  exit 125
}

misuse() {
  die "cannot understand the command line: $1" "box ${verb:+${verb#_} }--help"
}

# One line whatever is in a name.
say() {
  case $1 in
    *[![:print:]]*) printf 'box: %s' "$1" | tr '\001-\037\177' '?' >&2 && echo >&2 ;;
    *) printf 'box: %s\n' "$1" >&2 ;;
  esac
}

# load PART: reads one of the parts that only some verbs need.
load() {
  # shellcheck source=/dev/null # one of lib/
  . "$parts/lib/$1.sh"
}

# attempt VERB OBJECT COMMAND...: dies with the last words of a command that fails.
attempt() {
  trying=$1 object=$2
  shift 2
  reason=$("$@" 2>&1 >/dev/null) || die "cannot $trying $object: ${reason##*: }"
}
