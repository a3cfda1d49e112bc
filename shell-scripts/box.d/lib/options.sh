# Options, by a table: one line for each, its short name if any, its long name, =VALUE if it takes one, and what the
# help says. A verb sets $synopsis and $options, and has a function `option NAME VALUE`.
#
#     options='
#      -d --detach run in the background
#      -m --memory =SIZE limit memory
#      --rm remove the box when it has ended
#     '

# Takes options up to the first operand or past `--`; sets $taken to the number of words.
parse_options() {
  words=$#
  while [ $# -gt 0 ]; do
    case $1 in
      --) shift && break ;;
      --*=*)
        find_option "${1%%=*}"
        [ -n "$placeholder" ] || misuse "$option_name takes no value"
        option "$option_name" "${1#*=}" ;;
      --*)
        find_option "$1"
        if [ -n "$placeholder" ]; then
          [ $# -gt 1 ] || misuse "$option_name needs a value"
          option "$option_name" "$2"
          shift
        else
          option "$option_name" ''
        fi ;;
      -?*)
        parse_cluster "$@" && shift "$used" && continue ;;
      *) break ;;
    esac
    shift
  done
  taken=$((words - $#))
}

# -itm64M, or -itm 64M. Sets $used to the number of words.
parse_cluster() {
  cluster=${1#-} used=1
  while [ -n "$cluster" ]; do
    find_option "-${cluster%"${cluster#?}"}"
    cluster=${cluster#?}
    if [ -z "$placeholder" ]; then
      option "$option_name" ''
    elif [ -n "$cluster" ]; then
      option "$option_name" "${cluster#=}"
      cluster=''
    else
      [ $# -gt 1 ] || misuse "$option_name needs a value"
      option "$option_name" "$2"
      used=2
    fi
  done
}

# Sets $option_name to the long name of option $1, and $placeholder to that of its value.
find_option() {
  case "$1 " in -h\ * | --help\ *) print_help && exit 0 ;; esac
  case $options in
    *" $1 "*) row=${options#*" $1 "} option_name=$1 ;;
    *) misuse "unknown option $1" ;;
  esac
  case $row in --*) option_name=${row%% *} row=${row#* } ;; esac
  placeholder=''
  case $row in =*) placeholder=${row%% *} ;; esac
}

# Sets $assignment to NAME=VALUE; for a NAME alone with the value that it has here, to nothing if it has none. A program
# may want names that no variable of a shell can have (discovery.type).
find_variable() {
  assignment=$1
  case $1 in
    '' | =*) misuse "a variable is NAME=VALUE, not '$1'" ;;
    *=*) ;;
    [0-9]* | *[!A-Za-z0-9_]*) misuse "a shell knows no variable called $1: $1=VALUE" ;;
    *) eval "assignment=\${$1+\$1=\$$1}" ;;
  esac
}

# A directory of a box is given from its root.
check_workdir() {
  case $1 in /*) ;; *) misuse "--workdir is an absolute path, not $1" ;; esac
}

print_help() {
  printf 'Usage: box %s%s\n' "$verb" "${synopsis:+ $synopsis}"
  [ -z "$options" ] || printf '\n'
  old_ifs=$IFS IFS=$newline
  set -f
  for row in $options; do
    names='' row=${row# }
    while :; do
      case $row in -*) names=$names${names:+, }${row%% *} row=${row#* } ;; *) break ;; esac
    done
    case $row in '') continue ;; =*) placeholder=${row%% *} names="$names <${placeholder#=}>" row=${row#* } ;; esac
    printf '  %-28s %s\n' "$names" "$row"
  done
  set +f
  IFS=$old_ifs
  printf '  %-28s %s\n' '-h, --help' 'show this text'
}
