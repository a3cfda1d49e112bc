# POST /containers/ID/exec: the words for `box exec`; the name of the box is put in by its marker.
include "request";

answer(
  body | check(""; schema("ExecRequest"))
  | [ (.env // {} | to_entries[] | "--env=\(.key)=\(.value)"), (.workdir // empty | "--workdir=\(.)"),
      (.user // empty | "--user=\(.)") ] as $options
  | [($options | lines), "BOX", (.command | command_words | lines)] | .[]
)
