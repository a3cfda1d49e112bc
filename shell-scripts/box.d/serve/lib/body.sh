# The body of a request: JSON, as openapi.json describes it.

# take_body SCHEMA PROGRAM: checks the body by this schema of openapi.json, and sets $plan to what this program of jq/
# makes of it: see with_words.
take_body() {
  check_type
  plan=$(jq -n -r -L "$BOX_API/jq" --arg schema "$1" --arg box "${id-}" --slurpfile api "$BOX_API/openapi.json" -f "$BOX_API/jq/$2.jq" \
    2>/dev/null) || fail 500 'the body cannot be read'
  case $plan in
    '!'*) refused=${plan#?} && begin "${refused%% *}" && printf '%s\n' "${refused#* }" && exit 0 ;;
  esac
}

# Pages of other sites can send forms and text without being asked; JSON they cannot.
check_type() {
  case ${CONTENT_LENGTH:-0} in
    0) ;;
    *)
      case ${CONTENT_TYPE-} in
        application/json | application/json\;* | application/json\ *) ;;
        *) fail 415 'the body is not application/json' 'send Content-Type: application/json' ;;
      esac ;;
  esac
}

# Takes the next line of $plan: sets $line, or fails.
take_line() {
  line=${plan%%"$newline"*}
  case $plan in *"$newline"*) plan=${plan#*"$newline"} ;; *) plan='' ;; esac
}

# with_words COMMAND...: runs COMMAND with the words of $plan behind its own. A word is a line that begins with =, and
# has lines that begin with + where it spans several.
with_words() {
  word='' pending=''
  while IFS= read -r line; do
    case $line in
      +*) word=$word$newline${line#?} && continue ;;
    esac
    [ -z "$pending" ] || set -- "$@" "$word"
    pending=yes word=${line#?}
  done <<PLAN
$plan
PLAN
  [ -z "$pending" ] || set -- "$@" "$word"
  "$@"
}
