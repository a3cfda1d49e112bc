# POST /containers/ID/exec: the words for `box exec`.
include "request";

answer(
  body | check(""; schema("ExecRequest"))
  | [ (.env // {} | to_entries[] | "--env=\(.key)=\(.value)"), (.workdir // empty | "--workdir=\(.)"),
      (.user // empty | "--user=\(.)") ] as $options
  | $options + ["--", $box] + (.command | command_words) | lines
)
