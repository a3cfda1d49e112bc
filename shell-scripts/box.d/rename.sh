# rename: give a box another name

synopsis='BOX NAME' options=''

verb_rename() {
  load pipeline
  parse_options "$@"
  shift "$taken"
  [ $# -eq 2 ] || misuse 'rename takes a BOX and a NAME'
  check_name 'a box' "$2"
  find_places
  find_box "$1"
  read_value "$box/name"
  old=$value new=$2
  [ "$old" != "$new" ] || die "cannot rename $1: it has that name"
  [ ! -L "$store/names/$new" ] || die "cannot call $1 $new: a box has that name already"
  if [ -n "$explain" ]; then
    step ln -sn "../boxes/$id" "$store/names/$new"
  else
    attempt rename "$1" ln -sn "../boxes/$id" "$store/names/$new"
  fi
  each_word rename_host
  (write_names) || {
    rm -f "$store/names/$new" "$box/name.new" "$box/pipeline.new"
    exit 125
  }
  [ ! -d "$run" ] || step ln -sfn "$id" "$runs/$new"
  step rm -f "$store/names/$old" "$runs/$old"
  [ -n "$explain" ] || note renamed ",\"old_name\":\"$old\""
}

# There may be no room for them: the first is replaced when both are there.
write_names() {
  if [ -n "$explain" ]; then
    replace_value "$box/pipeline" "$pipeline"
    replace_value "$box/name" "$new"
    return
  fi
  write_value "$box/pipeline.new" "$pipeline"
  write_value "$box/name.new" "$new"
  attempt rename "$old" mv -f "$box/pipeline.new" "$box/pipeline"
  attempt rename "$old" mv -f "$box/name.new" "$box/name"
}

# The others of its network know it by the new name from its next start on.
rename_host() {
  [ "$link $previous $word" != "netns new $old" ] || word=$new
}
