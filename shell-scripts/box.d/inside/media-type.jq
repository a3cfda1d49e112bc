.mediaType | if type == "string" and test("^[a-z0-9.+/-]+\\z") then . else "application/vnd.oci.image.manifest.v1+json" end
