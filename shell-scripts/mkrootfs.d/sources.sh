# The sources that are trusted: --busybox, --copy and --from-dir, and what a root needs besides.

check_busybox() {
  find_busybox && return
  [ -n "$found" ] || die 'cannot find busybox: it is not in PATH' 'apt-get install busybox-static, or use --copy'
  die "cannot use $found: it is not static" 'apt-get install busybox-static, or use --copy'
}

# One directory for all applets, under the four names that programs look for them.
fill_busybox() {
  attempt create "$dir" mkdir -p root/bin root/usr
  for link in sbin:bin usr/bin:../bin usr/sbin:../bin; do
    attempt create "$dir" ln -s "${link#*:}" "root/${link%%:*}"
  done
  attempt copy "$busybox" cp -L "$busybox" root/bin/busybox
  attempt link "the applets of $busybox" root/bin/busybox --install root/bin
  furnish
}

# The programs of a bare --copy, as far as this host has them.
usual='sh ls cat ps hostname mount umount id whoami echo printf test sleep env head tail grep sed awk sort uniq
cut tr wc tee xargs find mkdir rmdir rm cp mv ln touch stat readlink chmod chown mknod dd df du true false kill
uname date pwd dirname basename mktemp seq ip'

fill_copy() {
  if [ $# -eq 0 ]; then
    for program in $usual; do
      if find_program "$program"; then set -- "$@" "$found"; fi
    done
  fi
  into=root
  merge_usr
  copy_programs /bin/sh "$@"
  furnish
}

# As on this host: where /bin is a link to usr/bin, it is one in the new root.
merge_usr() {
  for top in bin sbin lib lib32 lib64 libx32; do
    link=$(readlink "/$top") || continue
    case /$link in
      */../* | */.. | /[!u]*) continue ;;
    esac
    attempt create "$dir" mkdir -p "root/$link"
    attempt create "$dir" ln -s "$link" "root/$top"
  done
}

check_from_dir() {
  directory "$origin" || no_way copy "$origin" "$origin"
  case $parent/ in
    "${directory%/}"/*) die "cannot copy $origin: $dir would be in it" ;;
  esac
  from=$directory
}

# -x only where it matters, for the cp of busybox does not have it.
fill_from_dir() {
  one_file_system=-a
  if mounts_in "${from%/}" '?'; then
    one_file_system=-x
    cp --help 2>&1 | grep -q one-file-system || die "cannot copy $origin: something is mounted in it" 'unmount that'
  fi
  cp -a "$one_file_system" "${from%/}/." root/ >/dev/null 2>&4 &
  jobs=$!
  wait "$jobs" || accept_losses copy
  jobs=''
}

# For a root that was made here, not unpacked.
furnish() {
  attempt create "$dir" mkdir -p root/etc root/root root/run root/tmp root/var
  chmod 1777 root/tmp
  write passwd 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/nonexistent:/bin/false'
  write group 'root:x:0:' 'nogroup:x:65534:'
  write hosts '127.0.0.1	localhost' '::1	localhost'
  write hostname
  write resolv.conf
}

# The last two stay empty: they are there to be mounted upon when the root is read-only.
write() {
  file=root/etc/$1
  shift
  { [ $# -eq 0 ] || printf '%s\n' "$@"; } | save "$file"
}

# Only names directly in the new root are looked at: nothing of an archive is followed.
finish_root() {
  privileged || chmod u+rwx root
  [ -n "$(ls -A root)" ] || die "cannot create $dir: nothing is in $label"
  privileged || clear_setuid
  for point in proc sys dev tmp; do
    [ -e "root/$point" ] || [ -L "root/$point" ] || {
      attempt create "$dir/$point" mkdir "root/$point"
      [ "$point" != tmp ] || chmod 1777 root/tmp
    }
  done
}

# A file that runs as the caller for everybody is not what an archive may leave behind.
clear_setuid() {
  set=$(find root -xdev -type f \( -perm -4000 -o -perm -2000 \) -exec chmod u-s,g-s {} \; -print 2>/dev/null) || :
  [ -z "$set" ] || say "warning: cleared the setuid and setgid bits in $dir: not root"
}
