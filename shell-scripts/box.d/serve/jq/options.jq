# What is done to a box: the options that its verb gets.
include "request";

answer(
  body | check(""; schema($schema))
  | [ (.signal // empty | "--signal=\(.)"), (.time | values | "--time=\(.)") ] | lines
)
