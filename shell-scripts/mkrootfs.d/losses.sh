# What an unpacker had to say, and what of it can be lived with.

save() {
  reason=$({ cat >"$1"; } 2>&1) || die "cannot create $dir: ${reason##*: }"
}

# The log is written in place over blank lines: on a full disk the reason must still find room.
open_log() {
  head -c 4096 /dev/zero | save log
  exec 4<>log
}

# The complaints, without the remarks.
log() {
  tr -d '\0' <log | grep -v -e '^$' -e '^[0-9]* blocks$' -e 'Exiting with failure' \
    -e ': Removing leading' -e ': Ignoring unknown' -e ': Wrote only' || :
}

# Not being allowed to make device nodes is no reason to do without the rest.
accept_losses() {
  node="Cannot mknod: Operation not permitted\$"
  node="$node\\|cannot create special file .*: Operation not permitted\$"
  node="$node\\|can't create node .*: Operation not permitted\$"
  log | grep -q "$node" || give_up "$1"
  ! log | grep -q -v "$node" || give_up "$1"
  say "warning: left out the device nodes of $label: Operation not permitted"
}

# Of a file that found room for its beginning tar says no more than that.
give_up() {
  worst=$(log | grep -v "${node:-^$}" | head -n 1 | sed -e 's/^\(\/[^ ]*\|cpio\|cp\|tail\|tar\): //' \
    -e 's/^Error [0-9]* : //' -e 's/^Skipping to next header$/it is cut short or damaged/' -e 's/ *$//')
  if [ -z "$worst" ] && grep -q ': Wrote only' log; then worst='No space left on device'; fi
  die "cannot $1 $label: ${worst:-it was killed}" "$(log | sed -n 's/^[a-z-]*: hint: //p' | head -n 1)"
}
