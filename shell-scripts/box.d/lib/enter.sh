# The way into the root directory of a box, for a shell of this host: a static busybox, since no program of the box is to
# be trusted with the caller's rights, nor a library.

# shellcheck source=SCRIPTDIR/../../mkrootfs.d/programs.sh
. "$parts/../mkrootfs.d/programs.sh"

# Where the tools are: in the place of /proc, whose links lead elsewhere. They must be called by their whole path.
entry_tools=/proc/

# Sets $entry to the command line, quoted, that runs what follows it in the root directory of the box: of its processes,
# if it has any, else of its layers. The command is in no other namespace of the box, where somebody could look into it
# or change it.
plan_entry() {
  case $state in
    running | paused) enter_processes ;;
    *) enter_layers ;;
  esac
}

enter_processes() {
  find_pid || die "cannot enter $which: its first process has not started yet, or has ended"
  find_tools nsenter-rs
  quote "$nsenter_rs" -t "$pid" -mU --toolbox=:/proc
  entry=$quoted
}

enter_layers() {
  load pipeline
  find_tools unshare-rs pivot
  find_busybox || die "cannot enter $which: there is no static busybox" 'apt-get install busybox-static'
  maps=''
  [ -z "$rootless" ] || find_maps
  # shellcheck disable=SC2086 # options without blanks
  quote "$unshare_rs" $maps -m "$pivot" --bare --dev
  entry=$quoted
  each_root_option take_root
  quote --tmpfs /proc --ro-bind "$busybox:/proc/busybox"
  entry="$entry $quoted"
  for tool in sh tar stat chown chmod mkdir mktemp mv rm realpath tr; do entry="$entry --symlink /proc/$tool=busybox"; done
}

# The options of pivot that put the root together, and the volumes.
take_root() {
  case $1 in
    --layer | --upper | --work | --bind | --ro-bind | --overlay-src | --overlay | --tmp-overlay | --ro-overlay)
      quote "$1" "$2"
      entry="$entry $quoted" ;;
    --ro) entry="$entry --ro" ;;
  esac
}
