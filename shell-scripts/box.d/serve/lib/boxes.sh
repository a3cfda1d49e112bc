# How box is asked.

# try COMMAND...: sets $out to what it writes; what it says can be read from descriptor 5.
try() {
  exec 4>"$BOX_DESK/$$" 5<"$BOX_DESK/$$"
  rm -f "$BOX_DESK/$$"
  out=$("$@" </dev/null 2>&4 4>&- 5<&-)
}

# ask STATUS COMMAND...: answers with this status when it fails.
ask() {
  refusal=$1
  shift
  try "$@" || fail_as_told "$refusal"
}

# With the error and the hint that were told: `TOOL: cannot ...` and `TOOL: hint: ...`.
fail_as_told() {
  error='' hint=''
  while IFS= read -r line; do
    case $line in
      *': hint: '*) hint=${line#*: hint: } ;;
      *': '*) error=${line#*: } ;;
      *) error=${error:-$line} ;;
    esac
  done <&5
  fail "$1" "${error:-it has failed without a word}" "$hint"
}

# change STATUS VERB WORD...: has box change something. That is finished whatever becomes of the request and of this
# server, so it has a session of its own.
change() {
  refusal=$1
  shift
  ask "$refusal" setsid "$BOX_API/box" "$@"
}

# From here on the answer is of use only as long as somebody waits for it.
need_caller() {
  trap - TERM
  [ -z "$gone" ] || exit 0
}

# leash COMMAND...: becomes what runs something that may take long, and ends that with all that it runs when the parent
# ends: this shell, where a subshell of it calls this.
leash() {
  exec setsid "$BOX_SETPRIV" --pdeathsig HUP "$BOX_API/leash" "$@"
}

# Sets $record to what box knows of $which, and $id.
find_box() {
  ask 404 "$BOX_API/box" inspect -- "$which"
  record=$out
  id=${record#*'"id": "'}
  id=${id%%'"'*}
}

# Of a box that has removed itself, what the history tells.
find_record() {
  record=$("$BOX_API/box" inspect -- "$id" 2>/dev/null) ||
    record=$(grep -F "\"id\":\"$id\"" "$BOX_STORE/history" | tail -n 1)
}

# Answers with the box $id as it now is.
reply_with_box() {
  find_record
  begin 200
  printf '%s\n' "$record" | jq -c -L "$BOX_API/jq" 'include "record"; record'
}
