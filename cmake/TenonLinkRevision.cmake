# Writes OUT, a source file with a digest of SOURCES (a file that lists them): what makes a program of
# components. See src/run/CMakeLists.txt.
file(STRINGS ${SOURCES} files)
set(all "")
foreach(file IN LISTS files)
  file(SHA256 ${file} digest)
  get_filename_component(name ${file} NAME)
  string(APPEND all "${name} ${digest}\n")
endforeach()
string(SHA256 digest "${all}")
file(WRITE ${OUT} "namespace tenon::run {
extern const char* const LINK_REVISION;
const char* const LINK_REVISION = \"${digest}\";
}
")
