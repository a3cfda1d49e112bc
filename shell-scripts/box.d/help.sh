# help: show the verbs, or the options of one

synopsis='[VERB]' options=''

verb_help() {
  parse_options "$@"
  shift "$taken"
  case ${1-} in
    '') print_verbs ;;
    *[!a-z]*) misuse "unknown verb $1" ;;
    *)
      [ -f "$parts/$1.sh" ] || misuse "unknown verb $1"
      verb=$1
      # shellcheck source=/dev/null # one of the verbs
      . "$parts/$1.sh"
      print_help ;;
  esac
}

# The first line of each file says what its verb does.
print_verbs() {
  printf '%s\n' 'Usage: box [--explain] VERB [ARG ...]' \
    'Run commands in containers.' '' 'Commands:'
  for file in "$parts"/*.sh; do
    IFS= read -r line <"$file"
    case $line in '# settle:'*) continue ;; esac
    line=${line#'# '}
    printf '  %-10s %s\n' "${line%%:*}" "${line#*: }"
  done
  printf '%s\n' '' 'Options:' \
    '  --explain    print what VERB would run, ready to paste, and run nothing' \
    '  -h, --help   show this text; after a VERB, its options' \
    '  -V, --version' ''
  echo 'Exit status: that of the command, or 125 on any error.'
}
