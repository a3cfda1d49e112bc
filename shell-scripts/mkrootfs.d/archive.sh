# --tar and --cpio: a feeder, perhaps a decompressor, and an unpacker, the latter two in the sandbox.

check_tar() {
  find_link unshare-rs && unshare=$found
  find_link pivot && pivot=$found
  if [ "$origin" = - ]; then
    label='standard input'
    { command exec 3<&0; } 2>/dev/null || die 'cannot read standard input: it is closed'
    return
  fi
  [ -e "$origin" ] || die "cannot open $origin: No such file or directory"
  [ ! -d "$origin" ] || die "cannot open $origin: Is a directory" '--from-dir takes a directory'
  { command exec 3<"$origin"; } 2>/dev/null || die "cannot open $origin: Permission denied"
}

check_cpio() {
  check_tar
}

# The two links of the sandbox: installed, or built in the checkout that this script is part of.
find_link() {
  find_program "$1" && return
  for found in "$here/$1" "$here"/../target/*/release/"$1" "$here/../target/release/$1"; do
    if executable "$found"; then absolute "$found" && return; fi
  done
  die "cannot find $1: not in PATH and not beside mkrootfs" 'build it with cargo build --release, or make install'
}

# Names of users are not looked up: the sandbox has no users. As an ordinary user everything becomes the caller's.
fill_tar() {
  if privileged; then set -- --numeric-owner; else set -- -o; fi
  unpack tar -x -p "$@" -f -
}

fill_cpio() {
  set --
  privileged || set -- -R 0:0
  if find_program cpio && "$found" --help 2>&1 | grep -q no-absolute-filenames; then
    set -- "$@" --no-absolute-filenames --quiet
  fi
  unpack cpio -i -d -u -m "$@"
}

# The pipe is opened for both sides at once, so that no open waits. The feeder must not hold the side that is read.
unpack() {
  dd bs=1 count=6 <&3 2>/dev/null | save head
  detect_packer
  make_sandbox "$1" ${packer:+"$packer"}
  attempt create "$dir" mkfifo packed plain copy
  exec 6<>plain
  exec 5<plain
  exec 7>plain
  exec 6>&-
  start_feeder
  exec 7>&-
  sandboxed "$@" <&5 >/dev/null 2>&4 &
  jobs="$jobs $!"
  await_unpacking "$!"
}

# What was read for detection is put back in front. The end of a plain archive is kept for `is_whole`.
start_feeder() {
  if [ -z "$packer" ]; then
    tail -c 1024 <copy >end 2>&4 5<&- 7>&- &
    jobs=$! end=$!
    cat head >&7
    tee copy <&3 >&7 2>&4 5<&- &
    jobs="$jobs $!"
  else
    cat head - <&3 >packed 2>&4 5<&- 7>&- &
    jobs=$!
    sandboxed "$packer" -dc <packed >&7 2>&4 5<&- &
    jobs="$jobs $!" packer=$!
  fi
}

# The cpio of busybox goes on without what it cannot create, and ends with 0. Reading on to the end lets the unpacker
# of the compression find out whether its sum is right.
await_unpacking() {
  if ! wait "$1" || log | grep -q "can't create"; then accept_losses unpack; fi
  if [ -n "$packer" ]; then
    cat <&5 >/dev/null &
    wait "$!" || :
    wait "$packer" || give_up unpack
  elif [ "$source" = tar ]; then
    is_whole || die "cannot unpack $label: it is cut short or damaged"
  fi
}

# To tar an archive that is cut off between two members looks whole: the end mark of zeros is missing.
is_whole() {
  wait "$end" || give_up unpack
  [ "$(wc -c <end)" -eq 1024 ] && [ -z "$(tr -d '\0' <end)" ]
}
