# rename: give a box another name

synopsis='BOX NAME' options=''

verb_rename() {
  parse_options "$@"
  shift "$taken"
  [ $# -eq 2 ] || misuse 'rename takes a BOX and a NAME'
  check_name 'a box' "$2"
  find_places
  find_box "$1"
  read_value "$box/name"
  old=$value
  [ ! -L "$store/names/$2" ] || die "cannot call $1 $2: a box has that name already"
  if [ -n "$explain" ]; then
    step ln -sn "../boxes/$id" "$store/names/$2"
  else
    attempt rename "$1" ln -sn "../boxes/$id" "$store/names/$2"
  fi
  replace_value "$box/name" "$2"
  [ ! -d "$run" ] || step ln -sfn "$id" "$runs/$2"
  step rm -f "$store/names/$old" "$runs/$old"
}
