# POST /run: a box is made, or stopped.

run_or_stop() {
  [ "${CONTENT_LENGTH:-0}" != 0 ] || fail 400 'there is no body' 'send as JSON what to run; GET / has examples'
  take_body '' run
  take_line
  # shellcheck disable=SC2086 # words without blanks
  do_$line
}

do_stop() {
  which=${plan#=}
  find_box
  change 409 stop -- "$id"
  reply_with_box
}

# do_run IMAGE NAME WAIT REMOVE: the last three are - where they are not given.
do_run() {
  need_image "$1"
  with_words try setsid "$BOX_API/box" run --detach || refuse_run "$2"
  id=$out
  if [ "$3" = - ]; then reply_with_box; else reply_at_end "$4"; fi
}

need_image() {
  ask 500 "$BOX_API/box" images --quiet
  case $newline$out$newline in
    *"$newline$1$newline"*) ;;
    *) fail 404 "there is no image called $1" 'GET /images lists them, box import makes one' ;;
  esac
}

refuse_run() {
  if [ "$1" != - ] && "$BOX_API/box" inspect -- "$1" >/dev/null 2>&1; then
    fail_as_told 409
  fi
  fail_as_told 422
}

# A box whose caller does not wait any longer goes on; if it is to be removed, that is still done. The head of the answer
# goes ahead, since lighttpd looks after the caller only from then on.
reply_at_end() {
  if [ "$1" = - ]; then need_caller; else trap '' TERM; fi
  begin 200
  : "$(leash "$BOX_API/box" wait -- "$id")"
  find_record
  { printf '%s\n' "$record" && "$BOX_API/capture" "$BOX_API/box" logs -- "$id"; } |
    jq -s -c -L "$BOX_API/jq" 'include "record"; (.[0] | record) + (.[1] | {output, truncated})'
  [ "$1" = - ] || "$BOX_API/box" rm -- "$id" 2>/dev/null || :
}
