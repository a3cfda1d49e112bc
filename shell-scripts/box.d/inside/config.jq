# The configuration of an image that is made here of one tree.
$ARGS.positional as $layers
| {
  created: $created, architecture: $arch, os: "linux",
  config: ({Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], Cmd: ["/bin/sh"]}),
  rootfs: {type: "layers", diff_ids: $layers},
  history: ($layers | map({created: $created, created_by: $by}))
}
