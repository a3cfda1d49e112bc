# port: list the ports of the host that lead into a box

synopsis='[OPTION ...] BOX [PORT[/tcp|/udp]]'
options='
 --json print a JSON object for each, on a line of its own
'

as_json=''

option() {
  as_json=yes
}

verb_port() {
  load boxes
  load pipeline
  parse_options "$@"
  shift "$taken"
  wanted=${2-}
  case $# in 2) set -- "$1" ;; esac
  find_places
  one_box "$@"
  need_life 'list the ports of'
  case $wanted in */*) ;; ?*) wanted=$wanted/tcp ;; esac
  told=''
  each_word find_port
  [ -n "$told" ] || [ -z "$wanted" ] || die "cannot list the ports of $which: nothing leads to $wanted"
}

find_port() {
  case $link$word in netns-p | netns--publish) print_port "$next" ;; esac
}

# print_port [ADDRESS:]PORT:PORT[/udp]
print_port() {
  case $1 in */udp) protocol=udp ;; *) protocol=tcp ;; esac
  value=${1%/*} address=127.0.0.1
  inner=${value##*:} value=${value%:*}
  outer=${value##*:}
  [ "$outer" = "$value" ] || address=${value%:*}
  [ -z "$wanted" ] || [ "$wanted" = "$inner/$protocol" ] || return 0
  told=yes
  if [ -n "$as_json" ]; then
    printf '{"port":"%s","protocol":"%s","address":"%s","host_port":"%s"}\n' "$inner" "$protocol" "$address" "$outer"
  elif [ -n "$wanted" ]; then
    echo "$address:$outer"
  else
    echo "$inner/$protocol -> $address:$outer"
  fi
}
