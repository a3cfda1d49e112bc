# rm: remove boxes that have ended, with all that they changed

synopsis='[OPTION ...] BOX ...'
options='
 -f --force end those that run
'

force=''

option() {
  force=yes
}

verb_rm() {
  load boxes
  load end
  parse_options "$@"
  shift "$taken"
  find_places
  each_box remove_ended "$@"
}

remove_ended() {
  case $state in
    running | paused)
      [ -n "$force" ] || die "cannot remove $which: it is $state" "box stop $which, or box rm -f $which"
      end_or_tell ;;
  esac
  [ ! -d "$box" ] || remove_box
}

end_or_tell() {
  if [ -z "$explain" ]; then
    end_box ''
  else
    plan_killing
    printf '%s\n' "$killing"
  fi
}
