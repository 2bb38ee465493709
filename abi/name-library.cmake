# Puts a proven library and its golden rows into OUT under the name of its bytes: the first 16 digits of their SHA-256.
file(SHA256 ${LIBRARY} digest)
string(SUBSTRING ${digest} 0 16 hash)
file(MAKE_DIRECTORY ${OUT})
set(name ${OUT}/lib${KIND}_v${hash})
configure_file(${GOLDEN} ${name}.golden.csv COPYONLY)
configure_file(${LIBRARY} ${name}.so COPYONLY)
message(STATUS "${name}.so")
