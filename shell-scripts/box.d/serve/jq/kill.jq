# The options of `box kill` and `box stop`.
include "request";
answer(
  body | check(""; schema($schema))
  | [(.signal // empty | "--signal=\(.)"), (.time // empty | "--time=\(.)")] | lines
)
