# A manifest for archives of layers; standard input tells each as its media type, digest and size on a line.
{
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: "sha256:\($config)", size: $size},
  layers: (split("\n") | map(select(. != "") | split(" ")
    | {mediaType: .[0], digest: "sha256:\(.[1])", size: (.[2] | tonumber)}))
}
