#pragma once

// The functions of wasi:filesystem/types, in two files: on an open descriptor, and on paths below
// one.

#include "wasi/binder.h"
#include "wasi/filesystem/descriptor.h"

namespace tenon::wasi::filesystem {

void provideDescriptorFunctions(Binder& types);
void providePathFunctions(Binder& types);

// What `metadata-hash` gives, mixed with a secret of this process. The whole changes with the
// content (size, time of modification); its lower half is of the file's identity alone, as libcs
// make the inode number of that.
MetadataHashValue hashOf(const struct stat& status);

// Gives a file that is open for writing another size. Where that gives back more than
// MOST_FREED_AT_ONCE bytes, a thread does it, as the file system may take seconds for it.
inline constexpr off_t MOST_FREED_AT_ONCE = off_t{16} << 20;
FileResult<void> resize(call::HostCall& call, std::shared_ptr<const OpenFile> file, off_t size);

// What utimensat takes. An errno as error: EINVAL, EOVERFLOW.
Expected<timespec, int> toTimespec(const NewTimestamp& time);

}  // namespace tenon::wasi::filesystem
