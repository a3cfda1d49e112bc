# version: tell the versions of box and its tools

synopsis='' options=''

verb_version() {
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'version takes no operand'
  find_tools cgctl netns unshare-rs pivot nsenter-rs
  for tool in "$cgctl" "$netns" "$unshare_rs" "$pivot" "$nsenter_rs"; do "$tool" --version; done
}
