# The index of a layout with one image, of its manifest.
(.mediaType | if type == "string" and test("^[a-z0-9.+/-]+\\z") then .
  else "application/vnd.oci.image.manifest.v1+json" end) as $type
| {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{mediaType: $type, digest: "sha256:\($digest)", size: ($size | tonumber),
      annotations: {"org.opencontainers.image.ref.name": $name}}]
  }
