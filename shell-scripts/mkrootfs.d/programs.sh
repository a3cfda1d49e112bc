# Programs of this host: how they are found, and copied with all they need.

# Sets $found. `command -v` would find the shell's own echo.
find_program() {
  found=
  case $1 in
    */*) executable "$1" && absolute "$1" && return ;;
  esac
  [ "${1#*/}" = "$1" ] || return 1
  rest=$PATH:/usr/sbin:/sbin:
  while [ -n "$rest" ]; do
    place=${rest%%:*} rest=${rest#*:}
    executable "${place:-.}/$1" && absolute "${place:-.}/$1" && return
  done
  return 1
}

executable() {
  [ -f "$1" ] && [ -x "$1" ]
}

# Sets $found to path $1 made absolute, symbolic links kept where possible: it is the path in the new root as well.
absolute() {
  case $1 in */../*) how=-P ;; *) how=-L ;; esac
  found=$(cd "$how" "${1%/*}/" && pwd "$how" && echo .) || return 1
  found=${found%??}
  found=${found%/}/${1##*/}
}

find_busybox() {
  find_program busybox.static || find_program busybox || return 1
  busybox=$found
  ! ldd "$busybox" 2>/dev/null | grep -q '(0x'
}

copy_programs() {
  for program; do
    find_program "$program" || die "cannot copy $program: no such program"
    set -- "$@" "$found"
    shift
  done
  copy_libraries "$@"
  for program; do
    [ ! -e "$into$program" ] || continue
    copy_file "$program"
    copy_interpreter "$program"
  done
}

copy_file() {
  [ ! -e "$into$1" ] || return 0
  [ -d "$into${1%/*}" ] || attempt copy "$1" mkdir -p "$into${1%/*}"
  attempt copy "$1" cp -L "$1" "$into$1"
}

# The cache tells the loader about libraries outside its own directories.
copy_libraries() {
  libraries=$(ldd "$@" 2>/dev/null) || :
  missing=$(printf '%s\n' "$libraries" | sed -n 's/^[[:blank:]]*\(.*\) => not found.*/\1/p')
  [ -z "$missing" ] || die "cannot copy $*: they need $missing, which is not here"
  printf '%s\n' "$libraries" |
    sed -n 's/^[[:blank:]]\(.* => \)\{0,1\}\(\/.*\) (0x[0-9a-f]*)$/\2/p' |
    while IFS= read -r library; do
      absolute "$library" && copy_file "$found"
    done || exit 125
  [ ! -e /etc/ld.so.cache ] || copy_file /etc/ld.so.cache
}

# `#!/usr/bin/env python3` needs both.
copy_interpreter() {
  [ "$(dd if="$1" bs=2 count=1 2>/dev/null | tr -d '\0')" = '#!' ] || return 0
  IFS= read -r line <"$1" || :
  set -f
  # shellcheck disable=SC2086 # the kernel, too, splits this line at blanks
  set -- ${line#??}
  set +f
  [ $# -gt 0 ] || return 0
  copy_programs "$1"
  [ "${1##*/}" = env ] || return 0
  shift
  for word; do
    case $word in -* | *=*) continue ;; esac
    copy_programs "$word"
    return
  done
}
