# An image of this host's own system, which takes no room: its programs are shown as they are, and changes to them are
# kept apart. Only what everybody may read is copied, and of the users' files, the data of services and the rest of /var
# there is nothing.

# import_host [DIR...]: with these directories as well.
import_host() {
  label='this host'
  for shown; do check_shown "$shown"; done
  : >overlays
  for shown in /usr /bin /sbin /lib /lib32 /lib64 /libx32 /nix /gnu /var/lib/dpkg /var/lib/rpm /var/lib/pacman; do
    [ ! -d "$shown" ] || [ -L "$shown" ] || printf '%s\n' "$shown" >>overlays
  done
  for shown; do printf '%s\n' "${shown%/}" >>overlays; done
  copy_settings
  make_skeleton
  image_of_root "box import --host"
}

check_shown() {
  case $1/ in
    *"$newline"*) die "cannot show $1: its name has a line end" ;;
    /*/*) ;;
    *) misuse "$1 is no absolute path" ;;
  esac
  case $1/ in
    */../* | */./* | *//?*) misuse "write $1 without . and .." ;;
    /proc/* | /sys/* | /dev/*) die "cannot show $1: it is no part of a system's files" ;;
  esac
  if [ ! -d "$1" ] || [ -L "$1" ]; then die "cannot show $1: it is no directory"; fi
  case $store/ in
    "${1%/}"/*) die "cannot show $1: the store $store is in it" ;;
  esac
}

# Names of users and hosts, certificates, and how programs are set up: the files of /etc that everybody may read.
copy_settings() {
  find /etc -xdev \( -type d ! -perm -005 -prune \) -o \
    \( -type d -o -type l -o -type f -perm -004 \) -print0 >wanted 2>/dev/null || :
  become tar -c -f - --null --no-recursion --verbatim-files-from -P -T wanted 2>/dev/null |
    become tar -x -p -f - -C root 2>&4 &
  jobs=$!
  wait "$jobs" || accept_losses copy
  jobs=''
}

# The directories of a system, and the links of /bin and others to /usr.
make_skeleton() {
  for top in /*; do
    [ ! -L "$top" ] || case $(readlink "$top") in usr/*) cp -P "$top" root/ ;; esac
  done
  attempt create "$work/root" mkdir -p root/proc root/sys root/dev root/run root/home root/mnt root/srv root/tmp \
    root/root root/var/tmp root/var/log root/var/cache root/var/lib
  chmod 700 root/root
  chmod 1777 root/tmp root/var/tmp
  while IFS= read -r shown <&6; do attempt create "$work/root$shown" mkdir -p "root$shown"; done 6<overlays
  for empty in machine-id hosts resolv.conf; do
    rm -f "root/etc/$empty"
    : >"root/etc/$empty"
  done
}
