# Discs: an ISO 9660 image, of which the archive is taken that the system starts with.

import_disc() {
  find_program bsdtar ||
    die "cannot import $label: there is no bsdtar to read a disc" 'apt-get install libarchive-tools'
  disc=$label
  unpack_disc
  choose_member
  label="${member#disc/root/} of $disc"
  unpack_cpio "$member"
  image_of_root "box import $disc"
}

# Large discs hold much that is of no use here.
unpack_disc() {
  fill_sandbox bsdtar
  exec 3<"$source"
  start_progress "$label" "$source"
  (sandboxed bsdtar -x -o -f - --include '*.gz' --include '*.xz' --include '*.lz*' --include '*.img' \
    --include '*.cpio*' --include '*initr*' --include '*rootfs*') <&3 >/dev/null 2>&4 &
  jobs=$!
  wait "$jobs" || ! log | grep -q -v -e ': Not found in archive$' -e ': Error exit delayed' || give_up unpack
  jobs=''
  exec 3<&-
  end_progress
  attempt create "$work/disc" mv new disc
  new_root
}

# Sets $member: the archive that --member names, or that TinyCore, SliTaz and others start with, or the only one.
choose_member() {
  find disc/root -type f ! -name "*$newline*" | sort >members
  : >archives
  while IFS= read -r file <&6; do
    find_kind "$file"
    [ "$kind" != cpio ] || printf '%s\n' "$file" >>archives
  done 6<members
  if [ -n "$wanted_member" ]; then
    member=disc/root/${wanted_member#/}
    grep -qxF -- "$member" archives ||
      die "cannot import $disc: no cpio archive in it is called $wanted_member" "$(told_members)"
    return
  fi
  [ -s archives ] ||
    die "cannot import $disc: there is no cpio archive in it" 'unpack what it holds, and import the directory'
  for member in boot/core.gz boot/corepure64.gz boot/rootfs4.gz boot/rootfs.gz; do
    member=disc/root/$member
    ! grep -qxF "$member" archives || return 0
  done
  [ "$(wc -l <archives)" -eq 1 ] || die "cannot import $disc: it holds several cpio archives" "$(told_members)"
  read -r member <archives
}

told_members() {
  echo "choose one by --member: $(sed 's/^disc\/root\///' archives | tr '\n' ' ')"
}
