# settle: what cgctl runs when a box has ended

synopsis='ID' options=''

# Writes down how it ended; one that is not to stay, or could not be started, goes. So does one that was never written
# down: its pipeline was pasted.
verb_settle() {
  parse_options "$@"
  shift "$taken"
  [ $# -eq 1 ] || misuse 'one ID is needed'
  [ -n "${CGCTL_STATUS+set}" ] || misuse 'cgctl runs this when a box has ended, and nobody else'
  check_id "$1"
  find_places
  id=$1 box=$store/boxes/$1 run=$runs/$1
  [ -d "$box" ] || return 0
  load launch
  [ ! -f "$box/id" ] || settle "${CGCTL_STATUS-}" "${CGCTL_OOM_KILLS:-0}" "${CGCTL_ERROR-}" "${CGCTL_ENDED-}"
  if [ -f "$box/remove" ] || [ ! -f "$box/id" ]; then
    remove_box
  elif [ ! -f "$run/starting" ] && never_started; then
    remove_box
  fi
}

# What it names may be removed, so it must be the ID of one box and cannot lead elsewhere.
check_id() {
  case $1 in
    *[!0-9a-f-]*) ;;
    ????????-????-????-????-????????????) return ;;
  esac
  misuse "an ID is a whole UUID, not '$1'"
}

never_started() {
  [ -n "${CGCTL_ERROR-}" ] || was_no_start "${CGCTL_STATUS-}"
}
