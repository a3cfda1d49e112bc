# logs: show what a box has written

synopsis='[OPTION ...] BOX'
options='
 -f --follow go on until the box ends
 -n --tail =LINES begin with the last lines
'

follow='' lines=''

option() {
  case $1 in
    --follow) follow=yes ;;
    --tail)
      case $2 in '' | *[!0-9]*) misuse "--tail takes a number of lines, not $2" ;; esac
      lines=$2 ;;
  esac
}

verb_logs() {
  load boxes
  parse_options "$@"
  shift "$taken"
  find_places
  one_box "$@"
  case $follow$state in
    yesrunning | yespaused) follow_log ;;
    *) show_log ;;
  esac
}

show_log() {
  if [ -n "$lines" ]; then tail -n "$lines" "$box/log"; else cat "$box/log"; fi
}

follow_log() {
  load end
  exec 3<"$box/log"
  [ -z "$lines" ] || tail -n "$lines" <&3
  follow
}
