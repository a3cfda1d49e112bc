# For requests whose body has no field, or is missing.
include "request";
answer(body | check(""; schema($schema)) | empty)
